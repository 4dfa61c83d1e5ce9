import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { FulcioSigner, RekorWitness, type Signature, type Signer as Key } from "@sigstore/sign";
import { TgoError, isTgoError } from "@tgo/errors";
import { readIdentityToken } from "./identity-token.js";
import { seal } from "./seal.js";
import type { Signer } from "./signer.js";

/** How an identity signs. */
export interface KeylessOptions {
  /** An OIDC token for the audience "sigstore". */
  readonly identityToken: string;
  /** Issues the certificate; https://fulcio.sigstore.dev when absent. */
  readonly fulcioUrl?: string;
  /** The transparency log; https://rekor.sigstore.dev when absent. */
  readonly rekorUrl?: string;
  readonly now?: () => Date;
}

/** Fulcio's certificates are valid for ten minutes: a new one is requested before that, in milliseconds. */
const RENEW_BEFORE_MS = 60_000;
const NETWORK = { retry: 2, timeout: 20_000 };

/**
 * Signs with a key that exists during this call only: Fulcio certifies that it belongs to the identity, and Rekor logs
 * each signature, which proves that it was made while the certificate was valid.
 * @throws TgoError USAGE for a token that cannot be used
 */
export function keylessSigner({
  identityToken,
  fulcioUrl,
  rekorUrl,
  now = () => new Date(),
}: KeylessOptions): Signer {
  const token = identityToken.trim();
  const claims = readIdentityToken(token, now());
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const own = (data: Buffer): Signature => ({
    signature: sign("sha256", data, privateKey),
    key: { $case: "publicKey", publicKey: pem },
  });
  const fulcio = new FulcioSigner({
    ...NETWORK,
    ...(fulcioUrl === undefined ? {} : { fulcioBaseURL: fulcioUrl }),
    identityProvider: { getToken: () => Promise.resolve(token) },
    keyHolder: { sign: (data) => Promise.resolve(own(data)) },
  });
  const rekor = new RekorWitness({
    ...NETWORK,
    ...(rekorUrl === undefined ? {} : { rekorBaseURL: rekorUrl }),
    entryType: "dsse",
  });
  let certified: Promise<{ readonly certificate: string; readonly until: number }> | undefined;
  const certificate = async (): Promise<string> => {
    const current = await certified;
    if (current !== undefined && current.until - RENEW_BEFORE_MS > now().getTime())
      return current.certificate;
    certified = certify(fulcio);
    return (await certified).certificate;
  };
  const signer: Key = {
    sign: async (data) => {
      const { signature } = own(data);
      return { signature, key: { $case: "x509Certificate", certificate: await certificate() } };
    },
  };
  return {
    name: `identity ${claims.sub} of ${claims.iss}`,
    sign: async (statement) => {
      try {
        return await seal(statement, signer, [rekor]);
      } catch (error) {
        throw isTgoError(error) ? error : keylessFailure(error, { fulcioUrl, rekorUrl });
      }
    },
  };
}

/** Fulcio gives a certificate for a signature; the key signs the statements then by itself. */
async function certify(fulcio: FulcioSigner): Promise<{ certificate: string; until: number }> {
  const { key } = await fulcio.sign(Buffer.from(""));
  if (key.$case !== "x509Certificate") throw new TgoError("INTERNAL", "Fulcio returned no certificate");
  return { certificate: key.certificate, until: Date.parse(new X509Certificate(key.certificate).validTo) };
}

/** The library's own message may quote the token: it is not used. */
function keylessFailure(
  error: unknown,
  urls: { readonly fulcioUrl: string | undefined; readonly rekorUrl: string | undefined },
): TgoError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isRekor = code.startsWith("TLOG");
  const name = isRekor ? "Rekor" : "Fulcio";
  const where = isRekor
    ? (urls.rekorUrl ?? "https://rekor.sigstore.dev")
    : (urls.fulcioUrl ?? "https://fulcio.sigstore.dev");
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const status =
    typeof cause === "object" && cause !== null && "statusCode" in cause
      ? Number(cause.statusCode)
      : undefined;
  if (status !== undefined && status < 500 && status !== 429)
    throw new TgoError(
      "DENIED",
      isRekor
        ? `Rekor refuses to log the signature: status ${status}`
        : `Fulcio gives no certificate for the identity token: status ${status}`,
      { where, remedy: "Check the token's issuer and audience, and this machine's clock." },
    );
  return new TgoError(
    "UNAVAILABLE",
    status === undefined ? `${name} cannot be reached` : `${name} returned status ${status}`,
    {
      where,
      remedy:
        "Nothing was signed. Run the same command again later; where there is no way to it, sign with a key: --signing-key.",
    },
  );
}
