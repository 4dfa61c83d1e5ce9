/**
 * Build TGO's images for linux/amd64 and linux/arm64, and publish them to every registry under one digest.
 *
 * Every variant is checked and smoke-tested before a tag moves.
 */
import {
  argument,
  check,
  dag,
  func,
  generate,
  object,
  type Changeset,
  type Client,
  type Container,
  type Directory,
  type File,
  type Secret,
  type Service,
  type Workspace,
} from "@dagger.io/dagger";
import type { HostOptions, Pipelines } from "../lib/core.js";
import { answerCall } from "./answer-call.js";
import { Format, ReportFormat, SbomFormat } from "./formats.js";
import { Candidate, Image, Release, Verification } from "./image.js";
import { Setup, setupOf } from "./setup.js";

/** Build, publish and verify TGO's multi-arch images. */
@object()
export class Tgo {
  private setup: Setup;

  constructor(
    /** Override file for the built-in catalog: services, registries, mirrors (tgo.catalog.json). */
    catalog?: File,
    /** Use these registries instead of the catalog's: [name=]host[:port]/path[/{service}]. */
    registry?: string[],
    /** Connections to registries the engine cannot reach itself, one per --registry in order: tcp://localhost:5001. */
    registryService?: Service[],
    /** Platforms to build: linux/amd64, linux/arm64; all of the catalog's if omitted. */
    platform?: string[],
    /** Lock file of base image digests (tgo.bases.json), overriding the built-in lock; written by lock-bases. */
    baseLock?: File,
    /**
     * Mirrors, overriding the catalog's: pypi=URL, npm=URL, debian=URL, debian-security=URL.
     *
     * Or one for a registry of base images, such as docker.io=mirror.example.com/hub.
     */
    mirror?: string[],
    /** Docker config.json with registry credentials: file:$HOME/.docker/config.json. */
    dockerConfig?: Secret,
    /** CA certificates (PEM) for build steps, needed behind a TLS-inspecting proxy. Never stored in an image. */
    caBundle?: File,
    /** netrc file for private Python package indexes: file:$HOME/.netrc. Never stored in an image. */
    netrc?: Secret,
    /** .npmrc file for private npm registries: file:$HOME/.npmrc. Never stored in an image. */
    npmrc?: Secret,
    /** Secrets for Dockerfile builds, as NAME=value lines; a service gets only those it declares: file:build.env. */
    buildSecrets?: Secret,
    /** Public keys (PEM) whose signatures count, besides the catalog's. */
    trustedKey?: File,
    /** Identities whose signatures count, besides the catalog's: issuer, a space and subject; * stands for any characters. */
    trustedIdentity?: string[],
    /** Sigstore's trusted root (trusted_root.json), to verify signatures of identities without a network. */
    trustedRoot?: File,
    /**
     * The repository around the module; its repos/ folder is the source if --source is omitted.
     *
     * A separate argument, because its ignore patterns would apply to --source as well.
     */
    @argument({ defaultPath: "/", ignore: ["**", "!repos/**"] }) repos?: Directory,
  ) {
    this.setup = setupOf({
      ...{
        catalog,
        registry,
        registryService,
        platform,
        baseLock,
        mirror,
        dockerConfig,
        caBundle,
        netrc,
        npmrc,
      },
      ...{ buildSecrets, trustedKey, trustedIdentity, trustedRoot, repos },
    });
  }

