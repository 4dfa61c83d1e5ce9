import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Source } from "@tgo/builders";
import type { Platform, Service } from "@tgo/catalog";

/**
 * Everything that can change a byte of an image. Mirrors and credentials are no part of it: they say where the same
 * bytes come from.
 */
export interface CandidateInputs {
  readonly service: string;
  readonly definition: Service;
  readonly platforms: readonly Platform[];
  readonly source: Pick<Source, "hash" | "revision" | "created">;
  /** Digests the base images stand for, by reference: the lock's, else the tag's when this ran. */
  readonly bases: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
  /** Hash of the code that decides an image's bytes. */
  readonly buildHash: string;
  readonly version: string | undefined;
}

/** 16 hex digits: equal for equal inputs, on any machine. */
export function candidateKey({ definition, source, version = "none", ...inputs }: CandidateInputs): string {
  const { hash, revision, created } = source;
  const hashed = {
    ...inputs,
    definition: imageDefinition(definition),
    source: { hash, revision, created: created.toISOString() },
    version,
  };
  return createHash("sha256")
    .update(canonicalize(hashed) ?? "")
    .digest("hex")
    .slice(0, 16);
}

/** The part of a definition that an image is made from: what is tested of it leaves its bytes alone. */
function imageDefinition(definition: Service): unknown {
  const { smoke: _smoke, allowForeign: _allowForeign, $schema: _schema, source, ...rest } = definition;
  // Where the source was found is not what it is; its repository is a label.
  return { ...rest, source: { repository: source.repository } };
}

export function candidateTag(key: string): string {
  return `candidate-${key}`;
}

export function stagingTag(key: string): string {
  return `staging-${key}`;
}
