/** Whoever signs: a key, an identity of a CI job, or a program in front of a key that cannot leave its device. */
export interface Signer {
  /** For reports: "key 3f2a…", "identity https://github.com/…". */
  readonly name: string;
  /** PEM of the key's public half; whoever signs with a key trusts it. None for an identity. */
  readonly publicKey?: string;
  /**
   * Signs a statement, as a DSSE envelope.
   * @returns a Sigstore bundle v0.3: JSON. Other bytes at every call: signatures are not deterministic
   * @throws TgoError UNAVAILABLE when Fulcio or Rekor cannot be reached, USAGE for a key or token that cannot sign
   */
  readonly sign: (statement: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;
}
