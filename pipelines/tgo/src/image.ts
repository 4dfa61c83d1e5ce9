import { dag, func, object, type Container, type Directory, type File, type Secret } from "@dagger.io/dagger";
import { loginOf, renderRecord, renderReport, type Options, type Pipelines } from "../lib/core.js";
import { ReportFormat } from "./formats.js";
import { Setup } from "./setup.js";

/** One service's image: say where its source is and where it goes, then publish, release or verify it. */
@object()
export class Image {
  private setup: Setup = new Setup();
  private service: string = "";
  private source: Directory | undefined;
  private revision: string | undefined;
  private created: string | undefined;
  private values: string[] = [];
  private platforms: string[] = [];
  private registries: string[] = [];
  private loginHosts: string[] = [];
  private usernames: string[] = [];
  private passwords: Secret[] = [];

  /** Take the source from this directory, instead of the one that the catalog names. */
  @func()
  withSource(
    /** Source directory: the service's own, or one that contains repos/SERVICE or SERVICE. */
    source: Directory,
    /** Source commit; read from .git if omitted, else dev-HASH. */
    revision?: string,
    /** Commit time, RFC 3339 or Unix seconds; read from .git if omitted, else 1980-01-01. */
    created?: string,
  ): Image {
    return this.with({ source, revision, created });
  }

  /** Add a registry; those that are added take the place of the catalog's and of the constructor's. */
  @func()
  withRegistry(
    /** Registry as references name it, such as ghcr.io or localhost:5001. */
    host: string,
    /** The image's repository in it, such as me/app; {service} stands for the service's name. */
    repository: string,
    /** User name; needed with a password. */
    username?: string,
    /** Password or access token. */
    password?: Secret,
  ): Image {
    const registries = [...this.registries, `${host}/${repository}`];
    const login = loginOf(host, username, password);
    if (login === undefined) return this.with({ registries });
    return this.with({
      registries,
      loginHosts: [...this.loginHosts, host],
      usernames: [...this.usernames, login.username],
      passwords: [...this.passwords, login.password],
    });
  }

  /** Add a build value, which the service must declare. */
  @func()
  withValue(
    /** Name of the value. */
    name: string,
    /** Value to build with. */
    value: string,
  ): Image {
    return this.with({ values: [...this.values, `${name}=${value}`] });
  }

  /** Add a platform; those that are added take the place of the constructor's and of the catalog's. */
  @func()
  withPlatform(
    /** Platform to build: linux/amd64 or linux/arm64. */
    platform: string,
  ): Image {
    return this.with({ platforms: [...this.platforms, platform] });
  }

  /**
   * Build, check and smoke-test the image, and publish it to every registry as a candidate.
   *
   * Once for all functions of the result, in one session. Fails with the report if a registry does not have it afterwards.
   */
  @func({ cache: "session" })
  async candidate(
    /** Version built into the image, such as 1.2.3. Version tags are written by release only. */
    version?: string,
  ): Promise<Candidate> {
    const found = await this.pipelines().candidate(this.service, { ...this.sourceArguments(), version });
    return Object.assign(new Candidate(), { image: this, ...found });
  }

  /**
   * Release a version of the image: candidate, version tag, floating tags, latest last.
   *
   * Once for all functions of the result, in one session. Fails with the report if the release is not complete.
   */
  @func({ cache: "session" })
  async release(
    /** Version to release: 1.2.3, or a prerelease such as 1.2.3-rc.1, which moves no floating tag. */
    version: string,
  ): Promise<Release> {
    const released = await this.pipelines().releaseImage(this.service, {
      ...this.sourceArguments(),
      version,
    });
    return Object.assign(new Release(), released);
  }

  /**
   * Verify the image in every registry; what is wrong with it is a value and no failure.
   *
   * Once for all functions of the result, in one session: after a publish in the same session, ask for its tag.
   */
  @func({ cache: "session" })
  async verification(
    /** Tag to verify, such as latest; the source's candidate if omitted. */
    tag?: string,
  ): Promise<Verification> {
    const verified = await this.pipelines().verification(this.service, { ...this.sourceArguments(), tag });
    return Object.assign(new Verification(), verified);
  }

  private with(changes: object): Image {
    return Object.assign(new Image(), this, changes);
  }

  private sourceArguments() {
    const { source, revision, created, values } = this;
    return { source, revision, created, value: values.length === 0 ? undefined : values };
  }

  private pipelines(): Pipelines {
    const { service, platforms, registries, loginHosts, usernames, passwords } = this;
    const logins = passwords.map((password, at) => ({
      host: loginHosts[at] ?? "",
      username: usernames[at] ?? "",
      password,
    }));
    const changes: Options = {
      ...(platforms.length === 0 ? {} : { platform: platforms }),
      ...(registries.length === 0 ? {} : { repositories: { service, names: registries } }),
      ...(logins.length === 0 ? {} : { logins }),
    };
    return this.setup.pipelines(dag, undefined, changes);
  }
}

/** A published candidate. */
@object()
export class Candidate {
  private image: Image = new Image();
  private platforms: string[] = [];
  private manifests: string[] = [];
  private json: string = "";

  /** Digest of the index, the same in every registry. */
  @func()
  digest: string = "";

  /** References by digest, one for each registry that has it. */
  @func()
  references: string[] = [];

  /** The candidate's key, as its tag has it: a hash of all that can change a byte of it. */
  @func()
  key: string = "";

  /** The image of one platform, from the first registry that has it. */
  @func({ cache: "session" })
  async variant(
    /** Platform of the image: linux/amd64 or linux/arm64. */
    platform: string,
  ): Promise<Container> {
    const { image, platforms, manifests, references } = this;
    return image["pipelines"]().variant(image["service"], { platforms, manifests, references }, platform);
  }

  /** The report of the publish. */
  @func()
  report(
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<File> {
    return reportFile(this.json, format);
  }
}

/** A complete release of the image. */
@object()
export class Release {
  private json: string = "";

  /** Version that was released, without a v. */
  @func()
  version: string = "";

  /** Digest of the index, the same under every tag in every registry. */
  @func()
  digest: string = "";

  /** References by tag: those that have the version's image now. */
  @func()
  tags: string[] = [];

  /** The release's record, as it is attached to the image: release.json. */
  @func()
  record(): File {
    return dag.file("release.json", renderRecord(this.json));
  }

  /** The report of the release. */
  @func()
  report(
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<File> {
    return reportFile(this.json, format);
  }
}

/** What a verification found. */
@object()
export class Verification {
  private json: string = "";

  /** Whether every registry has the whole image, and all checks passed. */
  @func()
  ok: boolean = false;

  /** What is wrong, with where and what to do; empty if nothing is. */
  @func()
  problems: string[] = [];

  /** Digest of the index that was verified; empty if no registry has one. */
  @func()
  digest: string = "";

  /** The whole result. */
  @func()
  report(
    /** Output format: text, json, markdown or html. */
    format: ReportFormat = ReportFormat.Text,
  ): Promise<File> {
    return reportFile(this.json, format);
  }
}

const EXTENSIONS: Readonly<Record<ReportFormat, string>> = {
  [ReportFormat.Text]: "txt",
  [ReportFormat.Json]: "json",
  [ReportFormat.Markdown]: "md",
  [ReportFormat.Html]: "html",
};

async function reportFile(json: string, format: ReportFormat): Promise<File> {
  return dag.file(`report.${EXTENSIONS[format]}`, await renderReport(json, format));
}
