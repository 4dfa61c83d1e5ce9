// Signatures and what verifies them: a part of the bundle of their own, because Sigstore's libraries are large.
import type { Secret } from "@dagger.io/dagger";
import {
  builderOf,
  digestSigner,
  keylessSigner,
  keySigner,
  readTrust,
  trustedSigner,
  UNKNOWN_BUILDER,
  type Signer,
  type Trust,
} from "@tgo/attestation";
import { flagOf, TgoError } from "@tgo/errors";
import { createAttestor, imageStatements, type Attestor } from "@tgo/publishing";
import { defined } from "@tgo/report";
import type { Context } from "./context.js";
import type { Options } from "./options.js";
import type { SigningFlags } from "./signing-flags.js";

export { publishedImage } from "./signed-image.js";
export { checkSignatures } from "./verify-signatures.js";

/** @throws TgoError USAGE for keys, tokens and trusted roots that cannot be used */
export async function openAttestor(
  context: Context,
  options: Options,
  flags: SigningFlags,
  { carriesAll = false }: { readonly carriesAll?: boolean } = {},
): Promise<Attestor> {
  const given = await openSigner(context, flags);
  const { required = false } = context.catalog.signatures ?? {};
  const policy = await openTrust(context, options);
  const isNamed = required && policy.keys.length + policy.identities.length > 0;
  const signer = given && trustedSigner(given, policy, isNamed);
  const own = signer?.publicKey === undefined ? [] : [{ name: signer.name, pem: signer.publicKey }];
  return createAttestor({
    targets: context.targets,
    signer,
    // What this run signs, it finds again, also where the policy names nobody.
    trust: { ...policy, keys: [...policy.keys, ...readTrust({ keys: own, identities: [] }).keys] },
    required,
    carriesAll,
    statements: context.ledger === undefined ? [] : [imageStatements(context.ledger, builderIn(context))],
  });
}

/** A module sees nothing of its caller's environment. */
function builderIn({ host }: Context): string {
  return host.environment === undefined ? UNKNOWN_BUILDER : builderOf(host.environment);
}

async function openSigner(
  { catalog, host: { signWith } }: Pick<Context, "catalog" | "host">,
  { signingKey, signingKeyPassword, identityToken }: SigningFlags,
): Promise<Signer | undefined> {
  const given = Object.entries(defined({ signingCommand: signWith, signingKey, identityToken }));
  const [one, other] = given.map(([name]) => flagOf(name));
  if (other !== undefined)
    throw new TgoError("USAGE", `--${one ?? ""} and --${other} are mutually exclusive`, {
      remedy: "Sign with a key, or as an identity.",
    });
  if (signingKey !== undefined) {
    const [pem, password] = await Promise.all([plaintext(signingKey), plaintext(signingKeyPassword)]);
    return keySigner({ pem: pem ?? "", ...defined({ password: password?.replace(/\r?\n$/, "") }) });
  }
  if (signingKeyPassword !== undefined)
    throw new TgoError("USAGE", "--signing-key-password has no --signing-key", {
      remedy: "Pass the key as well, or leave the password out.",
    });
  if (signWith !== undefined) return digestSigner(signWith);
  if (identityToken === undefined) return undefined;
  const { fulcio, rekor } = catalog.signatures ?? {};
  return keylessSigner({
    identityToken: (await plaintext(identityToken)) ?? "",
    ...defined({ fulcioUrl: fulcio, rekorUrl: rekor }),
  });
}

function plaintext(secret: Secret | undefined): Promise<string | undefined> {
  return secret === undefined ? Promise.resolve(undefined) : secret.plaintext();
}

/**
 * Whose signatures count: those of the catalog and the flags.
 * @throws TgoError USAGE
 */
export async function openTrust(
  { catalog }: Pick<Context, "catalog">,
  { trustedKey, trustedIdentity = [], trustedRoot }: Options,
): Promise<Trust> {
  const [keys, root] = await Promise.all([trustedKey?.contents(), trustedRoot?.contents()]);
  const { signatures } = catalog;
  return readTrust({
    keys: [
      ...(signatures?.keys ?? []).map(({ name, publicKey, expires, revoked }) => ({
        name,
        pem: publicKey,
        revoked,
        ...defined({ expires }),
      })),
      ...(keys === undefined ? [] : keysOf(keys)),
    ],
    identities: [...(signatures?.identities ?? []), ...trustedIdentity.map(identityOf)],
    ...defined({ trustedRoot: root }),
  });
}

/** A file may have several keys, one after the other. */
function keysOf(text: string): { name: string; pem: string }[] {
  const found = text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g);
  if (found === null)
    throw new TgoError("USAGE", "the file has no public key in PEM", {
      where: "--trusted-key",
      remedy: "openssl pkey -in signing-key.pem -pubout -out signing-key.pub",
    });
  return found.map((pem, index) => ({
    name: found.length === 1 ? "of --trusted-key" : `${index + 1} of --trusted-key`,
    pem,
  }));
}

function identityOf(text: string): { issuer: string; subject: string } {
  const [issuer = "", subject = "", ...rest] = text.trim().split(/\s+/);
  if (subject === "" || rest.length > 0 || subject.replaceAll("*", "") === "")
    throw new TgoError("USAGE", `"${text}" is not an identity`, {
      where: "--trusted-identity",
      remedy:
        'Write its issuer, a space and its subject: "https://token.actions.githubusercontent.com https://github.com/OWNER/REPOSITORY/.github/workflows/release.yml@refs/tags/*".',
    });
  return { issuer, subject };
}
