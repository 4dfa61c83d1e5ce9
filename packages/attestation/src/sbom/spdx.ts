import { createHash } from "node:crypto";
import type { Bill, Component, License } from "./bill.js";
import { isLicenseId } from "./licenses.js";
import { imagePurl } from "./purl.js";

/** SPDX requires a time; an image without one gets that which readers recognize as unknown. */
const UNKNOWN_TIME = "1980-01-01T00:00:00Z";
const NONE = "NOASSERTION";

/**
 * A bill as SPDX 2.3. Its namespace is derived from the image's digest, and its time is the image's.
 * @see https://github.com/spdx/spdx-spec/blob/v2.3/schemas/spdx-schema.json
 */
export function spdx({ subject, distribution, components }: Bill): object {
  const { name, version, digest, platform, created = UNKNOWN_TIME } = subject;
  const references = new LicenseReferences();
  const image = {
    SPDXID: "SPDXRef-Image",
    name,
    versionInfo: version ?? digest,
    downloadLocation: NONE,
    filesAnalyzed: false,
    primaryPackagePurpose: "CONTAINER",
    checksums: [{ algorithm: "SHA256", checksumValue: digest.slice("sha256:".length) }],
    ...licenseFields(undefined, references),
    externalRefs: [purlReference(imagePurl(name, digest, platform))],
  };
  const system = distribution && {
    SPDXID: "SPDXRef-OperatingSystem",
    name: distribution.id,
    ...(distribution.versionId === "" ? {} : { versionInfo: distribution.versionId }),
    summary: distribution.prettyName,
    downloadLocation: NONE,
    filesAnalyzed: false,
    primaryPackagePurpose: "OPERATING_SYSTEM",
    ...licenseFields(undefined, references),
  };
  const packages = [
    ...(system === undefined ? [] : [system]),
    ...components.map((component) => packageJson(component, references)),
  ];
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${name} ${platform}`,
    documentNamespace: `https://github.com/tgoai/tgo-pipelines/spdx/${digest.replace(":", "-")}`,
    creationInfo: { created, creators: ["Tool: tgo"] },
    documentDescribes: [image.SPDXID],
    packages: [image, ...packages],
    ...references.field(),
    relationships: [
      {
        spdxElementId: "SPDXRef-DOCUMENT",
        relationshipType: "DESCRIBES",
        relatedSpdxElement: image.SPDXID,
      },
      ...packages.map(({ SPDXID }) => ({
        spdxElementId: image.SPDXID,
        relationshipType: "CONTAINS",
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
}

function packageJson(
  { name, version, purl, cpe, license, hashes, locations }: Component,
  references: LicenseReferences,
): { readonly SPDXID: string } & Readonly<Record<string, unknown>> {
  const id = createHash("sha256").update(purl).digest("hex").slice(0, 16);
  return {
    SPDXID: `SPDXRef-Package-${id}`,
    name,
    ...(version === "" ? {} : { versionInfo: version }),
    downloadLocation: NONE,
    filesAnalyzed: false,
    sourceInfo: `found in ${locations.join(", ")}`,
    ...(hashes.length === 0
      ? {}
      : {
          checksums: hashes.map(({ algorithm, value }) => ({
            algorithm: algorithm.replace("-", ""),
            checksumValue: value,
          })),
        }),
    ...licenseFields(license, references),
    externalRefs: [
      ...(cpe === undefined
        ? []
        : [{ referenceCategory: "SECURITY", referenceType: "cpe23Type", referenceLocator: cpe }]),
      purlReference(purl),
    ],
  };
}

function purlReference(purl: string): object {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl };
}

/** What a package declares is no conclusion of ours. */
function licenseFields(license: License | undefined, references: LicenseReferences): object {
  return {
    licenseConcluded: NONE,
    licenseDeclared: license === undefined ? NONE : references.expression(license),
    copyrightText: NONE,
  };
}

/** Names of licences that SPDX does not list: an expression refers to them by `LicenseRef-`. */
class LicenseReferences {
  readonly #names = new Map<string, string>();

  expression(license: License): string {
    if ("expression" in license) return license.expression;
    return license.names.map((name) => (isLicenseId(name) ? name : this.#reference(name))).join(" AND ");
  }

  field(): object {
    if (this.#names.size === 0) return {};
    const all = [...this.#names].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      hasExtractedLicensingInfos: all.map(([licenseId, name]) => ({
        licenseId,
        name,
        extractedText: name,
      })),
    };
  }

  /** Two names that differ only in what an identifier may not have get different ones. */
  #reference(name: string): string {
    const plain = name.replaceAll(/[^A-Za-z0-9.-]+/g, "-").replaceAll(/^-+|-+$/g, "");
    const isPlain = plain === name;
    const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
    const id = `LicenseRef-${isPlain ? plain : `${plain}-${hash}`}`;
    this.#names.set(id, name);
    return id;
  }
}
