import { bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder, type Signer as Key, type Witness } from "@sigstore/sign";
import { IN_TOTO_PAYLOAD } from "../statement.js";

/** Signs a statement as a DSSE envelope, and returns the bundle's text. */
export async function seal(
  statement: Uint8Array,
  signer: Key,
  witnesses: Witness[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const builder = new DSSEBundleBuilder({ signer, witnesses });
  const bundle = await builder.create({ data: Buffer.from(statement), type: IN_TOTO_PAYLOAD });
  return new TextEncoder().encode(JSON.stringify(bundleToJSON(bundle)));
}
