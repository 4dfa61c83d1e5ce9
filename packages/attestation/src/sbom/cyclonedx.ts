import type { Bill, Component, License } from "./bill.js";
import { isLicenseId } from "./licenses.js";
import { imagePurl } from "./purl.js";

/**
 * A bill as CycloneDX 1.6. Its serial number is derived from the image's digest, and its time is the image's: the same
 * image gives the same document.
 * @see https://github.com/CycloneDX/specification/blob/1.6/schema/bom-1.6.schema.json
 */
export function cycloneDx({ subject, distribution, components }: Bill): object {
  const { name, version, digest, platform, created } = subject;
  const image = `image:${digest}`;
  const system = distribution && {
    "bom-ref": `os:${distribution.id}@${distribution.versionId}`,
    type: "operating-system",
    name: distribution.id,
    ...(distribution.versionId === "" ? {} : { version: distribution.versionId }),
    description: distribution.prettyName,
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(digest)}`,
    version: 1,
    metadata: {
      ...(created === undefined ? {} : { timestamp: created }),
      tools: { components: [{ type: "application", name: "tgo" }] },
      component: {
        "bom-ref": image,
        type: "container",
        name,
        version: version ?? digest,
        hashes: [{ alg: "SHA-256", content: digest.slice("sha256:".length) }],
        purl: imagePurl(name, digest, platform),
        properties: [{ name: "io.github.tgoai:platform", value: platform }],
      },
    },
    components: [...(system === undefined ? [] : [system]), ...components.map(componentJson)],
    dependencies: [
      {
        ref: image,
        dependsOn: [
          ...(system === undefined ? [] : [system["bom-ref"]]),
          ...components.map(({ purl }) => purl),
        ],
      },
    ],
  };
}

function componentJson({ name, version, purl, cpe, license, hashes, locations }: Component): object {
  const [group, own] = /^(@[^/]+)\/(.+)$/.exec(name)?.slice(1) ?? [];
  return {
    "bom-ref": purl,
    type: cpe === undefined ? "library" : "application",
    ...(group === undefined ? {} : { group }),
    name: own ?? name,
    ...(version === "" ? {} : { version }),
    ...(hashes.length === 0
      ? {}
      : { hashes: hashes.map(({ algorithm: alg, value: content }) => ({ alg, content })) }),
    ...(license === undefined ? {} : { licenses: licensesJson(license) }),
    ...(cpe === undefined ? {} : { cpe }),
    purl,
    evidence: { occurrences: locations.map((location) => ({ location })) },
  };
}

function licensesJson(license: License): object[] {
  if ("names" in license)
    return license.names.map((name) => ({ license: isLicenseId(name) ? { id: name } : { name } }));
  const { expression } = license;
  return [isLicenseId(expression) ? { license: { id: expression } } : { expression }];
}

/**
 * A UUID of version 8, for values that are derived in a way of one's own.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.8
 */
function uuidOf(digest: string): string {
  const hex = digest.slice("sha256:".length);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
