import type { BuildRequest } from "@tgo/builders";

/** A candidate that can be built: everything that decides its bytes is known. */
export interface Prepared {
  readonly request: BuildRequest;
  readonly key: string;
  /** Digests of the base images, by reference. */
  readonly bases: Readonly<Record<string, string>>;
  /** Hash of the code that decides an image's bytes. */
  readonly buildHash: string;
}
