import { X509Certificate } from "node:crypto";

/**
 * The certificates of a PEM file: how many there are, and how many have expired.
 * @returns undefined if it has none that can be read
 */
export function countCertificates(
  pem: string,
  now = new Date(),
): { readonly certificates: number; readonly expired: number } | undefined {
  const blocks =
    pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  const dates = blocks.flatMap((block) => {
    try {
      return [new Date(new X509Certificate(block).validTo)];
    } catch {
      return [];
    }
  });
  if (dates.length === 0) return undefined;
  return { certificates: dates.length, expired: dates.filter((date) => date < now).length };
}
