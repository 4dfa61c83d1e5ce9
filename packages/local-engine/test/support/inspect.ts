import { execFileSync } from "node:child_process";

export interface Manifest {
  readonly mediaType: string;
  readonly layers: readonly { digest: string; mediaType: string }[];
  readonly manifests: readonly { digest: string; platform: object; annotations?: object }[];
  readonly annotations?: Record<string, string>;
}

/** A published image's config and its manifest or index, as another tool reads them. */
export function inspect(reference: string): {
  config: Record<string, unknown> & { config: Record<string, unknown> };
  raw: Manifest;
} {
  const skopeo = (...args: string[]): string =>
    execFileSync("skopeo", ["inspect", "--tls-verify=false", ...args, `docker://${reference}`]).toString();
  return {
    config: JSON.parse(skopeo("--config", "--raw")) as never,
    raw: JSON.parse(skopeo("--raw")) as Manifest,
  };
}
