/**
 * What the module's shell calls: the packages, bundled into lib/core.js. A Dagger module sees only its own folder, and is
 * loaded straight from git.
 */
import { Multiarch, type MultiarchOptions } from "@tgo/functions";
import type { Client } from "@dagger.io/dagger";

/** Hash of this bundle's own code, written in when it is made. */
export const PIPELINE = "0000000000000000";

/** Hash of the part of it that decides an image's bytes, written in when it is made. */
export const BUILD_HASH = "1111111111111111";

/** The functions, on a client of any engine. */
export class MultiarchFunctions extends Multiarch {
  constructor(client: Client, options: MultiarchOptions) {
    super(client, { pipeline: PIPELINE, buildHash: BUILD_HASH }, options);
  }
}
