import { createHash } from "node:crypto";
import type { Platform, Service } from "@tgo/catalog";
import type { Source } from "@tgo/builders";

/**
 * Everything that can change a byte of an image, or what was proven of it. Mirrors and credentials are no part of it:
 * they say where the same bytes come from.
 */
export interface CandidateInputs {
  readonly service: string;
  readonly definition: Service;
  readonly platforms: readonly Platform[];
  readonly source: Pick<Source, "hash" | "revision" | "created">;
  /** Digests the base images stand for, by reference: the lock's, else the tag's when this ran. */
  readonly bases: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
  readonly pipeline: string;
  readonly version: string | undefined;
}

/** 16 hex digits: equal for equal inputs, on any machine. */
export function candidateKey(inputs: CandidateInputs): string {
  const facts = {
    ...inputs,
    definition: essence(inputs.definition),
    source: {
      hash: inputs.source.hash,
      revision: inputs.source.revision,
      created: inputs.source.created.toISOString(),
    },
    version: inputs.version ?? "none",
  };
  return createHash("sha256").update(canonical(facts)).digest("hex").slice(0, 16);
}

/**
 * A definition without what changes neither the image nor its proof. `smoke` and `allowForeign` stay: what the runs
 * and checks saw is written into the index, and a candidate that was proven by less must not be taken for this one.
 */
function essence(definition: Service): unknown {
  // Where the source was found is not what it is; its repository is a label. A schema is for editors.
  return { ...definition, $schema: undefined, source: { repository: definition.source.repository } };
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
