import { createHash } from "node:crypto";
import type { BuildInputs } from "@tgo/attestation";
import { isProxyArgument } from "@tgo/builders";
import { imageDefinition } from "./candidate-key.js";
import type { Prepared } from "./prepared.js";

/** Lock files that builds install from, in a service's folder. */
const LOCKS: ReadonlySet<string> = new Set([
  ...["poetry.lock", "uv.lock", "requirements.txt", "requirements.lock"],
  ...["yarn.lock", "package-lock.json", "pnpm-lock.yaml"],
]);

/** What a candidate's key hashes, in full: for provenance. */
export async function buildInputsOf({ request, key, bases, buildHash }: Prepared): Promise<BuildInputs> {
  const { name, service, platforms, source, values, version } = request;
  const { repository, path = `repos/${name}` } = service.source;
  const present = source.entries.map((entry) => entry.replace(/\/$/, "")).filter((entry) => LOCKS.has(entry));
  const locks = await Promise.all(
    present.map(async (entry) => {
      const text = await source.directory.file(entry).contents();
      return [entry, `sha256:${createHash("sha256").update(text).digest("hex")}`] as const;
    }),
  );
  return {
    service: name,
    definition: imageDefinition(service),
    platforms,
    source: {
      repository,
      path,
      revision: source.revision,
      hash: source.hash,
      created: source.created.toISOString(),
      locks: Object.fromEntries(locks),
    },
    bases,
    values: Object.fromEntries(Object.entries(values).filter(([value]) => !isProxyArgument(value))),
    version,
    buildHash,
    key,
  };
}
