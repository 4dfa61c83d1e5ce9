/**
 * Publish containers of several platforms as one image, under one digest in several registries, and verify any image.
 *
 * Every binary's architecture is checked before a tag is written: a container's platform is only what it says of itself.
 */
import { dag, func, object, type Container, type Secret, type Service } from "@dagger.io/dagger";
import { MultiarchFunctions } from "../lib/core.js";

/** Output format of a report. */
export enum ReportFormat {
  /** Plain-text tables, for terminals. */
  Text = "text",
  /** One JSON document, for programs. */
  Json = "json",
  /** Markdown, for CI job summaries. */
  Markdown = "markdown",
  /** A self-contained HTML page, for browsers. */
  Html = "html",
}

/** Publish and verify multi-arch images. */
@object()
export class Multiarch {
  private dockerConfig: Secret | undefined;
  private registryService: Service[] | undefined;
  private mirror: string[] | undefined;
  private hosts: string[] = [];
  private usernames: string[] = [];
  private passwords: Secret[] = [];

  constructor(
    /** Docker config.json with registry credentials: file:$HOME/.docker/config.json. */
    dockerConfig?: Secret,
    /** Connections to registries that the engine cannot reach itself, one per host in the order of the references. */
    registryService?: Service[],
    /** Mirror of the registry of the check's own image, Docker Hub: docker.io=mirror.example.com/hub. */
    mirror?: string[],
  ) {
    this.dockerConfig = dockerConfig;
    this.registryService = registryService;
    this.mirror = mirror;
  }

  /** Add credentials for a registry; they come before those of the Docker config. */
  @func()
  withLogin(
    /** Registry as references name it, such as ghcr.io or localhost:5001. */
    host: string,
    /** User name. */
    username: string,
    /** Password or access token. */
    password: Secret,
  ): Multiarch {
    const next = new Multiarch(this.dockerConfig, this.registryService, this.mirror);
    next.hosts = [...this.hosts, host];
    next.usernames = [...this.usernames, username];
    next.passwords = [...this.passwords, password];
    return next;
  }

  /**
   * Publish containers, one for each platform, as one image; returns the references with its digest.
   *
   * Refuses a variant with a binary for another architecture, two variants of one platform, and a tag that has another
   * image. The same variants, time and annotations make the same digest. Verifies every registry afterwards.
   */
  @func({ cache: "never" })
  async publish(
    /** Containers, one for each platform. */
    variants: Container[],
    /** References with a tag, one for each registry: ghcr.io/me/app:1.2.3. */
    registries: string[],
    /** Time of the image, RFC 3339 or Unix seconds; 1980-01-01 if omitted. */
    created?: string,
    /** Annotations of the index: NAME=value. */
    annotation?: string[],
    /** Files for another architecture that are only data: patterns, such as /opt/x86/. */
    allowForeign?: string[],
    /** Move tags that have another image. A version's tag never moves. */
    adoptLatest: boolean = false,
  ): Promise<string[]> {
    return this.functions().publish(variants, registries, { created, annotation, allowForeign, adoptLatest });
  }

  /**
   * Verify images by their references, and compare them with each other.
   *
   * Platforms, architectures, layers and, unless --elf=false, the machine of every binary. Exits with 1 if a check fails.
   */
  @func({ cache: "never" })
  async verify(
    /** References of images, such as ghcr.io/me/app:1.2.3. */
    reference: string[],
    /** Read every layer and check the architecture of every ELF file. */
    elf: boolean = true,
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<string> {
    return this.functions().verify(reference, { elf }, format);
  }

  private functions(): MultiarchFunctions {
    const { dockerConfig, registryService, mirror, hosts, usernames, passwords } = this;
    const logins = passwords.map((password, at) => ({
      host: hosts[at] ?? "",
      username: usernames[at] ?? "",
      password,
    }));
    const given = logins.length === 0 ? {} : { logins };
    return new MultiarchFunctions(dag, { dockerConfig, registryService, mirror, ...given });
  }
}
