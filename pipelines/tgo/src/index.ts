/**
 * TGO's images: built for linux/amd64 and linux/arm64, published with one digest to every registry, and proven
 * before a tag moves.
 */
import {
  argument,
  dag,
  func,
  object,
  type Container,
  type Directory,
  type File,
  type Secret,
  type Service,
} from "@dagger.io/dagger";
import { Pipelines, type HostOptions } from "../lib/core.js";

/** How a result is printed. */
export enum Format {
  /** Tables for people. */
  Text = "text",
  /** One JSON document for programs. */
  Json = "json",
  /** Markdown for a CI job's summary. */
  Markdown = "markdown",
}

/** How a report is printed. */
export enum ReportFormat {
  /** Tables for people. */
  Text = "text",
  /** One JSON document for programs. */
  Json = "json",
  /** Markdown for a CI job's summary. */
  Markdown = "markdown",
  /** One page for a browser, on a phone or a desk; it needs no network. */
  Html = "html",
}

/** Builds, publishes and verifies TGO's multi-architecture images. */
@object()
export class Tgo {
  private catalog?: File;
  private registry?: string[];
  private registryService?: Service[];
  private platform?: string[];
  private baseLock?: File;
  private mirror?: string[];
  private dockerConfig?: Secret;
  private caBundle?: File;
  private netrc?: Secret;
  private npmrc?: Secret;
  private buildSecrets?: Secret;
  private repos?: Directory;

  constructor(
    /** Overrides of the built-in catalog: services, registries, mirrors (tgo.catalog.json). */
    catalog?: File,
    /** Registries to use instead of the catalog's: [name=]host[:port]/path[/{service}]. */
    registry?: string[],
    /** Connections for the registries, in their order, where the engine does not reach them: tcp://localhost:5001. */
    registryService?: Service[],
    /** Platforms to build: linux/amd64, linux/arm64. All of the catalog's when absent. */
    platform?: string[],
    /** Digests of base images, over the built-in ones (tgo.bases.json); lock-bases writes it. */
    baseLock?: File,
    /**
     * Mirrors, over the catalog's: pypi=URL, npm=URL, debian=URL, debian-security=URL, or the host of base images as
     * in docker.io=mirror.example.com/hub.
     */
    mirror?: string[],
    /** Docker's config.json with the registries' credentials: file:$HOME/.docker/config.json. */
    dockerConfig?: Secret,
    /** CA certificates (PEM) that build steps trust, for networks that inspect TLS. Never in an image. */
    caBundle?: File,
    /** Credentials of private Python package indexes, in the format of netrc: file:$HOME/.netrc. Never in an image. */
    netrc?: Secret,
    /** Credentials of private npm registries, in the format of .npmrc: file:$HOME/.npmrc. Never in an image. */
    npmrc?: Secret,
    /** Secrets of Dockerfile builds as NAME=value lines; each service declares which it uses: file:build.env. */
    buildSecrets?: Secret,
    /**
     * The repository around the module, of which repos/ is read: where sources come from when --source names none.
     * An argument of its own, because its ignore patterns would also apply to a --source.
     */
    @argument({ defaultPath: "/", ignore: ["**", "!repos/**"] }) repos?: Directory,
  ) {
    this.catalog = catalog;
    this.registry = registry;
    this.registryService = registryService;
    this.platform = platform;
    this.baseLock = baseLock;
    this.mirror = mirror;
    this.dockerConfig = dockerConfig;
    this.caBundle = caBundle;
    this.netrc = netrc;
    this.npmrc = npmrc;
    this.buildSecrets = buildSecrets;
    this.repos = repos;
  }

