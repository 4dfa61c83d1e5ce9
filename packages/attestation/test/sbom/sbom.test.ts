import { isBillFile } from "@tgo/image";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import type { Bill, BillSubject, LockedPackage } from "../../src/sbom/bill.js";
import { cycloneDx } from "../../src/sbom/cyclonedx.js";
import { readBill } from "../../src/sbom/read-bill.js";
import { spdx } from "../../src/sbom/spdx.js";
import { ALPINE, DEBIAN, imageFiles } from "./bill-files.js";

const SUBJECT: BillSubject = {
  name: "tgo-api",
  digest: `sha256:${"0123456789abcdef".repeat(4)}`,
  platform: "linux/arm64",
  version: "1.2.3",
  created: "2026-01-02T03:04:05Z",
};

const LOCKED: LockedPackage[] = [
  {
    name: "vue",
    version: "3.5.0",
    lock: "yarn.lock",
    integrity: `sha512-${Buffer.alloc(64, 1).toString("base64")} sha1-${Buffer.alloc(20, 2).toString("base64")}`,
  },
];

const BILLS: Readonly<Record<string, Bill>> = {
  Debian: readBill(SUBJECT, DEBIAN, LOCKED),
  Alpine: readBill(SUBJECT, ALPINE),
  "an image without anything": readBill(
    { ...SUBJECT, version: undefined, created: undefined },
    imageFiles({}),
  ),
};

function licenses({ components }: Bill): Record<string, unknown> {
  return Object.fromEntries(
    components.map(({ name, license }) => [
      name,
      license && ("names" in license ? license.names : license.expression),
    ]),
  );
}

describe("a bill of materials", () => {
  test("has packages of every kind by their package URLs, each once", () => {
    expect(BILLS.Debian?.components.map(({ purl }) => purl)).toEqual([
      "pkg:deb/debian/gcc-12-base@12.2.0-14%2Bdeb12u1?arch=arm64&distro=debian-12&upstream=gcc-12",
      "pkg:deb/debian/libgcc-s1@12.2.0-14%2Bdeb12u1?arch=arm64&distro=debian-12&upstream=gcc-12",
      "pkg:deb/debian/libpq5@15.14-0%2Bdeb12u1?arch=arm64&distro=debian-12&upstream=postgresql-15",
      "pkg:deb/debian/login@1:4.13%2Bdfsg1-1%2Bdeb12u1?arch=arm64&distro=debian-12&upstream=shadow%401%3A4.13%2Bdfsg1-1",
      "pkg:generic/node@20.11.1",
      "pkg:generic/python@3.11.9",
      "pkg:npm/%40types/node@20.1.0",
      "pkg:npm/bare",
      "pkg:npm/old@0.1.0",
      "pkg:npm/twice@1.0.0",
      "pkg:npm/vue@3.5.0",
      "pkg:pypi/cryptography@43.0.1",
      "pkg:pypi/fastapi@0.115.0",
      "pkg:pypi/numpy@2.3.0",
      "pkg:pypi/odd@1.0",
    ]);
    expect(BILLS.Alpine?.components.map(({ purl }) => purl)).toEqual([
      "pkg:apk/alpine/busybox@1.36.1-r29?arch=aarch64&distro=alpine-3.20.3",
      "pkg:apk/alpine/libssl3@3.3.2-r1?arch=aarch64&distro=alpine-3.20.3&upstream=openssl",
      "pkg:apk/alpine/old@1-r0?arch=aarch64&distro=alpine-3.20.3",
      "pkg:apk/alpine/ssl_client@1.36.1-r29?arch=aarch64&distro=alpine-3.20.3&upstream=busybox",
    ]);
  });

  test("has licences as SPDX expressions, and what SPDX does not list by name", () => {
    expect(licenses(BILLS.Debian as Bill)).toEqual({
      "gcc-12-base": ["Apache-2.0", "GPL-3"],
      "libgcc-s1": ["Apache-2.0", "GPL-3"],
      libpq5: [
        "Apache-2.0",
        "BSD-3-Clause",
        "Custom-thing",
        "GPL-2.0-or-later",
        "MIT",
        "PostgreSQL",
        "public-domain",
      ],
      login: undefined,
      node: "MIT",
      python: "PSF-2.0",
      "@types/node": "(MIT OR CC0-1.0)",
      bare: undefined,
      old: ["BSD"],
      twice: "ISC",
      vue: undefined,
      cryptography: "Apache-2.0 OR BSD-3-Clause",
      fastapi: "MIT",
      numpy: "BSD-3-Clause AND 0BSD",
      odd: ["Our own, ask us"],
    });
    expect(licenses(BILLS.Alpine as Bill)).toEqual({
      busybox: "GPL-2.0-only",
      libssl3: "Apache-2.0",
      old: ["BSD-2-Clause", "MIT"],
      ssl_client: ["GPL2 custom"],
    });
  });

  test("says where a package is, and how a lock hashes it", () => {
    const of = (name: string) => BILLS.Debian?.components.find((component) => component.name === name);
    expect(of("twice")?.locations).toEqual([
      "/app/node_modules/old/node_modules/twice",
      "/app/node_modules/twice",
    ]);
    expect(of("vue")).toMatchObject({
      locations: ["yarn.lock"],
      hashes: [
        { algorithm: "SHA-512", value: "01".repeat(64) },
        { algorithm: "SHA-1", value: "02".repeat(20) },
      ],
    });
    expect(of("python")?.cpe).toBe("cpe:2.3:a:python:python:3.11.9:*:*:*:*:*:*:*");
  });

  test("is the same whatever order the layers give files in", () => {
    const reversed = new Map([...DEBIAN].reverse());
    const again = readBill(SUBJECT, reversed, LOCKED);
    expect(JSON.stringify(cycloneDx(again))).toBe(JSON.stringify(cycloneDx(BILLS.Debian as Bill)));
    expect(JSON.stringify(spdx(again))).toBe(JSON.stringify(spdx(BILLS.Debian as Bill)));
  });

  test("of an image without a time or version names neither", () => {
    const document = cycloneDx(BILLS["an image without anything"] as Bill);
    expect(document).toMatchObject({ metadata: { component: { version: SUBJECT.digest } } });
    expect(document).not.toHaveProperty("metadata.timestamp");
  });
});

