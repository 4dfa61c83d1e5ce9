import type { InstalledPackage } from "@tgo/image";
import { PackageURL } from "packageurl-js";
import type { Distribution } from "./bill.js";

/**
 * The package URL of an installed package. Scanners find advisories of a distribution by `distro` and, as these are
 * about source packages, by `upstream`.
 * @see https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst
 */
export function purlOf(
  { kind, name, version, architecture, source }: InstalledPackage,
  distribution: Distribution | undefined,
): string {
  switch (kind) {
    case "python":
      return purl("pypi", undefined, name, version);
    case "node": {
      const [, scope, own = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
      return purl("npm", scope, own, version);
    }
    case "dpkg":
    case "apk": {
      const type = kind === "dpkg" ? "deb" : "apk";
      const { id, versionId } = distribution ?? { id: kind === "dpkg" ? "debian" : "alpine", versionId: "" };
      const isOther = source !== undefined && (source.name !== name || source.version !== version);
      return purl(type, id, name, version, {
        arch: architecture,
        distro: versionId === "" ? undefined : `${id}-${versionId}`,
        upstream: isOther ? upstreamOf(source, version) : undefined,
      });
    }
  }
}

function upstreamOf(source: { readonly name: string; readonly version: string }, version: string): string {
  return source.version === version ? source.name : `${source.name}@${source.version}`;
}

/** The package URL of an npm package. */
export function npmPurl(name: string, version: string): string {
  return purlOf({ kind: "node", name, version, location: "" }, undefined);
}

/**
 * The package URL of an image. Without its repository: the same image is in several registries.
 * @param digest `sha256:` and hex
 */
export function imagePurl(name: string, digest: string, platform: string): string {
  return purl("oci", undefined, name, digest, { arch: platform.split("/")[1] });
}

function purl(
  type: string,
  namespace: string | undefined,
  name: string,
  version: string,
  qualifiers: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(qualifiers).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const url = new PackageURL(
    type,
    namespace,
    name,
    version === "" ? undefined : version,
    given.length === 0 ? undefined : Object.fromEntries(given),
    undefined,
  );
  // The library leaves it in versions; the specification has no such exception, and scanners write it encoded.
  return url.toString().replaceAll("+", "%2B");
}
