import { X509Certificate, type KeyObject } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { TrustedRoot, type CertificateAuthority } from "@sigstore/protobuf-specs";
import { toTrustMaterial, Verifier } from "@sigstore/verify";
import { keyHint, readPublicKey } from "../p256-key.js";
import type { TrustedIdentity, TrustedKey, TrustPolicy } from "./trust-policy.js";

/** A trust policy that was read. */
export interface Trust {
  readonly keys: readonly (TrustedKey & { readonly key: KeyObject; readonly hint: string })[];
  readonly identities: readonly TrustedIdentity[];
  /** Undefined without a trusted root. */
  readonly verifier: Verifier | undefined;
  /** Of the trusted root, to name what it does not know. */
  readonly root?: RootFacts;
  readonly now: () => Date;
}

export interface RootFacts {
  /** When its last certificate authority ends: what was signed later needs a newer root. */
  readonly ends: Date;
  /** Ids of the logs that it knows, in base64. */
  readonly logs: ReadonlySet<string>;
}

/** @throws TgoError USAGE for a key, a date or a trusted root that cannot be read */
export function readTrust({ keys, identities, trustedRoot, now = () => new Date() }: TrustPolicy): Trust {
  const common = { keys: keys.map(readKey), identities, now };
  return trustedRoot === undefined
    ? { ...common, verifier: undefined }
    : { ...common, ...readRoot(trustedRoot) };
}

function readKey(trusted: TrustedKey): Trust["keys"][number] {
  const where = `trusted key ${trusted.name}`;
  if (trusted.expires !== undefined && Number.isNaN(Date.parse(trusted.expires)))
    throw new TgoError("USAGE", `"${trusted.expires}" is not a date`, { where });
  const key = readPublicKey(trusted.pem, where);
  return { ...trusted, key, hint: keyHint(key) };
}

function readRoot(trustedRoot: string): Required<Pick<Trust, "verifier" | "root">> {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(trustedRoot));
    if (root.certificateAuthorities.length === 0) throw new Error("no certificate authority");
    // An identity's key exists for minutes: only a logged time shows that its certificate was valid.
    const verifier = new Verifier(toTrustMaterial(root), {
      tlogThreshold: 1,
      ctlogThreshold: root.ctlogs.length === 0 ? 0 : 1,
      timestampThreshold: 1,
    });
    const ends = new Date(Math.max(...root.certificateAuthorities.map(endOf)));
    const logs = root.tlogs.flatMap(({ logId }) => logId?.keyId.toString("base64") ?? []);
    return { verifier, root: { ends, logs: new Set(logs) } };
  } catch {
    throw new TgoError("USAGE", "it is no trusted root of Sigstore", {
      where: "--trusted-root",
      remedy: "Get one: cosign trusted-root create --with-default-services --out trusted_root.json",
    });
  }
}

/** In milliseconds; never later than its certificates. */
function endOf({ validFor, certChain }: CertificateAuthority): number {
  const certificates = certChain?.certificates ?? [];
  const ends = certificates.map(({ rawBytes }) => Date.parse(new X509Certificate(rawBytes).validTo));
  return Math.min(validFor?.end?.getTime() ?? Infinity, ...ends);
}