const schema = (path: string): object => JSON.parse(readFileSync(path, "utf8")) as object;
const formats = {
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  uri: (text: string) => URL.canParse(text),
  "iri-reference": true,
  "idn-email": true,
  email: true,
} as const;
const ajv = new Ajv({ strict: false, allErrors: true, formats });
const library = join(
  dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json")),
  "res/schema",
);
for (const name of ["spdx", "jsf-0.82", "cryptography-defs"]) {
  const path = join(library, `${name}.SNAPSHOT.schema.json`);
  ajv.addSchema(schema(path), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
}
const isCycloneDx = ajv.compile(schema(join(library, "bom-1.6.SNAPSHOT.schema.json")));
/** The structure that SPDX 2.3 documents have in JSON, without the specification's texts. */
const isSpdx = ajv.compile(schema(join(import.meta.dirname, "../schemas/spdx-2.3.schema.json")));

describe.each(Object.entries(BILLS))("the documents of %s", (_, bill) => {
  test("match the schemas of CycloneDX 1.6 and SPDX 2.3", () => {
    isCycloneDx(cycloneDx(bill));
    expect(isCycloneDx.errors).toBeNull();
    isSpdx(spdx(bill));
    expect(isSpdx.errors).toBeNull();
  });

  test("are about the platform's manifest", () => {
    const hex = SUBJECT.digest.slice("sha256:".length);
    expect(cycloneDx(bill)).toMatchObject({
      serialNumber: "urn:uuid:01234567-89ab-8def-8123-456789abcdef",
      metadata: { component: { type: "container", hashes: [{ alg: "SHA-256", content: hex }] } },
    });
    expect(spdx(bill)).toMatchObject({
      packages: expect.arrayContaining([
        expect.objectContaining({ checksums: [{ algorithm: "SHA256", checksumValue: hex }] }),
      ]) as unknown,
    });
  });

  test("refer only to what they define", () => {
    const {
      packages,
      relationships,
      hasExtractedLicensingInfos = [],
    } = spdx(bill) as {
      packages: { SPDXID: string; licenseDeclared: string }[];
      relationships: { relatedSpdxElement: string }[];
      hasExtractedLicensingInfos?: { licenseId: string }[];
    };
    const ids = packages.map(({ SPDXID }) => SPDXID);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(relationships.map(({ relatedSpdxElement }) => relatedSpdxElement))).toEqual(new Set(ids));
    const used = packages.flatMap(
      ({ licenseDeclared }) => licenseDeclared.match(/LicenseRef-[\w.-]+/g) ?? [],
    );
    expect(new Set(used)).toEqual(new Set(hasExtractedLicensingInfos.map(({ licenseId }) => licenseId)));
  });
});

test("the schemas refuse documents that are none", () => {
  expect(isCycloneDx({ ...cycloneDx(BILLS.Debian as Bill), serialNumber: "1" })).toBe(false);
  expect(isSpdx({ ...spdx(BILLS.Debian as Bill), creationInfo: {} })).toBe(false);
});

test.each([
  ["/etc/os-release", true],
  ["/usr/share/doc/libc6/copyright", true],
  ["/usr/share/doc/libc6/changelog.gz", false],
  ["/usr/local/include/python3.12/patchlevel.h", true],
  ["/usr/include/stdio.h", false],
  ["/var/lib/dpkg/status", true],
  ["/var/lib/dpkg/info/libc6.list", false],
  ["/app/main.py", false],
])("a bill needs %s: %s", (path, needed) => {
  expect(isBillFile(path)).toBe(needed);
});
