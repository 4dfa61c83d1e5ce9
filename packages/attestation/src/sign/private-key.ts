import { createPrivateKey, type KeyObject } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { HOW_TO_MAKE_ONE, requireP256 } from "../p256-key.js";

/**
 * An ECDSA P-256 key from PEM: PKCS#8, encrypted or not, or OpenSSL's older form.
 * @throws TgoError USAGE saying what is wrong with it; never with a part of it
 */
export function parsePrivateKey(pem: string, password?: string): KeyObject {
  if (/BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY/.test(pem))
    throw new TgoError("USAGE", "the signing key is in cosign's own format", {
      where: "--signing-key",
      remedy: `It must be PKCS#8. ${HOW_TO_MAKE_ONE}`,
    });
  if (/BEGIN (?:PUBLIC KEY|CERTIFICATE)/.test(pem))
    throw new TgoError("USAGE", "the signing key is the public one", {
      where: "--signing-key",
      remedy: "Pass the file that begins with BEGIN PRIVATE KEY or BEGIN ENCRYPTED PRIVATE KEY.",
    });
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem);
  if (isEncrypted && (password === undefined || password === ""))
    throw new TgoError("USAGE", "the signing key is encrypted, and there is no password", {
      where: "--signing-key",
      remedy: "Pass --signing-key-password env:NAME.",
    });
  const key = keyOf(pem, password, isEncrypted);
  requireP256(key, "--signing-key");
  return key;
}

function keyOf(pem: string, password: string | undefined, isEncrypted: boolean): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(password === undefined ? {} : { passphrase: password }) });
  } catch {
    // The library's error may quote the key.
    throw new TgoError(
      "USAGE",
      isEncrypted
        ? "the password does not decrypt the signing key"
        : "the signing key is no private key in PEM",
      { where: "--signing-key", remedy: isEncrypted ? "Check --signing-key-password." : HOW_TO_MAKE_ONE },
    );
  }
}
