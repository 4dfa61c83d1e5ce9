import type { KeyObject } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toTrustMaterial, Verifier } from "@sigstore/verify";
import { keyHint, readPublicKey } from "../p256-key.js";
import type { TrustedIdentity, TrustedKey, TrustPolicy } from "./trust-policy.js";

/** A trust policy that was read. */
export interface Trust {
  readonly keys: readonly (TrustedKey & { readonly key: KeyObject; readonly hint: string })[];
  readonly identities: readonly TrustedIdentity[];
  /** Undefined without a trusted root. */
  readonly verifier: Verifier | undefined;
  readonly now: () => Date;
}

/** @throws TgoError USAGE for a key, a date or a trusted root that cannot be read */
export function readTrust({ keys, identities, trustedRoot, now = () => new Date() }: TrustPolicy): Trust {
  return {
    keys: keys.map(readKey),
    identities,
    verifier: trustedRoot === undefined ? undefined : verifierOf(trustedRoot),
    now,
  };
}

function readKey(trusted: TrustedKey): Trust["keys"][number] {
  const where = `trusted key ${trusted.name}`;
  if (trusted.expires !== undefined && Number.isNaN(Date.parse(trusted.expires)))
    throw new TgoError("USAGE", `"${trusted.expires}" is not a date`, { where });
  const key = readPublicKey(trusted.pem, where);
  return { ...trusted, key, hint: keyHint(key) };
}

function verifierOf(trustedRoot: string): Verifier {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(trustedRoot));
    if (root.certificateAuthorities.length === 0) throw new Error("no certificate authority");
    // An identity's key exists for minutes: only a logged time shows that its certificate was valid.
    return new Verifier(toTrustMaterial(root), {
      tlogThreshold: 1,
      ctlogThreshold: root.ctlogs.length === 0 ? 0 : 1,
      timestampThreshold: 1,
    });
  } catch {
    throw new TgoError("USAGE", "it is no trusted root of Sigstore", {
      where: "--trusted-root",
      remedy: "Get one: cosign trusted-root create --with-default-services --out trusted_root.json",
    });
  }
}
