import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { isProxyArgument, type Source } from "@tgo/builders";
import type { Platform, Service } from "@tgo/catalog";

/** Everything that can change a byte of an image. Mirrors, proxies and credentials cannot: the same bytes come from elsewhere. */
export interface CandidateInputs {
  readonly service: string;
  readonly definition: Service;
  readonly platforms: readonly Platform[];
  readonly source: Pick<Source, "hash" | "revision" | "created">;
  /** Digests of base images by reference: from the lock, else what the tag pointed to. */
  readonly bases: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
  /** Hash of the code that decides an image's bytes. */
  readonly buildHash: string;
  readonly version: string | undefined;
}

/** 16 hex digits: equal for equal inputs, on any machine. */
export function candidateKey(inputs: CandidateInputs): string {
  const { definition, source, version = "none", values, ...rest } = inputs;
  const { hash, revision, created } = source;
  const hashed = {
    ...rest,
    values: Object.fromEntries(Object.entries(values).filter(([name]) => !isProxyArgument(name))),
    definition: imageDefinition(definition),
    source: { hash, revision, created: created.toISOString() },
    version,
  };
  return createHash("sha256")
    .update(canonicalize(hashed) ?? "")
    .digest("hex")
    .slice(0, 16);
}

/** Parts of a definition that say how an image is tested or edited, and change none of its bytes. */
const NOT_IN_IMAGE: ReadonlySet<string> = new Set(["smoke", "allowForeign", "allowDifferences", "$schema"]);

/** The part of a definition that an image is built from. */
export function imageDefinition(definition: Service): unknown {
  const fields = Object.entries(definition).filter(([name]) => !NOT_IN_IMAGE.has(name));
  // How long it may take changes none of its bytes either.
  const build = Object.fromEntries(
    Object.entries(definition.build).filter(([name]) => name !== "timeoutSeconds"),
  );
  // The source is hashed by content, not by location; its repository becomes a label.
  return { ...Object.fromEntries(fields), build, source: { repository: definition.source.repository } };
}

export function candidateTag(key: string): string {
  return `candidate-${key}`;
}

export function stagingTag(key: string): string {
  return `staging-${key}`;
}