  /** Lists the services of the catalog. */
  @func()
  async services(
    /** text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().services(format);
  }

  /** Says what publish would do, without doing it. */
  @func()
  async plan(
    /** Services by name, or "all". */
    service: string[],
    /** text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().plan(service, format);
  }

  /**
   * Returns a base lock: the digests that the base images' tags stand for now, of services and of the tools that
   * build them. Each base must have every platform. Write it to tgo.bases.json, and pass that with --base-lock.
   */
  @func({ cache: "never" })
  async lockBases(
    /** Services by name; all when absent. The lock's entries for others are kept. */
    service: string[] = [],
  ): Promise<string> {
    return this.pipelines().lockBases(service);
  }

  /**
   * Builds one variant of a service, checks every file's machine, and returns it as a container: the engine's own
   * platform, or the one given with --platform.
   */
  @func({ cache: "never" })
  async build(
    /** Service by name. */
    service: string,
    /** The service's source, or a folder with repos/SERVICE or SERVICE in it. */
    source?: Directory,
    /** Commit the source is of; that of its .git when absent, else dev-HASH. */
    revision?: string,
    /** Time of that commit: RFC 3339, or seconds since 1970; from its .git when absent, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
  ): Promise<Container> {
    return this.pipelines().build(service, { source, revision, created, value });
  }

  /** Builds services and runs every variant in a network of its own; publishes nothing. */
  @func({ cache: "never" })
  async smoke(
    /** Services by name, or "all". */
    service: string[],
    /** The service's source, or a folder with repos/SERVICE or SERVICE in it. */
    source?: Directory,
    /** Commit the source is of; that of its .git when absent, else dev-HASH. */
    revision?: string,
    /** Time of that commit: RFC 3339, or seconds since 1970; from its .git when absent, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().smoke(service, { source, revision, created, value }, format);
  }

  /**
   * Builds services, checks and runs every variant, publishes one digest to every registry as a candidate, and
   * verifies it there. What a registry already holds is copied, not built again. No version tag moves.
   */
  @func({ cache: "never" })
  async publish(
    /** Services by name, or "all". */
    service: string[],
    /** The service's source, or a folder with repos/SERVICE or SERVICE in it. */
    source?: Directory,
    /** Commit the source is of; that of its .git when absent, else dev-HASH. */
    revision?: string,
    /** Time of that commit: RFC 3339, or seconds since 1970; from its .git when absent, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** Version the candidate is of, such as 1.2.3; part of its bytes. Its tags are written by release. */
    version?: string,
    /** text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().publish(service, { source, revision, created, value }, version, format);
  }

  /**
   * Says in seconds whether a release could begin, with everything that speaks against it at once: the right to push
   * to every registry, the version's tag, sources, locks, base images, clock, disk and emulation. Builds and pushes
   * nothing. Exits with 1 when something must be mended first.
   */
  @func({ cache: "never" })
  async preflight(
    /** Services by name, or "all". */
    service: string[] = ["all"],
    /** Version that is to be released: is its tag free, or held by this very candidate? */
    version?: string,
    /** Git tag that says it instead: v1.2.3, or tgo-api-v1.2.3 for one service. */
    gitTag?: string,
    /** The service's source, or a folder with repos/SERVICE or SERVICE in it. */
    source?: Directory,
    /** Commit the source is of; that of its .git when absent, else dev-HASH. */
    revision?: string,
    /** Time of that commit: RFC 3339, or seconds since 1970; from its .git when absent, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().preflight(
      service,
      { version, gitTag },
      { source, revision, created, value },
      format,
    );
  }

  /**
   * Releases a version: candidates of all services are built, proven and put into every registry; when all of them are
   * verified in all required registries, the version's tags are written, then the floating ones, and latest last. The
   * same command again finishes what was interrupted.
   */
  @func({ cache: "never" })
  async release(
    /** Services by name, or "all". */
    service: string[] = ["all"],
    /** Version to release: 1.2.3, or a prerelease such as 1.2.3-rc.1, which moves no other tag. */
    version?: string,
    /** Git tag that says it instead: v1.2.3, or tgo-api-v1.2.3 for one service. */
    gitTag?: string,
    /** The service's source, or a folder with repos/SERVICE or SERVICE in it. */
    source?: Directory,
    /** Commit the source is of; that of its .git when absent, else dev-HASH. */
    revision?: string,
    /** Time of that commit: RFC 3339, or seconds since 1970; from its .git when absent, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** Let floating tags go back to an older version. */
    allowBackwards: boolean = false,
    /** Take over floating tags of which nobody knows the version. */
    adoptLatest: boolean = false,
    /** text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    const wishes = { version, gitTag, allowBackwards, adoptLatest };
    return this.pipelines().release(service, wishes, { source, revision, created, value }, format);
  }

  /**
   * Moves the floating tags to a version that is out, and brings it to registries that lack it. Builds nothing. With
   * allow-backwards this is the way back to an older version.
   */
  @func({ cache: "never" })
  async promote(
    /** Version that is out already. */
    version: string,
    /** Services by name, or "all". */
    service: string[] = ["all"],
    /** Let floating tags go back to an older version. */
    allowBackwards: boolean = false,
    /** Take over floating tags of which nobody knows the version. */
    adoptLatest: boolean = false,
    /** text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().promote(service, { version, allowBackwards, adoptLatest }, format);
  }

  /** Shows what latest, the floating tags and the newest version are in every registry, and where they disagree. */
  @func({ cache: "never" })
  async status(
    /** Services by name, or "all". */
    service: string[] = ["all"],
    /** text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().status(service, format);
  }

  /** Lists candidate and staging tags that no version or floating tag points to, and removes them when told to. */
  @func({ cache: "never" })
  async prune(
    /** Services by name, or "all". */
    service: string[] = ["all"],
    /** Age in days from which a tag may go: that of its candidate's commit, as registries tell no other time. */
    days: number = 30,
    /** So many of the youngest candidates stay, however old. */
    keep: number = 0,
    /** Also remove what has no known time: staging tags without their candidate among it. */
    undated: boolean = false,
    /** Remove, instead of only listing. */
    remove: boolean = false,
    /** text, json or markdown. */
    format: Format = Format.Text,
  ): Promise<string> {
    return this.pipelines().prune(service, { days, keep, undated, remove }, format);
  }

  /**
   * Compares what the registries have with the plan: platforms, architectures, ELF machines, one digest
   * everywhere, anonymous pull where the catalog says so.
   */
  @func({ cache: "never" })
  async verify(
    /** Services by name, or "all". */
    service: string[],
    /** Tag to verify, such as latest; the source's candidate when absent. */
    tag?: string,
    /** Read every layer and check the machine of every ELF file in it. */
    elf: boolean = true,
    /** The service's source, or a folder with repos/SERVICE or SERVICE in it; used when no tag is given. */
    source?: Directory,
    /** Commit the source is of; that of its .git when absent, else dev-HASH. */
    revision?: string,
    /** Time of that commit: RFC 3339, or seconds since 1970; from its .git when absent, else 1980-01-01. */
    created?: string,
    /** Build values: NAME=value. */
    value?: string[],
    /** text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.pipelines().verify(service, { tag, elf }, { source, revision, created, value }, format);
  }

  /** Dagger passes no host; the `tgo` command does. */
  private pipelines(host?: HostOptions): Pipelines {
    const options = {
      catalog: this.catalog,
      registry: this.registry,
      registryService: this.registryService,
      platform: this.platform,
      baseLock: this.baseLock,
      mirror: this.mirror,
      dockerConfig: this.dockerConfig,
      caBundle: this.caBundle,
      netrc: this.netrc,
      npmrc: this.npmrc,
      buildSecrets: this.buildSecrets,
      repos: this.repos,
    };
    return new Pipelines(dag, options, host);
  }
}
