import type { ServiceReport } from "./report.js";
import { registryCount } from "./quantities.js";

/** A service's digest across its registries: one, with a remark on where it was seen, or several. */
export type DigestSummary =
  | { readonly kind: "none" }
  | { readonly kind: "one"; readonly digest: string; readonly remark: string | undefined }
  | { readonly kind: "differ"; readonly digests: readonly { digest: string; registries: string[] }[] };

/** Compares the digests seen in the registries. A registry whose digest is unknown is named, never counted as equal. */
export function digestSummary(service: ServiceReport): DigestSummary {
  const byDigest = new Map<string, string[]>();
  for (const { registry, digest } of service.registries) {
    if (digest !== undefined) byDigest.set(digest, [...(byDigest.get(digest) ?? []), registry]);
  }
  if (service.digest !== undefined && !byDigest.has(service.digest)) byDigest.set(service.digest, []);
  const [first, ...others] = byDigest;
  if (first === undefined) return { kind: "none" };
  if (others.length > 0) {
    return {
      kind: "differ",
      digests: [...byDigest].map(([digest, registries]) => ({ digest, registries })),
    };
  }
  return { kind: "one", digest: first[0], remark: remark(service, first[1]) };
}

function remark(service: ServiceReport, seenIn: readonly string[]): string | undefined {
  const all = service.registries.length;
  if (all === 0) return undefined;
  if (seenIn.length === 0) return "not seen in any registry";
  if (seenIn.length === all)
    return all === 1 ? `in ${seenIn.join("")}` : `the same in all ${registryCount(all)}`;
  const missing = service.registries.map(({ registry }) => registry).filter((name) => !seenIn.includes(name));
  return `in ${seenIn.length} of ${registryCount(all)}; not seen in ${missing.join(", ")}`;
}
