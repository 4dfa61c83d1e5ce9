import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { isProxyArgument, type CompileMethod, type Source } from "@tgo/builders";
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

/** @param only the platform that is built alone */
export function stagingTag(key: string, only?: Platform): string {
  return only === undefined ? `staging-${key}` : `staging-${key}-${slugOf(only)}`;
}

/** The tag of one platform's image, built alone: it waits there for the others. */
export function variantTag(key: string, platform: Platform): string {
  return `variant-${key}-${slugOf(platform)}`;
}

/** A platform as tags have it: "linux-arm64". */
export function slugOf(platform: Platform): string {
  return platform.replaceAll("/", "-");
}

const NATIVE = "native";

/**
 * The key of one platform's image that was built alone. Compilers differ between machines: where packages were compiled,
 * the key says how, because a build of all platforms on one machine gives other bytes.
 */
export function variantKey(key: string, platform: Platform, compiled: CompileMethod | undefined): string {
  if (compiled === undefined) return key;
  const way = { natively: NATIVE, "cross-compiled": "cross", "under emulation": "emulated" }[compiled];
  return way === NATIVE ? `${key}-${NATIVE}` : `${key}-${way}-${platform.replace(/^.*\//, "")}`;
}

/** The key of a candidate that is assembled from images with these keys: the candidate's own, with or without a suffix. */
export function assembledKey(key: string, variants: readonly string[]): string {
  const ways = [...new Set(variants.filter((each) => each !== key))].map((each) =>
    each.slice(key.length + 1),
  );
  const others = ways.filter((way) => way !== NATIVE).sort();
  return [key, ...(others.length > 0 ? others : ways)].join("-");
}

/** Keys that an assembled candidate usually has. */
export function assembledKeys(key: string): readonly string[] {
  return [`${key}-${NATIVE}`, key];
}

/** The key of the inputs: without how packages were compiled. */
export function inputsKey(key: string): string {
  return key.replace(/^([0-9a-f]{16})-.*$/, "$1");
}
