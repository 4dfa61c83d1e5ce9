import type { Secret } from "@dagger.io/dagger";
import type { ShellArguments } from "./shell-arguments.js";

/** How images are signed. */
export type SigningFlags = ShellArguments<{
  /** PKCS#8 in PEM, ECDSA P-256. */
  signingKey: Secret;
  /** Decrypts the key. */
  signingKeyPassword: Secret;
  /** OIDC token for the audience "sigstore". */
  identityToken: Secret;
}>;
