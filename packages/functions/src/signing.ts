import type { Verification } from "@tgo/image";
import { BuildLedger } from "@tgo/publishing";
import type { RegistryReport } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import type { Context } from "./context.js";
import type { SigningFlags } from "./signing-flags.js";
import type { SignatureChecks, SignedImage } from "./verify-signatures.js";

/** Signing, and what verifies signatures: loaded where something is signed, or somebody says whose signatures count. */
const attestations = () => import("./attest.js");

/**
 * The context of a function that publishes: with signatures, if a flag or the catalog asks for them.
 * @param options.carriesAll whether what others' runs signed is copied, and not only what this run knows of
 * @throws TgoError USAGE, CATALOG: as openContext, and for keys and tokens that cannot be used
 */
export async function openSigningContext(
  call: Call,
  flags: SigningFlags,
  options: { readonly carriesAll?: boolean } = {},
): Promise<Context> {
  const context = await openContext(call);
  const isSigning = [...Object.values(signingFlags(flags)), call.host.signWith].some(
    (flag) => flag !== undefined,
  );
  if (!isSigning && context.catalog.signatures === undefined && !trustFlags(call).given) return context;
  const { openAttestor } = await attestations();
  const ledger = new BuildLedger();
  const attestor = await openAttestor({ ...context, ledger }, call.options, flags, options);
  return { ...context, ledger, attestor };
}

/** How images are signed, without the other flags of a function. */
function signingFlags({ signingKey, signingKeyPassword, identityToken }: SigningFlags): SigningFlags {
  return { signingKey, signingKeyPassword, identityToken };
}

/** Checks the signatures of any images, and adds what it finds to the registries' rows. */
export type CheckSignatures = (
  image: SignedImage,
  rows: readonly RegistryReport[],
) => Promise<SignatureChecks>;

/** The same for a tag of a service in the catalog's registries. */
export type CheckTag = (
  tag: { readonly service: string; readonly tag: string },
  verification: Verification,
  rows: readonly RegistryReport[],
) => Promise<SignatureChecks>;

/**
 * Checks signatures in a verification; undefined where neither the catalog nor a flag says whose count.
 * @param isOwn whether the catalog's policy is about the images
 * @throws TgoError USAGE for keys and trusted roots that cannot be read
 */
export async function openSignatureChecks(
  call: Call,
  { catalog }: Pick<Context, "catalog">,
  isOwn = true,
): Promise<CheckSignatures | undefined> {
  if (!trustFlags(call).given && !(isOwn && catalog.signatures !== undefined)) return undefined;
  const { checkSignatures, openTrust } = await attestations();
  const trust = await openTrust({ catalog }, call.options);
  return (image, rows) => checkSignatures(trust, image, rows);
}

/** {@link openSignatureChecks} for the catalog's services. */
export async function openTagChecks(
  call: Call,
  context: Pick<Context, "catalog" | "targets">,
): Promise<CheckTag | undefined> {
  const check = await openSignatureChecks(call, context);
  if (check === undefined) return undefined;
  const { publishedImage } = await attestations();
  const { asked } = trustFlags(call);
  return (tag, verification, rows) => check(publishedImage(context, tag, verification, asked), rows);
}

/**
 * Whether flags say whose signatures count, and whether they name a signer: who does so asks for a signature. A trusted
 * root alone names nobody; it shows who signed.
 */
export function trustFlags({ options }: Call): { readonly given: boolean; readonly asked: boolean } {
  const { trustedKey, trustedIdentity = [], trustedRoot } = options;
  const asked = trustedKey !== undefined || trustedIdentity.length > 0;
  return { given: asked || trustedRoot !== undefined, asked };
}