  /**
   * List the services of the catalog.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func()
  async services(
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().services(format);
  }

  /**
   * Show the publish plan.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func()
  async plan(
    /** Names of services, or "all". */
    service: string[],
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().plan(service, format);
  }

  /**
   * Pin base images to their current digests.
   *
   * Resolves the base images of the services and of the build tools, and returns the lock. Fails if a base lacks a
   * platform. Save it as tgo.bases.json and pass it with --base-lock.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async lockBases(
    /** Names of services; all if omitted. Lock entries of other services are kept. */
    service: string[] = [],
  ): Promise<string> {
    return this.pipelines().lockBases(service);
  }

  /**
   * Build one variant of a service and return it as a container.
   *
   * Checks every binary's architecture. Builds the engine's own platform unless --platform names another.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async build(
    /** Name of the service. */
    service: string,
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. */
    source?: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
  ): Promise<Container> {
    return this.pipelines().build(service, { source, revision, created, value });
  }

  /**
   * Build services and smoke-test every variant in an isolated network. Publishes nothing.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async smoke(
    /** Names of services, or "all". */
    service: string[],
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. */
    source?: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /**
     * Run everything on every platform.
     *
     * Otherwise an emulated run leaves out what the native run tells: imports of packages with equal files, and commands that
     * the catalog declares for one platform.
     */
    fullSmoke: boolean = false,
    /** Fail if the platforms' images differ in packages, files or sizes, instead of noting it. */
    strictParity: boolean = false,
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().smoke(
      service,
      { source, revision, created, value, fullSmoke, strictParity },
      format,
    );
  }

  /**
   * Build services and publish them as candidates to every registry.
   *
   * Checks and smoke-tests every variant, publishes one digest everywhere, and verifies it in each registry. A
   * candidate that one registry already has is copied, not rebuilt. No version tag moves.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async publish(
    /** Names of services, or "all". */
    service: string[],
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. */
    source?: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** Version built into the image, such as 1.2.3. Version tags are written by release only. */
    version?: string,
    /** Fail if the platforms' images differ in packages, files or sizes, instead of noting it. */
    strictParity: boolean = false,
    /**
     * Run everything on every platform.
     *
     * Otherwise an emulated run leaves out what the native run tells: imports of packages with equal files, and commands that
     * the catalog declares for one platform.
     */
    fullSmoke: boolean = false,
    /** Take the platforms' images that build-variant put into a registry on other machines, instead of building. */
    assemble: boolean = false,
    /** With --assemble: wait this long for platforms that are missing: 30m, 90s or 1h. */
    wait?: string,
    /** With --assemble: refuse platforms that ran under emulation. */
    requireNative: boolean = false,
    /** Private key to sign with: PEM, PKCS#8, ECDSA P-256: file:signing-key.pem or env:SIGNING_KEY. */
    signingKey?: Secret,
    /** Password of the signing key. */
    signingKeyPassword?: Secret,
    /** OIDC token of this CI job for the audience sigstore, to sign as its identity: env:SIGSTORE_ID_TOKEN. */
    identityToken?: Secret,
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().publish(
      service,
      {
        ...{ source, revision, created, value, version, strictParity, fullSmoke },
        ...{ signingKey, signingKeyPassword, identityToken, assemble, wait, requireNative },
      },
      format,
    );
  }

  /**
   * Build, check and run one platform's images, and put them into one registry for publish --assemble.
   *
   * For a machine of each platform: each calls this, and one of them publishes or releases with --assemble. Nothing else is
   * handed over: platforms are found by the candidate's key. The proof is signed, or the platform is run again there.
   * Builds the engine's own platform unless --platform names another.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async buildVariant(
    /** Names of services, or "all". */
    service: string[],
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. */
    source?: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** Version built into the image, as release or publish --assemble gets it. */
    version?: string,
    /** Git tag to take the version from: v1.2.3, or tgo-api-v1.2.3 for one service. */
    gitTag?: string,
    /** Refuse to run the platform under emulation. */
    requireNative: boolean = false,
    /** Private key to sign with: PEM, PKCS#8, ECDSA P-256: file:signing-key.pem or env:SIGNING_KEY. */
    signingKey?: Secret,
    /** Password of the signing key. */
    signingKeyPassword?: Secret,
    /** OIDC token of this CI job for the audience sigstore, to sign as its identity: env:SIGSTORE_ID_TOKEN. */
    identityToken?: Secret,
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().buildVariant(
      service,
      {
        ...{ source, revision, created, value, version, gitTag, requireNative },
        ...{ signingKey, signingKeyPassword, identityToken },
      },
      format,
    );
  }

  /**
   * Check whether a release can start, and list everything blocking it.
   *
   * Checks push access to every registry, the version tag, sources, locks, base images, clock, disk and emulation, in
   * seconds. Builds and pushes nothing. Exits with 1 if something must be fixed first.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async preflight(
    /** Names of services, or "all". */
    service: string[] = ["all"],
    /** Version to release; its tag must be free or already point to this candidate. */
    version?: string,
    /** Git tag to take the version from: v1.2.3, or tgo-api-v1.2.3 for one service. */
    gitTag?: string,
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. */
    source?: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().preflight(service, { version, gitTag, source, revision, created, value }, format);
  }

  /**
   * Release a version of all services behind one gate.
   *
   * Publishes a candidate of every service. Once all of them are verified in all required registries, writes the
   * version tags, then the floating tags, and latest last. Run the same command again to finish an interrupted release.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async release(
    /** Names of services, or "all". */
    service: string[] = ["all"],
    /** Version to release: 1.2.3, or a prerelease such as 1.2.3-rc.1, which moves no floating tag. */
    version?: string,
    /** Git tag to take the version from: v1.2.3, or tgo-api-v1.2.3 for one service. */
    gitTag?: string,
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. */
    source?: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** Allow moving floating tags to an older version. */
    allowBackwards: boolean = false,
    /** Move floating tags even if the version they point to is unknown. */
    adoptLatest: boolean = false,
    /**
     * Run everything on every platform.
     *
     * Otherwise an emulated run leaves out what the native run tells: imports of packages with equal files, and commands that
     * the catalog declares for one platform.
     */
    fullSmoke: boolean = false,
    /** Fail if the platforms' images differ in packages, files or sizes, instead of noting it. */
    strictParity: boolean = false,
    /** Take the platforms' images that build-variant put into a registry on other machines, instead of building. */
    assemble: boolean = false,
    /** With --assemble: wait this long for platforms that are missing: 30m, 90s or 1h. */
    wait?: string,
    /** With --assemble: refuse platforms that ran under emulation. */
    requireNative: boolean = false,
    /** Private key to sign with: PEM, PKCS#8, ECDSA P-256: file:signing-key.pem or env:SIGNING_KEY. */
    signingKey?: Secret,
    /** Password of the signing key. */
    signingKeyPassword?: Secret,
    /** OIDC token of this CI job for the audience sigstore, to sign as its identity: env:SIGSTORE_ID_TOKEN. */
    identityToken?: Secret,
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    const signing = { signingKey, signingKeyPassword, identityToken };
    const request = { version, gitTag, allowBackwards, adoptLatest, fullSmoke, strictParity, ...signing };
    const split = { assemble, wait, requireNative };
    return this.pipelines().release(
      service,
      { ...request, ...split, source, revision, created, value },
      format,
    );
  }

  /**
   * Point the floating tags at a version already released.
   *
   * Copies the version to registries that lack it. Builds nothing. Use --allow-backwards to roll back.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async promote(
    /** Version already released. */
    version: string,
    /** Names of services, or "all". */
    service: string[] = ["all"],
    /** Allow moving floating tags to an older version. */
    allowBackwards: boolean = false,
    /** Move floating tags even if the version they point to is unknown. */
    adoptLatest: boolean = false,
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().promote(service, { version, allowBackwards, adoptLatest }, format);
  }

  /**
   * Show latest, floating tags and the newest version in every registry, and where they disagree.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async status(
    /** Names of services, or "all". */
    service: string[] = ["all"],
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().status(service, format);
  }

  /**
   * Check that everything released is still whole: every version and floating tag, in every registry.
   *
   * Reads tags, release records, all parts of every platform's image and, if the catalog or a flag says whose count,
   * signatures. Reads public registries without credentials. Names what is missing, with the command that mends it. Exits
   * with 1 if something changed, and tgo with 3 if a registry could not be read.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async watch(
    /** Names of services, or "all". */
    service: string[] = ["all"],
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().watch(service, format);
  }

  /**
   * List candidate, staging and variant tags that no release uses, and remove nothing.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async prune(
    /** Names of services, or "all". */
    service: string[] = ["all"],
    /** Minimum age in days, counted from the candidate's commit: registries do not report push times. */
    days: number = 30,
    /** Keep the N newest candidates, whatever their age. */
    keep: number = 0,
    /** Include tags of unknown age, such as staging tags whose candidate is missing. */
    undated: boolean = false,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().prune(service, { days, keep, undated }, format);
  }

  /**
   * Remove candidate, staging and variant tags that no release uses: those that prune lists with the same flags.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async pruneApply(
    /** Names of services, or "all". */
    service: string[] = ["all"],
    /** Minimum age in days, counted from the candidate's commit: registries do not report push times. */
    days: number = 30,
    /** Keep the N newest candidates, whatever their age. */
    keep: number = 0,
    /** Include tags of unknown age, such as staging tags whose candidate is missing. */
    undated: boolean = false,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().pruneApply(service, { days, keep, undated }, format);
  }

  /**
   * Verify published images in every registry, or any images by their references.
   *
   * Compares them with the plan: platforms, architectures, ELF machines, one digest everywhere, and an anonymous pull
   * where the catalog says the registry is public. Images named by reference are compared with each other, and with
   * what their index says. Exits with 1 if a check fails.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async verify(
    /** References of images, such as ghcr.io/tgoai/tgo-api:1.2.3 or python:3.11, instead of --service. */
    reference: string[] = [],
    /** Names of services, or "all". */
    service: string[] = [],
    /** Tag to verify, such as latest; the source's candidate if omitted. */
    tag?: string,
    /** Read every layer and check the architecture of every ELF file. */
    elf: boolean = true,
    /** Fail if the platforms' images differ in packages, files or sizes, instead of noting it. */
    strictParity: boolean = false,
    /** Read manifests and configs only: whether registries have the layers is not asked. */
    fast: boolean = false,
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. Ignored with --tag. */
    source?: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    const flags = { reference, tag, elf, fast, strictParity };
    return this.pipelines().verify(service, { ...flags, source, revision, created, value }, format);
  }

  /**
   * Show what any image is made of: platforms, layers, history, config and what is attached to it.
   *
   * Reads no layer without --contents. --platform selects platforms.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async inspect(
    /** References of images, such as ghcr.io/tgoai/tgo-api:1.2.3 or python:3.11. */
    reference: string[],
    /** Read every layer too: what the platforms differ in, and which promised machines take every file. */
    contents: boolean = false,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().inspect(reference, { contents }, format);
  }

  /**
   * Show which tags of a repository share a digest, the newest version first.
   *
   * With a tag or a digest in the reference, shows only the tags that have the same digest.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async tags(
    /** References of repositories or images, such as ghcr.io/tgoai/tgo-api or python:3.11. */
    reference: string[],
    /** Show only the tags that have this digest. */
    digest?: string,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().tags(reference, { digest }, format);
  }

  /**
   * Compare two images: packages first, then configuration, then files of each platform.
   *
   * Layers are compared by what they unpack to. Exits with 1 if the images differ. --platform selects platforms.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async diff(
    /** References of two images, such as ghcr.io/tgoai/tgo-api:1.2.3 and ghcr.io/tgoai/tgo-api:1.2.4. */
    reference: string[],
    /** Ignore times: of files, of the history, of annotations. */
    semantic: boolean = false,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().diff(reference, { semantic }, format);
  }

  /**
   * Make one index of existing images, in several registries at once.
   *
   * Lists each image by its digest, and copies what a registry lacks. The same images and annotations make the same
   * digest. Refuses two images of one platform. A tag that has another image stays, unless --adopt-latest moves it.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async combine(
    /** References of images: single ones, or indexes, whose images are all taken; --platform selects some. */
    reference: string[],
    /** Tags that get the index, such as ghcr.io/me/app:1.2.3. */
    to: string[],
    /** Annotations of the index: NAME=value. */
    annotation?: string[],
    /** Move tags that have another image. A version's tag never moves. */
    adoptLatest: boolean = false,
    /** Show the index and what would be written, and write nothing. */
    dryRun: boolean = false,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().combine(reference, { to, annotation, adoptLatest, dryRun }, format);
  }

  /**
   * Write the bill of materials of an image: its packages, with licences and package URLs.
   *
   * Reads the layers of one platform: --platform selects it. The same image gives the same document. --scan shows what
   * grype or trivy finds in it, where there is one.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async sbom(
    /** Reference of the image, such as ghcr.io/tgoai/tgo-api:1.2.3 or python:3.11. */
    reference: string,
    /** Show what a vulnerability scanner finds, instead of the document. */
    scan: boolean = false,
    /** Format of the document: cyclonedx or spdx. */
    format: SbomFormat = SbomFormat.CycloneDx,
  ): Promise<string> {
    return this.pipelines().sbom(reference, { scan, format });
  }

  /**
   * Build a published image again from its provenance, and compare the digests.
   *
   * Takes source commit, base images, definition and values from the provenance; needs the version of the pipelines that
   * built the image. Writes to no registry. Exits with 1 if the digests differ, and shows which layers do.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async reproduce(
    /** Reference of the image, such as ghcr.io/tgoai/tgo-api:1.2.3. */
    reference: string,
    /** File with the provenance: a bundle, a statement or its predicate; that of the image if omitted. */
    provenance?: File,
    /** Source directory at the provenance's commit; read from git if omitted. */
    source?: Directory,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().reproduce(reference, { provenance, source }, format);
  }

  /**
   * Return an image as an OCI image layout, for sites without a network.
   *
   * All platforms, attestations and whatever refers to the image are in it: signatures, SBOMs, a release's record.
   * Digests stay the same.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async export(
    /** Reference of the image, such as ghcr.io/tgoai/tgo-api:1.2.3. */
    reference: string,
  ): Promise<Directory> {
    return this.pipelines().export(reference);
  }

  /**
   * Push the image of an OCI image layout into registries, with whatever refers to it.
   *
   * Checks the whole layout first. Digests stay the same. A tag that has another image stays, unless --adopt-latest
   * moves it.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func({ cache: "never" })
  async import(
    /** Folder of the layout, as export writes it. */
    layout: Directory,
    /** Tags that get the image, such as registry.example.com/tgo/tgo-api:1.2.3. */
    to: string[],
    /** Name of the image in the layout, if it has several. */
    name?: string,
    /** Move tags that have another image. A version's tag never moves. */
    adoptLatest: boolean = false,
    /** Output format: text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().import(layout, { to, name, adoptLatest }, format);
  }

  /**
   * One service's image as an object, for other modules: candidate, release and verification.
   *
   * Its with functions add source, registries, build values and platforms; none of them builds or publishes anything.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @func()
  image(
    /** Name of the service. */
    service: string,
  ): Image {
    return Object.assign(new Image(), { setup: this.setup, service });
  }

  /**
   * Check that latest of every service is whole in every registry.
   *
   * Takes tgo.catalog.json from the root of the repository that it is called from, if there is one, and reads public
   * registries without credentials. For dagger check.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @check()
  @func({ cache: "never" })
  async checkPublished(
    /** The repository that it is called from; Dagger passes it. */
    workspace: Workspace,
  ): Promise<void> {
    console.log(await this.pipelines().checkPublished(workspace));
  }

  /**
   * Check that every base image is pinned, and that its registry still has the pinned digest for every platform.
   *
   * Takes tgo.catalog.json and tgo.bases.json from the root of the repository that it is called from, if there are such.
   * For dagger check.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @check()
  @func({ cache: "never" })
  async checkBases(
    /** The repository that it is called from; Dagger passes it. */
    workspace: Workspace,
  ): Promise<void> {
    console.log(await this.pipelines().checkBases(workspace));
  }

  /**
   * Build every service and smoke-test every variant, and publish nothing.
   *
   * Takes tgo.catalog.json, tgo.bases.json and repos from the root of the repository that it is called from, if there are
   * such. For dagger check.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @check()
  @func({ cache: "never" })
  async checkSmoke(
    /** The repository that it is called from; Dagger passes it. */
    workspace: Workspace,
  ): Promise<void> {
    console.log(await this.pipelines().checkSmoke(workspace));
  }

  /**
   * Pin base images to their current digests in tgo.bases.json, at the root of the repository that it is called from.
   *
   * For dagger generate; as a check, it fails when a base image has a newer digest.
   *
   * With dagger call, the constructor's flags come before the function's name: registries, credentials, mirrors,
   * platforms and more, listed by dagger call --help.
   */
  @generate()
  @func({ cache: "never" })
  async refreshBases(
    /** The repository that it is called from; Dagger passes it. */
    workspace: Workspace,
  ): Promise<Changeset> {
    return this.pipelines().refreshBases(workspace);
  }

  /** Only the `tgo` command passes a host, and a client: it runs some functions without an engine. */
  private pipelines(host?: HostOptions, client: Client = dag): Pipelines {
    return this.setup.pipelines(client, host);
  }
}

await answerCall([Tgo, Setup, Image, Candidate, Release, Verification], dag);
