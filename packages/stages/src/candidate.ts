import { createHash } from "node:crypto";
import type { Platform, Service } from "@tgo/catalog";
import type { Source } from "./source.js";

/** Everything that can change a byte of an image. */
export interface CandidateInputs {
  readonly service: string;
  readonly definition: Service;
  readonly platforms: readonly Platform[];
  readonly source: Pick<Source, "hash" | "revision" | "created">;
  /** Digests the base images' tags stand for now, by reference. */
  readonly bases: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
  readonly pipeline: string;
  readonly version: string | undefined;
}

/** 16 hex digits: equal for equal inputs, on any machine. */
export function candidateKey(inputs: CandidateInputs): string {
  const facts = {
    ...inputs,
    source: {
      hash: inputs.source.hash,
      revision: inputs.source.revision,
      created: inputs.source.created.toISOString(),
    },
    version: inputs.version ?? "none",
  };
  return createHash("sha256").update(canonical(facts)).digest("hex").slice(0, 16);
}

export function candidateTag(key: string): string {
  return `candidate-${key}`;
}

export function stagingTag(key: string): string {
  return `staging-${key}`;
}

/** JSON with sorted keys: one text for one value. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
