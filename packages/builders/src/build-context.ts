import type { Client, Container, Directory, File, Secret } from "@dagger.io/dagger";
import type { BaseImage, Catalog, Pins, Platform } from "@tgo/catalog";
import type { Bases } from "./bases/bases.js";
import { CA_VARIABLES } from "@tgo/image";
import type { Progress } from "@tgo/progress";

/** Why a source does not equal a commit. */
export type Uncommitted =
  /** Changed files, as git prints their paths; never empty. */
  | { readonly changed: readonly string[] }
  /** No commit is known: the reason, phrased to follow a colon. */
  | { readonly why: string }
  /** How the folder differs from the commit that is released: paths, each with what differs; never empty. */
  | { readonly differs: readonly string[]; readonly remedy: string };

/** What a build sees of a service's folder. */
export interface BuildView {
  /** The service's folder in the source; "" is all of it. */
  readonly folder: string;
  /** Patterns of what the build does not see, as in .dockerignore. */
  readonly ignored: readonly string[];
  /** Paths in the folder that count although they are ignored. */
  readonly kept: readonly string[];
}

/** What is known about the caller's machine; nothing if this runs in a Dagger module's container. */
export interface HostInfo {
  /** Whether no engine runs: nothing can be built, and no engine's store can be read. */
  readonly withoutEngine?: boolean;
  /** Whether this process runs on the caller's own machine, where it has already queried git. */
  readonly local?: boolean;
  /** The result of git on that machine for the given source, if the source does not equal a commit. */
  readonly uncommitted?: Uncommitted;
  /**
   * Set in a release of a git checkout, where the source is the commit's own files: finds how the checkout differs from
   * them, as far as a build would see it.
   */
  readonly differences?: (view: BuildView) => Promise<Uncommitted | undefined>;
  /** Whether the engine itself gives RUN lines the proxies of build arguments, by a relay: this repository's own does. */
  readonly relaysProxies?: boolean;
  /** The last lines of the steps that the engine runs now. Absent in a module, whose caller sees them. */
  readonly output?: () => readonly string[];
}

/** Everything a build needs; created once per call. */
export interface BuildContext {
  readonly client: Client;
  readonly catalog: Catalog;
  /** Digests of pinned base images. */
  readonly pins: Pins;
  readonly bases: Bases;
  readonly platforms: readonly Platform[];
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** The engine's own platform, on which programs run natively. */
  readonly native: Platform;
  readonly host: HostInfo;
  /** CA certificates (PEM) that build steps trust; never part of an image. */
  readonly caBundle: File | undefined;
  readonly secrets: BuildSecrets;
  /** Whether differences between what the variants of an image contain fail its check. */
  readonly strictParity?: boolean;
  /** Whether smoke runs repeat on every platform what a run on the engine's own tells of the others. */
  readonly fullSmoke?: boolean;
  /** A directory with repos/<service>, for services whose source is not given. */
  readonly repos: Directory | undefined;
}

/** Credentials for build steps; mounted where they are used, never part of a layer. */
export interface BuildSecrets {
  /** For Python package indexes and git: `machine HOST login NAME password WORD` lines. */
  readonly netrc: Secret | undefined;
  /** For npm registries: `//registry.example.com/:_authToken=...` lines, as in a user's .npmrc. */
  readonly npmrc: Secret | undefined;
  /** NAME=value lines; those that a Dockerfile service declares are mounted at /run/secrets/NAME. */
  readonly build: Secret | undefined;
}

/**
 * A base image for a platform, by its pinned digest and from its mirror if one is set.
 * @throws TgoError SOURCE if it cannot be pulled, or lacks the platform
 */
export function baseImage(
  context: Pick<BuildContext, "bases">,
  reference: BaseImage,
  platform: Platform,
): Promise<Container> {
  return context.bases.container(reference, platform);
}

/** Makes the tools in a container trust the CA bundle. For build steps only, never for an image. */
export function withCaBundle(context: Pick<BuildContext, "caBundle">, container: Container): Container {
  if (context.caBundle === undefined) return container;
  const path = "/run/tgo/ca-bundle.pem";
  return CA_VARIABLES.reduce(
    (result, name) => result.withEnvVariable(name, path),
    container.withMountedFile(path, context.caBundle),
  );
}
