import type { AttestedPlace } from "@tgo/attestation";
import { registryRepository, type Catalog, type Registry } from "@tgo/catalog";
import { commandLine } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { repositoryOf, type Target } from "@tgo/publishing";
import type { Reference } from "@tgo/registry";
import { isFloating, kindOfTag } from "@tgo/release-rules";
import type { NamedImage } from "./references.js";
import type { SignedImage } from "./verify-signatures.js";

const SIGN_AGAIN =
  "Run the release's command again with --signing-key or --identity-token: it copies what another registry has, and signs what none has.";
const FOREIGN =
  "Whoever publishes the image has to sign it. If somebody else's signature counts, name them: --trusted-key or --trusted-identity.";
const COPY = "Copy the image with what refers to it from there: tgo export, then tgo import.";

/** A service's image in the catalog's registries. */
export function publishedImage(
  {
    targets,
    catalog,
  }: { readonly targets: readonly Target[]; readonly catalog: Pick<Catalog, "signatures"> },
  { service, tag }: { readonly service: string; readonly tag: string },
  verification: Verification,
  isAsked: boolean,
): SignedImage {
  const having = targets.filter(({ name }) => hasImage(verification, name));
  const version = versionOf(tag, service, verification);
  return {
    ...factsOf(verification),
    places: targets.filter(takesAttestations).map((target) => ({
      name: target.name,
      registry: target.anonymous ?? target.client,
      repository: repositoryOf(target, service),
      lacksImage: !having.includes(target),
    })),
    skipped: having.filter((target) => !takesAttestations(target)).map(({ name }) => name),
    signed: isAsked || catalog.signatures?.required === true ? "all" : "any",
    remedies: {
      other: SIGN_AGAIN,
      restore:
        version === undefined
          ? SIGN_AGAIN
          : `This copies it from there:\n${commandLine("promote", { service: [service], version })}`,
    },
  };
}

/** The version that a version's tag or a floating one has. */
function versionOf(tag: string, service: string, { annotations }: Verification): string | undefined {
  const kind = kindOfTag(tag, service);
  if (kind.kind === "version") return kind.version.text;
  return isFloating(kind) ? annotations["org.opencontainers.image.version"] : undefined;
}

/**
 * Any image under its references. Others sign the index only, and with it every platform's image that it lists; an image of
 * the catalog is held to its policy.
 * @param names of the references, as the verification has them
 */
export function referencedImage(
  images: readonly NamedImage[],
  names: readonly string[],
  { catalog, isAsked }: { readonly catalog: Catalog; readonly isAsked: boolean },
  verification: Verification,
): SignedImage {
  const places = images.map(({ registry, reference }, at): AttestedPlace & { readonly own: OwnImage } => ({
    ...{ name: names[at] ?? reference.host, registry, repository: reference.repository },
    own: catalogImage(catalog, reference),
  }));
  const having = places.filter(({ name }) => hasImage(verification, name));
  const isHeld = catalog.signatures?.required === true && places.some(({ own }) => own !== undefined);
  return {
    ...factsOf(verification),
    places: having.filter(({ own }) => own?.referrers !== false),
    skipped: having.filter(({ own }) => own?.referrers === false).map(({ name }) => name),
    signed: isHeld ? "all" : isAsked ? "index" : "any",
    remedies: { other: isHeld ? SIGN_AGAIN : FOREIGN, restore: COPY },
  };
}

type OwnImage = Registry | undefined;

/** The catalog's registry that a reference's repository belongs to; undefined for an image of others. */
export function catalogImage(
  { registries, services }: Pick<Catalog, "registries" | "services">,
  { host, repository }: Pick<Reference, "host" | "repository">,
): OwnImage {
  return Object.values(registries).find((registry) =>
    Object.keys(services).some((service) => {
      const own = registryRepository(registry, service);
      return own.host === host && own.repository === repository;
    }),
  );
}

function factsOf({ digest, variants, annotations }: Verification) {
  return { digest, variants, revision: annotations["org.opencontainers.image.revision"] };
}

function hasImage({ digest, targets }: Verification, name: string): boolean {
  return targets.some((target) => target.name === name && target.digest === digest);
}

function takesAttestations({ registry }: Target): boolean {
  return registry.referrers !== false;
}
