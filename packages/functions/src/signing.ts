import { openContext, type Call } from "./call.js";
import { BuildLedger } from "@tgo/publishing";
import type { RegistryReport } from "@tgo/report";
import type { Context } from "./context.js";
import type { SigningFlags } from "./signing-flags.js";
import type { SignatureChecks, SignedImage } from "./verify-signatures.js";

/** Signing, and what verifies signatures: loaded where something is signed, or the catalog says who must sign. */
const attestations = () => import("./attest.js");

/**
 * The context of a function that publishes: with signatures, if a flag or the catalog asks for them.
 * @throws TgoError USAGE, CATALOG: as openContext, and for keys and tokens that cannot be used
 */
export async function openSigningContext(call: Call, flags: SigningFlags): Promise<Context> {
  const context = await openContext(call);
  const { signingKey, signingKeyPassword, identityToken } = flags;
  const given = [signingKey, signingKeyPassword, identityToken].some((flag) => flag !== undefined);
  if (!given && !asksForSignatures(call, context)) return context;
  const { openAttestor } = await attestations();
  const ledger = new BuildLedger();
  return { ...context, ledger, attestor: await openAttestor({ ...context, ledger }, call.options, flags) };
}

/**
 * Checks signatures in a verification; undefined where neither the catalog nor a flag says whose count.
 * @throws TgoError USAGE for keys and trusted roots that cannot be read
 */
export async function openSignatureChecks(
  call: Call,
  context: Context,
): Promise<((image: SignedImage, rows: readonly RegistryReport[]) => Promise<SignatureChecks>) | undefined> {
  if (!asksForSignatures(call, context)) return undefined;
  const { checkSignatures, openTrust } = await attestations();
  const trust = await openTrust(context, call.options);
  return (image, rows) => checkSignatures(context, trust, image, rows);
}

/** Whether the catalog or a flag says whose signatures count. */
export function asksForSignatures({ options }: Call, { catalog }: Context): boolean {
  const { trustedKey, trustedIdentity = [] } = options;
  return catalog.signatures !== undefined || trustedKey !== undefined || trustedIdentity.length > 0;
}
