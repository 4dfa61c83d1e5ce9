import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { IN_TOTO_PAYLOAD, parseStatement, type Statement } from "./statement.js";

/** What every Sigstore bundle's media type begins with, as cosign reads them. */
export const BUNDLE_TYPES = "application/vnd.dev.sigstore.bundle";
/** https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** The largest bundle that is read, in bytes: it may hold a whole SBOM. */
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

const BundleJson = v.object({
  dsseEnvelope: v.object({
    payload: v.string(),
    payloadType: v.string(),
    signatures: v.array(v.object({ sig: v.string() })),
  }),
});

/**
 * The statement in a bundle. Whoever wrote the bundle says it: only a verified signature makes it more than that.
 * @throws TgoError VERIFY when the bytes are no bundle around a statement
 */
export function statementOf(bundle: Uint8Array): Statement {
  return parseStatement(payloadOf(bundle));
}

/** @throws TgoError VERIFY when the bytes are no bundle with one signature around a statement */
export function payloadOf(bundle: Uint8Array): Uint8Array {
  const envelope = v.outputOf(BundleJson, jsonOf(bundle))?.dsseEnvelope;
  if (envelope === undefined) throw new TgoError("VERIFY", "it is no Sigstore bundle with a DSSE envelope");
  if (envelope.payloadType !== IN_TOTO_PAYLOAD)
    throw new TgoError("VERIFY", "what is signed is no in-toto statement");
  // Verifiers look at the first signature only: a second one would have no meaning.
  if (envelope.signatures.length !== 1)
    throw new TgoError("VERIFY", `the envelope has ${envelope.signatures.length} signatures, not one`);
  return Buffer.from(envelope.payload, "base64");
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
