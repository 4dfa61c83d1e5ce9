import { bundleFromJSON, type Bundle } from "@sigstore/bundle";
import { toSignedEntity } from "@sigstore/verify";
import { isTgoError } from "@tgo/errors";
import { payloadOf } from "../bundle.js";
import { parseStatement, type Statement } from "../statement.js";
import type { Trust } from "./trust.js";
import type { TrustedIdentity } from "./trust-policy.js";

/** Why a bundle does not count. Stable, for programs. */
export type Distrust =
  /** It is no bundle that can be read. */
  | "malformed"
  /** It was changed after it was signed, or the signature is of something else. */
  | "tampered"
  /** A key or an identity that the policy does not name. */
  | "unknown signer"
  | "revoked key"
  | "expired key"
  /** The certificate, its log entry or its time does not hold. */
  | "untrusted certificate"
  /** An identity signed it, and there is no trusted root to verify that with. */
  | "no trusted root";

/** Whether a bundle counts, and who says it. */
export type Verdict =
  | {
      readonly trusted: true;
      /** Who signed: "key release", "identity https://github.com/…". */
      readonly signer: string;
      readonly statement: Statement;
    }
  | { readonly trusted: false; readonly distrust: Distrust; readonly reason: string };

type Refusal = Extract<Verdict, { trusted: false }>;

/** Verifies a bundle's signature under a trust policy, without a network. Never throws for what is in the bundle. */
export function verifyBundle(bytes: Uint8Array, trust: Trust): Verdict {
  try {
    const statement = parseStatement(payloadOf(bytes));
    const bundle = bundleFromJSON(JSON.parse(new TextDecoder().decode(bytes)));
    const signer =
      bundle.verificationMaterial.content.$case === "publicKey"
        ? verifyKey(bundle, bundle.verificationMaterial.content.publicKey.hint, trust)
        : verifyIdentity(bundle, trust);
    return typeof signer === "string" ? { trusted: true, signer, statement } : signer;
  } catch (error) {
    const reason = isTgoError(error) ? error.what : "the Sigstore bundle cannot be read";
    return refuse("malformed", reason);
  }
}

/** A trusted key's signature is verified with nothing but the key: it needs no log and no clock of others. */
function verifyKey(bundle: Bundle, hint: string, trust: Trust): string | Refusal {
  const { signature } = toSignedEntity(bundle);
  // Other tools leave the hint out, or name keys in other ways.
  const known = trust.keys.find((key) => key.hint === hint);
  const signing = known ?? trust.keys.find(({ key }) => signature.verifySignature(key));
  if (signing === undefined)
    return refuse(
      "unknown signer",
      `it is signed by a key that is not trusted (${hint.slice(0, 12) || "unnamed"})`,
    );
  const refusal = refusalOfKey(signing, trust);
  if (refusal !== undefined) return refusal;
  if (!signature.verifySignature(signing.key))
    return refuse("tampered", `its content is not what the key ${signing.name} signed`);
  return `key ${signing.name}`;
}

/** Why the signatures of a key that the policy names do not count. */
export function refusalOfKey(
  { name, revoked, expires }: Trust["keys"][number],
  { now }: Pick<Trust, "now">,
): Refusal | undefined {
  if (revoked === true) return refuse("revoked key", `it is signed by the revoked key ${name}`);
  if (expires === undefined || Date.parse(expires) > now().getTime()) return undefined;
  return refuse("expired key", `it is signed by the key ${name}, which expired at ${expires}`);
}

function verifyIdentity(bundle: Bundle, trust: Trust): string | Refusal {
  const { verifier, identities } = trust;
  if (verifier === undefined)
    return refuse("no trusted root", "an identity signed it, and --trusted-root is missing to verify that");
  const entity = toSignedEntity(bundle);
  try {
    const { identity = {} } = verifier.verify(entity);
    const { subjectAlternativeName: subject = "", extensions: { issuer = "" } = {} } = identity;
    const known = identities.some((each) => each.issuer === issuer && matches(each, subject));
    if (!known)
      return refuse("unknown signer", `it is signed by ${subject} of ${issuer}, which is not trusted`);
    return `identity ${subject}`;
  } catch (error) {
    return explain(error, bundle, trust);
  }
}

const NEWER_ROOT = "fetch a newer one, or the site's own";

/** What the library says in its terms. */
function explain(error: unknown, bundle: Bundle, { root, now: clock }: Trust): Refusal {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "SIGNATURE_ERROR") return refuse("tampered", "its content is not what the identity signed");
  if (code === "TLOG_BODY_ERROR") return refuse("tampered", "Rekor logged another signature than this one");
  const [entry] = bundle.verificationMaterial.tlogEntries;
  const logged = new Date(Number(entry?.integratedTime ?? 0) * 1000);
  if (root !== undefined && logged > root.ends)
    return refuse(
      "untrusted certificate",
      `it was logged at ${logged.toISOString()}, and the trusted root ended at ${root.ends.toISOString()}: ${NEWER_ROOT}`,
    );
  const log = entry?.logId.keyId.toString("base64");
  if (root !== undefined && log !== undefined && !root.logs.has(log))
    return refuse(
      "untrusted certificate",
      `it is in a log that the trusted root does not know (${log.slice(0, 12)}): ${NEWER_ROOT}`,
    );
  if (code === "CERTIFICATE_ERROR") {
    const now = clock();
    const ahead = logged.getTime() - now.getTime() > 5 * 60_000;
    return refuse(
      "untrusted certificate",
      `its certificate was not valid at ${logged.toISOString()}, when it was logged, or is not of a trusted Fulcio` +
        (ahead ? `; this machine's clock says ${now.toISOString()}, and is behind` : ""),
    );
  }
  if (code.startsWith("TLOG") || code === "TIMESTAMP_ERROR")
    return refuse("untrusted certificate", "no trusted log shows when it was signed");
  return refuse("untrusted certificate", "its certificate cannot be verified");
}

function matches({ subject }: TrustedIdentity, found: string): boolean {
  const parts = subject.split("*");
  if (parts.length === 1) return found === subject;
  const [first = "", ...rest] = parts;
  const last = rest.pop() ?? "";
  if (!found.startsWith(first) || !found.endsWith(last) || found.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of rest) {
    const next = found.indexOf(part, at);
    if (next === -1) return false;
    at = next + part.length;
  }
  return at <= found.length - last.length;
}

function refuse(distrust: Distrust, reason: string): Refusal {
  return { trusted: false, distrust, reason };
}
