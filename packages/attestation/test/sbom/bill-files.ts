import type { ImageFile } from "@tgo/image";

/** Files of an image as layers give them. @param links symbolic links by path */
export function imageFiles(
  texts: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
): ReadonlyMap<string, ImageFile> {
  const stat = { size: 0, mode: 0o644, owner: "0:0", mtime: 0 };
  return new Map<string, ImageFile>([
    ...Object.entries(texts).map(
      ([path, text]) => [path, { ...stat, type: "file", content: Buffer.from(text) }] as const,
    ),
    ...Object.entries(links).map(
      ([path, target]) => [path, { ...stat, type: "symbolic link", target }] as const,
    ),
  ]);
}

const SITE = "/usr/local/lib/python3.11/site-packages";

/** A Debian image with Python packages, Node packages and licences of every form. */
export const DEBIAN = imageFiles(
  {
    "/usr/lib/os-release":
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
    "/var/lib/dpkg/status": `Package: libgcc-s1
Status: install ok installed
Architecture: arm64
Source: gcc-12
Version: 12.2.0-14+deb12u1

Package: gcc-12-base
Status: install ok installed
Architecture: arm64
Source: gcc-12
Version: 12.2.0-14+deb12u1

Package: libpq5
Status: install ok installed
Architecture: arm64
Source: postgresql-15
Version: 15.14-0+deb12u1

Package: login
Status: install ok installed
Architecture: arm64
Source: shadow (1:4.13+dfsg1-1)
Version: 1:4.13+dfsg1-1+deb12u1
`,
    "/usr/share/doc/gcc-12-base/copyright": `This is the Debian package.
License: see below. On Debian systems, the complete text is in
/usr/share/common-licenses/GPL-3, and in /usr/share/common-licenses/Apache-2.0.
`,
    "/usr/share/doc/libpq5/copyright": `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: PostgreSQL

Files: x
License: GPL-2+ with Autoconf exception or BSD-3-clause

Files: y
License: Custom-thing, Apache-2, Expat and public-domain
`,
    [`${SITE}/fastapi-0.115.0.dist-info/METADATA`]:
      "Name: fastapi\nVersion: 0.115.0\nClassifier: License :: OSI Approved :: MIT License\n\nText\n",
    [`${SITE}/cryptography-43.0.1.dist-info/METADATA`]:
      "Name: cryptography\nVersion: 43.0.1\nLicense: Apache-2.0 OR BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License\n\n",
    [`${SITE}/numpy-2.3.0.dist-info/METADATA`]:
      "Name: numpy\nVersion: 2.3.0\nLicense: UNKNOWN\nLicense-Expression: BSD-3-Clause AND 0BSD\n\n",
    [`${SITE}/odd-1.0.dist-info/METADATA`]: "Name: odd\nVersion: 1.0\nLicense: Our own, ask us\n\n",
    "/app/node_modules/@types/node/package.json":
      '{"name":"@types/node","version":"20.1.0","license":"(MIT OR CC0-1.0)"}',
    "/app/node_modules/old/package.json":
      '{"name":"old","version":"0.1.0","licenses":[{"type":"BSD","url":"x"}]}',
    "/app/node_modules/old/node_modules/bare/package.json": '{"name":"bare"}',
    "/app/node_modules/twice/package.json": '{"name":"twice","version":"1.0.0","license":"ISC"}',
    "/app/node_modules/old/node_modules/twice/package.json":
      '{"name":"twice","version":"1.0.0","license":"ISC"}',
    "/usr/local/include/python3.11/patchlevel.h": '#define PY_VERSION              "3.11.9"\n',
    "/usr/local/include/node/node_version.h":
      "#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 11\n#define NODE_PATCH_VERSION 1\n",
  },
  {
    "/etc/os-release": "../usr/lib/os-release",
    "/usr/share/doc/libgcc-s1": "gcc-12-base",
  },
);

export const ALPINE = imageFiles({
  "/etc/os-release": 'ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n',
  "/lib/apk/db/installed": `C:Q1abc=
P:libssl3
V:3.3.2-r1
A:aarch64
L:Apache-2.0
o:openssl

P:busybox
V:1.36.1-r29
A:aarch64
L:GPL-2.0-only
o:busybox

P:ssl_client
V:1.36.1-r29
A:aarch64
L:GPL2 custom
o:busybox

P:old
V:1-r0
A:aarch64
L:MIT BSD-2-Clause
`,
});
