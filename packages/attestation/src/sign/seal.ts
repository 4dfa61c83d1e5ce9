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
  // sigstore-go skips a signature whose keyid is not the one that it computes by itself; cosign writes none either.
  for (const signature of bundle.content.dsseEnvelope.signatures) signature.keyid = "";
  return new TextEncoder().encode(JSON.stringify(bundleToJSON(bundle)));
}
