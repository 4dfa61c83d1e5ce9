/** A key whose signatures count. */
export interface TrustedKey {
  /** For reports. */
  readonly name: string;
  /** PEM of the public half: ECDSA P-256. */
  readonly pem: string;
  /** Its signatures do not count after this moment, RFC 3339. */
  readonly expires?: string;
  /** Kept in the list so that its signatures are named as what they are. */
  readonly revoked?: boolean;
}

/** An identity whose signatures count, as its certificate names it. */
export interface TrustedIdentity {
  /** Such as https://token.actions.githubusercontent.com. */
  readonly issuer: string;
  /**
   * The certificate's subject, such as https://github.com/tgoai/tgo/.github/workflows/release.yml@refs/tags/*; * stands
   * for any characters.
   */
  readonly subject: string;
}

/** Whose signatures count. */
export interface TrustPolicy {
  readonly keys: readonly TrustedKey[];
  readonly identities: readonly TrustedIdentity[];
  /** Sigstore's trusted root, JSON: certificates of Fulcio, keys of Rekor. Without one no identity can be verified. */
  readonly trustedRoot?: string;
  /** The clock, for keys that expire. */
  readonly now?: () => Date;
}
