import { TgoError } from "@tgo/errors";
import { canonicalJson, type Descriptor, isDigest } from "@tgo/registry";
import * as v from "@tgo/schemas";

/** The payload type of a DSSE envelope around a statement. https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md */
export const IN_TOTO_PAYLOAD = "application/vnd.in-toto+json";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

/** What is said of one manifest: of an index, or of one platform's image. */
export interface Attestation {
  /** The manifest it is about. */
  readonly subject: Descriptor;
  /** A URI that says what the predicate is, such as https://slsa.dev/provenance/v1. */
  readonly predicateType: string;
  /**
   * JSON. The same image must give the same bytes: no clock, no invocation id. Undefined where nothing is to be signed:
   * then only a bundle that is found is carried on.
   */
  readonly predicate: unknown;
  /** Computes the predicate in its place, where that takes time: called only to sign it. */
  readonly compute?: () => Promise<unknown>;
  /** Whether an image is complete without it. */
  readonly optional?: boolean;
  /** Whether a bundle with this predicate stands for it; every one of its type when absent. */
  readonly isSame?: (predicate: unknown) => boolean;
}

/** An in-toto statement, as far as it is read. https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export interface Statement {
  /** Digests of the manifests it is about, such as sha256:…; one in ours. */
  readonly subjects: readonly string[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

const StatementJson = v.object({
  _type: v.picklist([STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1"]),
  subject: v.array(v.object({ digest: v.record(v.string(), v.string()) })),
  predicateType: v.string(),
  predicate: v.optional(v.unknown()),
});

/**
 * The statement's text, canonical JSON. The subject has no name: the same statement is in every registry, under each
 * registry's own name of the repository.
 */
export function statementBytes({ subject, predicateType, predicate }: Attestation): Uint8Array<ArrayBuffer> {
  const [algorithm = "", hex = ""] = subject.digest.split(":");
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ digest: { [algorithm]: hex } }],
    predicateType,
    predicate,
  };
  return new TextEncoder().encode(canonicalJson(statement));
}

/** @throws TgoError VERIFY when the bytes are no statement */
export function parseStatement(bytes: Uint8Array): Statement {
  const json = v.outputOf(StatementJson, jsonOf(bytes));
  if (json === undefined) throw new TgoError("VERIFY", "what is signed is no in-toto statement");
  const digests = json.subject.flatMap(({ digest }) => Object.entries(digest));
  return {
    subjects: digests.map(([algorithm, hex]) => `${algorithm}:${hex}`).filter(isDigest),
    predicateType: json.predicateType,
    predicate: json.predicate,
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
