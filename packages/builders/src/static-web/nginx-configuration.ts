import { TgoError } from "@tgo/errors";

export const DEFAULT_CONF = "/etc/nginx/conf.d/default.conf";
export const MAIN_CONF = "/etc/nginx/nginx.conf";

/** The server of a service's pages. */
export interface Site {
  readonly root: string;
  readonly port: number;
  readonly singlePage: boolean;
  /** Paths under /assets/ whose names merely look as if they contained a content hash. */
  readonly unhashed: readonly string[];
}

/**
 * File names with a content hash, as Vite writes them: eight base64url characters before the extension. At least one is a
 * digit or a capital letter; otherwise it could be a word.
 */
const HASHED = String.raw`[-.](?=[\w-]{0,7}[A-Z0-9])[\w-]{8}\.\w+(?:\.map)?$`;

/** Whether browsers may cache a path for a year. */
export function isHashed(path: string): boolean {
  return new RegExp(`^/assets/.*${HASHED}`).test(path);
}

/** The server block for static pages. */
export function siteConfiguration({ root, port, singlePage, unhashed }: Site): string {
  const exceptions = unhashed.map((path) => `    "${path}" no-cache;\n`).join("");
  return `map $uri $cache_control {
${exceptions}    "~^/assets/.*${HASHED}" "public, max-age=31536000, immutable";
    default no-cache;
}

server {
    listen ${port};
    server_name _;
    server_tokens off;
    # A redirect to the port in the container would miss the one that is published.
    absolute_redirect off;

    root ${root};
    index index.html;

    gzip on;
    gzip_vary on;
    gzip_proxied any;
    gzip_min_length 1024;
    gzip_types text/css text/plain text/xml text/javascript application/javascript application/json application/manifest+json application/xml application/wasm image/svg+xml;

    add_header Cache-Control $cache_control;
    add_header X-Content-Type-Options nosniff always;

    # A missing asset is an error, never a page.
    location /assets/ {
        try_files $uri =404;
    }

    location / {
        try_files $uri $uri/ ${singlePage ? "/index.html" : "=404"};
    }
}
`;
}

/** nginx's main configuration for a user other than root, who can write only to /tmp. */
export const UNPRIVILEGED = `worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr notice;

events {
    worker_connections 1024;
}

http {
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /dev/stdout;
    sendfile on;
    keepalive_timeout 65;

    include /etc/nginx/conf.d/*.conf;
}
`;

/**
 * Checks that a user other than root may listen on the port.
 * @throws TgoError CATALOG
 */
export function requireUnprivilegedPort(service: string, user: string, port: number): void {
  if (port >= 1024) return;
  throw new TgoError(
    "CATALOG",
    `${service} runs as ${user}, which may not listen on port ${port} on every host`,
    {
      where: "image.ports",
      remedy:
        "Use a port of 1024 or above as the first one in image.ports, such as 8080, and the same port in smoke.http.",
    },
  );
}

/** Whether an image runs as a user other than root. */
export function isUnprivileged(user: string | undefined): user is string {
  return user !== undefined && !/^(?:root|0)(?::|$)/.test(user);
}
