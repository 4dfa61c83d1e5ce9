import { TgoError } from "@tgo/errors";

export const DEFAULT_CONF = "/etc/nginx/conf.d/default.conf";
export const MAIN_CONF = "/etc/nginx/nginx.conf";

export interface Site {
  readonly root: string;
  readonly port: number;
  readonly singlePage: boolean;
  /** Paths below /assets/ whose names only look as if they held a content hash. */
  readonly unhashed: readonly string[];
}

/**
 * Names with a hash of the content, as Vite writes them: eight characters of base64url before the extension. One of
 * them at least is a digit or a capital, or it might be a word.
 */
const HASHED = String.raw`[-.](?=[\w-]{0,7}[A-Z0-9])[\w-]{8}\.\w+(?:\.map)?$`;

/** Whether a path is kept by browsers for a year. */
export function isHashed(path: string): boolean {
  return new RegExp(`^/assets/.*${HASHED}`).test(path);
}

/** The server of static pages, included in nginx's http block. */
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

/** nginx's main configuration for a user other than root, who can write to /tmp alone. */
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

/** @throws TgoError CATALOG for a port that only root may listen on */
export function requireFreePort(service: string, user: string, port: number): void {
  if (port >= 1024) return;
  throw new TgoError("CATALOG", `${service} runs as ${user}, who may not listen on port ${port} everywhere`, {
    where: "image.ports",
    remedy: "Name a port from 1024 on first in image.ports, such as 8080, and the same in smoke.http.",
  });
}

/** Whether an image's user is another than root. */
export function isUnprivileged(user: string | undefined): user is string {
  return user !== undefined && !/^(?:root|0)(?::|$)/.test(user);
}
