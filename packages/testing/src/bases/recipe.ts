/** The Debian release with CPython 3.11. */
export const SUITE = "bookworm";

/** In every base; the real ones have certificates and time zones as well. */
export const COMMON_PACKAGES = ["ca-certificates", "netbase", "tzdata", "debian-archive-keyring"] as const;

export const NODE = { version: "20.20.2", npm: "10.8.2", yarn: "1.22.22" } as const;

/** A file in the root of an image. */
export interface RecipeFile {
  readonly path: string;
  readonly content: string;
  readonly mode?: number;
}

export interface BaseRecipe {
  /** As on Docker Hub. */
  readonly repository: string;
  readonly tag: string;
  /** Debian packages besides the common ones. */
  readonly packages: readonly string[];
  readonly npm: boolean;
  readonly users: readonly {
    readonly name: string;
    readonly id: number;
    readonly home: string;
    readonly shell: string;
  }[];
  readonly files: readonly RecipeFile[];
  /** Path to target. */
  readonly links: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  readonly config: {
    readonly env: readonly string[];
    readonly entrypoint?: readonly string[];
    readonly cmd: readonly string[];
    readonly exposedPorts?: readonly string[];
    readonly stopSignal?: string;
  };
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const pip = `#!/usr/local/bin/python3.11
import sys
from pip._internal.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
`;

const python = {
  repository: "library/python",
  tag: "3.11-slim",
  packages: ["python3", "python3-pip", "python3-venv"],
  npm: false,
  users: [],
  files: ["pip", "pip3", "pip3.11"].map((name) => ({
    path: `usr/local/bin/${name}`,
    content: pip,
    mode: 0o755,
  })),
  links: {
    "usr/local/bin/python3.11": "/usr/bin/python3.11",
    "usr/local/bin/python3": "python3.11",
    "usr/local/bin/python": "python3",
    // Debian calls site-packages dist-packages.
    "usr/local/lib/python3.11/site-packages": "dist-packages",
  },
  // Debian's marker against `pip install`; python.org's builds have none.
  removed: ["usr/lib/python3.11/EXTERNALLY-MANAGED"],
  config: {
    env: [
      PATH.replace("/usr/local/sbin:/usr/local/bin", "/usr/local/bin:/usr/local/sbin"),
      "LANG=C.UTF-8",
      "PYTHON_VERSION=3.11.2",
    ],
    cmd: ["python3"],
  },
} as const satisfies BaseRecipe;

const nodeEntrypoint = `#!/bin/sh
set -e
# Run command with node if the first argument contains a "-" or is not a system command.
if [ "\${1#-}" != "\${1}" ] || [ -z "$(command -v "\${1}")" ] || { [ -f "\${1}" ] && ! [ -x "\${1}" ]; }; then
  set -- node "$@"
fi
exec "$@"
`;

const node = {
  repository: "library/node",
  tag: "20-alpine",
  packages: [],
  npm: true,
  users: [{ name: "node", id: 1000, home: "/home/node", shell: "/bin/sh" }],
  files: [{ path: "usr/local/bin/docker-entrypoint.sh", content: nodeEntrypoint, mode: 0o755 }],
  links: {
    "usr/local/bin/nodejs": "node",
    "usr/local/bin/npm": "../lib/node_modules/npm/bin/npm-cli.js",
    "usr/local/bin/npx": "../lib/node_modules/npm/bin/npx-cli.js",
    "usr/local/bin/yarn": `/opt/yarn-v${NODE.yarn}/bin/yarn`,
    "usr/local/bin/yarnpkg": `/opt/yarn-v${NODE.yarn}/bin/yarnpkg`,
  },
  removed: [],
  config: {
    env: [PATH, `NODE_VERSION=${NODE.version}`, `YARN_VERSION=${NODE.yarn}`],
    entrypoint: ["docker-entrypoint.sh"],
    cmd: ["node"],
  },
} as const satisfies BaseRecipe;

const nginxConf = `user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';
    access_log  /var/log/nginx/access.log  main;

    sendfile        on;
    keepalive_timeout  65;

    include /etc/nginx/conf.d/*.conf;
}
`;

const defaultConf = `server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
`;

const nginxEntrypoint = `#!/bin/sh
set -e
if [ "$1" = "nginx" ] || [ "$1" = "nginx-debug" ]; then
  for file in /docker-entrypoint.d/*.sh; do
    if [ -x "$file" ]; then "$file"; fi
  done
fi
exec "$@"
`;

const welcome = (title: string): string =>
  `<!DOCTYPE html>\n<html>\n<head><title>${title}</title></head>\n<body><h1>${title}</h1></body>\n</html>\n`;

const nginx = {
  repository: "library/nginx",
  tag: "alpine",
  packages: ["nginx", "curl", "wget"],
  npm: false,
  users: [{ name: "nginx", id: 101, home: "/var/cache/nginx", shell: "/bin/false" }],
  files: [
    { path: "etc/nginx/nginx.conf", content: nginxConf },
    { path: "etc/nginx/conf.d/default.conf", content: defaultConf },
    { path: "usr/share/nginx/html/index.html", content: welcome("Welcome to nginx!") },
    { path: "usr/share/nginx/html/50x.html", content: welcome("An error occurred.") },
    { path: "docker-entrypoint.sh", content: nginxEntrypoint, mode: 0o755 },
    { path: "docker-entrypoint.d/.keep", content: "" },
  ],
  links: { "var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr" },
  removed: ["etc/nginx/sites-enabled/default"],
  config: {
    env: [PATH],
    entrypoint: ["/docker-entrypoint.sh"],
    cmd: ["nginx", "-g", "daemon off;"],
    exposedPorts: ["80/tcp"],
    stopSignal: "SIGQUIT",
  },
} as const satisfies BaseRecipe;

export const BASES: readonly BaseRecipe[] = [python, node, nginx];

/** The short name: `python:3.11-slim`. */
export function nameOf({ repository, tag }: Pick<BaseRecipe, "repository" | "tag">): string {
  return `${repository.replace("library/", "")}:${tag}`;
}
