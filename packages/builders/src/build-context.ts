import type { Client, Container, Directory, File, Secret } from "@dagger.io/dagger";
import type { BaseImage, Catalog, Pins, Platform } from "@tgo/catalog";
import type { Bases } from "./bases/bases.js";
import type { Progress } from "@tgo/progress";

/** What keeps a source from being exactly a commit. */
export type Uncommitted =
  /** Files that differ from the commit, as git names them; never empty. */
  | { readonly changed: readonly string[] }
  /** No commit is known: the reason, in words that follow a colon. */
  | { readonly why: string };

/** What is known about the caller's machine. A Dagger module's container knows nothing of it. */
export interface HostInfo {
  /** Whether this process runs on the caller's own machine, where git has been asked already. */
  readonly local?: boolean | undefined;
  /** What git on that machine says about the given source, unless it is exactly a commit. */
  readonly uncommitted?: Uncommitted | undefined;
}

/** Everything a build needs to know; made once a call. */
export interface BuildContext {
  readonly client: Client;
  readonly catalog: Catalog;
  /** Digests that base images are pinned to. */
  readonly pins: Pins;
  readonly bases: Bases;
  readonly platforms: readonly Platform[];
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** The engine's own platform: whatever runs there runs natively. */
  readonly native: Platform;
  readonly host: HostInfo;
  /** CA certificates (PEM) that build steps trust; never in an image. */
  readonly caBundle: File | undefined;
  readonly secrets: BuildSecrets;
  /** A repository with repos/<service> in it, for services whose source is not given. */
  readonly repos: Directory | undefined;
}

/** Credentials that build steps need; mounted where they are used, never in a layer. */
export interface BuildSecrets {
  /** For Python package indexes and git: `machine HOST login NAME password WORD` lines. */
  readonly netrc: Secret | undefined;
  /** For npm registries: `//registry.example.com/:_authToken=...` lines, as in a user's .npmrc. */
  readonly npmrc: Secret | undefined;
  /** NAME=value lines: those a Dockerfile service declares are mounted at /run/secrets/NAME. */
  readonly build: Secret | undefined;
}

/**
 * A base image for a platform: by the lock's digest, from its mirror when there is one.
 * @throws TgoError SOURCE when it cannot be pulled, or has no such platform
 */
export function baseImage(
  context: Pick<BuildContext, "bases">,
  reference: BaseImage,
  platform: Platform,
): Promise<Container> {
  return context.bases.container(reference, platform);
}

/** A container whose tools trust the company's CA, for build steps only: nothing of it reaches an image. */
export function withCaBundle(context: Pick<BuildContext, "caBundle">, container: Container): Container {
  if (context.caBundle === undefined) return container;
  const path = "/run/tgo/ca-bundle.pem";
  const variables = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
  ];
  return variables.reduce(
    (result, name) => result.withEnvVariable(name, path),
    container.withMountedFile(path, context.caBundle),
  );
}
