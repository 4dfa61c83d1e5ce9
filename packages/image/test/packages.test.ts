import { describe, expect, test } from "vitest";
import { packageFileKind, readPackages, type PackageInventory } from "../src/index.js";

function inventory(files: Readonly<Record<string, string>>): PackageInventory {
  return readPackages(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)] as const));
}

const STATUS = `Package: libpq5
Status: install ok installed
Multi-Arch: same
Architecture: arm64
Source: postgresql-15
Version: 15.14-0+deb12u1
Description: PostgreSQL C client library
 Package: not-a-package
 .
 Version: 1

Package: curl
Status: install ok half-configured
Architecture: arm64
Version: 7.88.1-10+deb12u14

Package: removed
Status: deinstall ok config-files
Architecture: arm64
Version: 1.0

Package: gone
Status: purge ok not-installed
`;

describe("dpkg", () => {
  test("lists what has files, and whose a file is", () => {
    const { packages, ownerOf } = bound({
      "/var/lib/dpkg/status": STATUS,
      "/var/lib/dpkg/info/libpq5:arm64.list":
        "/.\n/usr\n/usr/lib/aarch64-linux-gnu\n/usr/lib/aarch64-linux-gnu/libpq.so.5.15\n",
      "/var/lib/dpkg/info/curl.list": "/.\n/usr/bin/curl\n/lib/curl/x\n",
      "/var/lib/dpkg/info/curl.md5sums": "0123456789abcdef0123456789abcdef  usr/bin/other\n",
    });
    expect(packages.map(({ files, ...found }) => ({ ...found, files: files?.length }))).toEqual([
      {
        kind: "dpkg",
        name: "curl",
        version: "7.88.1-10+deb12u14",
        architecture: "arm64",
        location: "/var/lib/dpkg/status",
        files: 2,
      },
      {
        kind: "dpkg",
        name: "libpq5",
        version: "15.14-0+deb12u1",
        architecture: "arm64",
        source: { name: "postgresql-15", version: "15.14-0+deb12u1" },
        location: "/var/lib/dpkg/status",
        files: 3,
      },
    ]);
    expect(ownerOf("/usr/lib/aarch64-linux-gnu/libpq.so.5.15")?.name).toBe("libpq5");
    expect(ownerOf("/usr/bin/curl")?.name).toBe("curl");
    expect(ownerOf("/usr/lib/curl/x")?.name).toBe("curl");
    expect(ownerOf("/usr/bin/other")).toBeUndefined();
  });

  test("of distroless has a file for each package", () => {
    const { packages, ownerOf } = bound({
      "/var/lib/dpkg/status.d/libc6": "Package: libc6\nVersion: 2.36-9+deb12u10\nArchitecture: amd64\n",
      "/var/lib/dpkg/status.d/libc6.md5sums":
        "0123456789abcdef0123456789abcdef  lib/x86_64-linux-gnu/libc.so.6\n",
    });
    expect(packages).toMatchObject([{ kind: "dpkg", name: "libc6", version: "2.36-9+deb12u10" }]);
    expect(ownerOf("/lib/x86_64-linux-gnu/libc.so.6")?.name).toBe("libc6");
  });
});

test("apk lists packages with their files", () => {
  const { packages, ownerOf } = bound({
    "/lib/apk/db/installed": `C:Q1abc=
P:musl
V:1.2.5-r9
A:aarch64
F:lib
R:ld-musl-aarch64.so.1
Z:Q1xyz=
F:
R:at-the-root

P:busybox
V:1.37.0-r12
A:aarch64
F:bin
R:busybox`,
  });
  expect(packages).toMatchObject([
    { kind: "apk", name: "busybox", version: "1.37.0-r12", files: ["/bin/busybox"] },
    {
      kind: "apk",
      name: "musl",
      architecture: "aarch64",
      files: ["/lib/ld-musl-aarch64.so.1", "/at-the-root"],
    },
  ]);
  expect(ownerOf("/lib/ld-musl-aarch64.so.1")?.name).toBe("musl");
});

