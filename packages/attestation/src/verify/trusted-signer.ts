import { TgoError } from "@tgo/errors";
import { readPublicKey, keyHint } from "../p256-key.js";
import type { Signer } from "../sign/signer.js";
import type { Trust } from "./trust.js";
import { refusalOfKey, verifyBundle } from "./verify-bundle.js";

/**
 * A signer as the policy sees it: what it would sign in vain is refused, a key before anything is built, an identity with
 * its first certificate.
 * @param isNamed whether the policy must name the signer; otherwise only revoked and expired keys are refused
 * @throws TgoError USAGE
 */
export function trustedSigner(signer: Signer, trust: Trust, isNamed: boolean): Signer {
  if (signer.publicKey === undefined) return isNamed ? trustedIdentity(signer, trust) : signer;
  const hint = keyHint(readPublicKey(signer.publicKey, signer.name));
  const known = trust.keys.find((key) => key.hint === hint);
  const refusal = known && refusalOfKey(known, trust);
  if (refusal !== undefined) throw refused(signer, refusal.reason.replace(/^it is signed by/, "it is"));
  if (known === undefined && isNamed) throw refused(signer, "it is none of the policy's keys");
  return signer;
}

/** Only its certificate says who it is. */
function trustedIdentity(signer: Signer, trust: Trust): Signer {
  if (trust.identities.length === 0) throw refused(signer, "the policy names keys only");
  return {
    ...signer,
    sign: async (statement) => {
      const bundle = await signer.sign(statement);
      const verdict = verifyBundle(bundle, trust);
      if (verdict.trusted || verdict.distrust === "no trusted root") return bundle;
      throw refused(signer, verdict.reason);
    },
  };
}

function refused({ name }: Signer, reason: string): TgoError {
  return new TgoError("USAGE", `the signatures of ${name} do not count: ${reason}`, {
    where: "signatures",
    remedy:
      "Sign with a key or an identity that the catalog's signatures name, or name this one there: whoever verifies reads the same.",
  });
}