test("Python distributions have normalized names, and own what their RECORD lists", () => {
  const site = "/usr/local/lib/python3.11/site-packages";
  const { packages, ownerOf } = bound({
    [`${site}/SQLAlchemy-2.0.36.dist-info/METADATA`]:
      "Metadata-Version: 2.1\r\nName: SQLAlchemy\r\nVersion: 2.0.36\r\n\r\nName: other\r\n",
    [`${site}/SQLAlchemy-2.0.36.dist-info/RECORD`]:
      '../../../bin/tool,sha256=x,1\n"sqlalchemy/a,b ""c"".py",,\nsqlalchemy/__init__.py,sha256=y,2\n',
    "/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info": "Name: zope.interface_x\nVersion: 6.0\n",
  });
  expect(packages).toMatchObject([
    { name: "sqlalchemy", version: "2.0.36", location: `${site}/SQLAlchemy-2.0.36.dist-info` },
    { name: "zope-interface-x", location: "/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info" },
  ]);
  expect(ownerOf("/usr/local/bin/tool")?.name).toBe("sqlalchemy");
  expect(ownerOf(`${site}/sqlalchemy/a,b "c".py`)?.name).toBe("sqlalchemy");
});

test("Node packages own their folders, and only those in node_modules are packages", () => {
  const { packages, ownerOf } = bound({
    "/app/package.json": '{"name":"app","version":"1.0.0"}',
    "/app/node_modules/a/package.json": '{"name":"a","version":"1.0.0"}',
    "/app/node_modules/a/dist/package.json": '{"type":"module"}',
    "/app/node_modules/a/node_modules/@s/b/package.json": '{"name":"@s/b","version":"2.0.0"}',
    "/app/node_modules/alias/package.json": '{"name":"real","version":3}',
    "/app/node_modules/.bin/package.json": '{"name":"x"}',
    "/app/node_modules/broken/package.json": "{",
    "/app/node_modules/list/package.json": "[]",
  });
  expect(packages.map(({ name, version }) => `${name}@${version}`)).toEqual([
    "@s/b@2.0.0",
    "a@1.0.0",
    "real@",
  ]);
  expect(ownerOf("/app/node_modules/a/node_modules/@s/b/build/b.node")?.name).toBe("@s/b");
  expect(ownerOf("/app/node_modules/a/a.node")?.name).toBe("a");
  expect(ownerOf("/app/other")).toBeUndefined();
});

test("names with control characters, and too long ones, are no packages", () => {
  const { packages } = bound({
    "/var/lib/dpkg/status": `Package: a\u001B[31m\nVersion: 1\n\nPackage: b\nVersion: ${"1".repeat(300)}\n\nPackage: c\nVersion: 1\n`,
    "/lib/apk/db/installed": "P:\u0007\nV:1\n",
    "/node_modules/\u001Bx/package.json": "{}",
  });
  expect(packages.map(({ name }) => name)).toEqual(["c"]);
});

test.each([
  ["/var/lib/dpkg/status", "dpkg status"],
  ["/var/lib/dpkg/status-old", undefined],
  ["/var/lib/dpkg/info/libc6:amd64.list", "dpkg list"],
  ["/var/lib/dpkg/info/libc6.postinst", undefined],
  ["/usr/lib/apk/db/installed", "apk installed"],
  ["/x/lib/apk/db/installed", undefined],
  ["/x/a-1.dist-info/METADATA", "python metadata"],
  ["/x/METADATA", undefined],
  ["/x/a.egg-info/PKG-INFO", "python metadata"],
  ["/x/a-1.dist-info/RECORD", "python record"],
  ["/node_modules/x/package.json", "node package"],
  ["/node_modules/@x/package.json", undefined],
  ["/x/package.json", undefined],
])("%s is %s", (path, kind) => {
  expect(packageFileKind(path)).toBe(kind);
});

function bound(files: Readonly<Record<string, string>>): {
  packages: PackageInventory["packages"];
  ownerOf: PackageInventory["ownerOf"];
} {
  const found = inventory(files);
  return { packages: found.packages, ownerOf: (path) => found.ownerOf(path) };
}
