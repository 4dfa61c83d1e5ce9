import type { Changeset, Client, Container, Directory, Workspace } from "@dagger.io/dagger";
import { detailsOf, isTgoError, TgoError } from "@tgo/errors";
import type { OutputFormat, ReportFormat } from "@tgo/report";
import { build } from "./build.js";
import type { CombineFlags, ImportFlags, InspectFlags, ReproduceFlags, SbomFlags } from "./images.js";
import type { Call } from "./call.js";
import { commandStart, nameCommands } from "./commands.js";
import { withOwnLastLine } from "./function-failed.js";
import type { HostOptions } from "./host.js";
import type { PublishedCandidate, ReleasedImage, VerifiedImage } from "./module-objects.js";
import type { Options, Product } from "./options.js";
import type { PruneFlags } from "./prune.js";
import { publish, type PublishFlags } from "./publish.js";
import type { ReleaseFlags } from "./release-run.js";
import type { VersionFlags } from "./release-version.js";
import { refuseEmpty } from "./refuse-empty.js";
import { services } from "./services.js";
import type { ShellArguments } from "./shell-arguments.js";
import { smoke, type SmokeFlags } from "./smoke.js";
import type { SourceArguments } from "./source-arguments.js";
import type { BuildVariantFlags } from "./variants/build-variant.js";
import { verify, type VerifyFlags } from "./verify.js";

/** Functions on any image: loaded when one is called. */
const images = () => import("./images.js");

/** Functions on releases: loaded when one is called. */
const releases = () => import("./releases.js");

/** The module's functions without decorators: a shell parses its arguments and calls one of these. */
export class Pipelines {
  readonly #call: Call;

  constructor(client: Client, product: Product, options: Options, host: HostOptions = {}) {
    this.#call = { client, product, options, host };
  }

  /** @throws TgoError USAGE for an argument that is empty */
  #checked(names: readonly string[], flags: object = {}): Call {
    refuseEmpty({ ...this.#call.options, ...(names.length === 0 ? {} : { service: names }), ...flags });
    return this.#call;
  }

  /** @throws TgoError USAGE for an argument that is empty */
  #checkedFlags(flags: object): Call {
    refuseEmpty({ ...this.#call.options, ...flags });
    return this.#call;
  }

  async services(format: OutputFormat): Promise<string> {
    return this.#text(services(this.#checked([]), format));
  }

  async plan(names: readonly string[], format: OutputFormat): Promise<string> {
    const call = this.#checked(names);
    return this.#text(releases().then(({ plan }) => plan(call, names, format)));
  }

  async lockBases(names: readonly string[]): Promise<string> {
    const call = this.#checked(names);
    return this.#text(releases().then(({ lockBases }) => lockBases(call, names)));
  }

  async build(name: string, source: SourceArguments): Promise<Container> {
    return this.#named(build(this.#checked([name], source), name, source));
  }

  async smoke(
    names: readonly string[],
    source: SourceArguments & SmokeFlags,
    format: ReportFormat,
  ): Promise<string> {
    return this.#text(smoke(this.#checked(names, source), names, source, format));
  }

  async publish(
    names: readonly string[],
    source: SourceArguments & PublishFlags,
    format: ReportFormat,
  ): Promise<string> {
    const assembling = () => releases().then(({ withAssembly }) => withAssembly);
    return this.#text(publish(this.#checked(names, source), names, source, format, assembling));
  }

  async buildVariant(
    names: readonly string[],
    flags: SourceArguments & BuildVariantFlags,
    format: ReportFormat,
  ): Promise<string> {
    const call = this.#checked(names, flags);
    return this.#text(releases().then(({ buildVariant }) => buildVariant(call, names, flags, format)));
  }

  async preflight(
    names: readonly string[],
    flags: VersionFlags & SourceArguments,
    format: ReportFormat,
  ): Promise<string> {
    const call = this.#checked(names, flags);
    return this.#text(releases().then(({ preflight }) => preflight(call, names, flags, format)));
  }

  async release(
    names: readonly string[],
    flags: ReleaseFlags & SourceArguments,
    format: ReportFormat,
  ): Promise<string> {
    const call = this.#checked(names, flags);
    return this.#text(releases().then(({ release }) => release(call, names, flags, format)));
  }

  async promote(names: readonly string[], flags: ReleaseFlags, format: ReportFormat): Promise<string> {
    const call = this.#checked(names, flags);
    return this.#text(releases().then(({ promote }) => promote(call, names, flags, format)));
  }

  async status(names: readonly string[], format: OutputFormat): Promise<string> {
    const call = this.#checked(names);
    return this.#text(releases().then(({ status }) => status(call, names, format)));
  }

  async watch(names: readonly string[], format: OutputFormat): Promise<string> {
    const call = this.#checked(names);
    return this.#text(releases().then(({ watch }) => watch(call, names, format)));
  }

  async prune(names: readonly string[], flags: PruneFlags, format: OutputFormat): Promise<string> {
    const call = this.#checked(names, flags);
    return this.#text(releases().then(({ prune }) => prune(call, names, flags, format)));
  }

  /** Removes what {@link prune} lists. */
  async pruneApply(names: readonly string[], flags: PruneFlags, format: OutputFormat): Promise<string> {
    const call = this.#checked(names, flags);
    return this.#text(releases().then(({ pruneApply }) => pruneApply(call, names, flags, format)));
  }

  async candidate(name: string, flags: SourceArguments & PublishFlags): Promise<PublishedCandidate> {
    const call = this.#checked([name], flags);
    return this.#named(releases().then(({ publishCandidate }) => publishCandidate(call, name, flags)));
  }

  async releaseImage(
    name: string,
    flags: SourceArguments & { readonly version: string },
  ): Promise<ReleasedImage> {
    const moves = { allowBackwards: false, adoptLatest: false };
    const call = this.#checked([name], flags);
    const all = { ...flags, ...moves };
    return this.#named(releases().then(({ releaseImage }) => releaseImage(call, name, all)));
  }

  async verification(
    name: string,
    flags: SourceArguments & { readonly tag?: string | undefined },
  ): Promise<VerifiedImage> {
    const call = this.#checked([name], flags);
    return this.#named(releases().then(({ verification }) => verification(call, name, flags)));
  }

  async variant(
    name: string,
    candidate: Pick<PublishedCandidate, "platforms" | "manifests" | "references">,
    platform: string,
  ): Promise<Container> {
    const call = this.#checked([name]);
    return this.#named(releases().then(({ variant }) => variant(call, name, candidate, platform)));
  }

  async checkPublished(workspace: Workspace): Promise<string> {
    return this.#text(releases().then(({ checkPublished }) => checkPublished(this.#call, workspace)));
  }

  async checkBases(workspace: Workspace): Promise<string> {
    return this.#text(releases().then(({ checkBases }) => checkBases(this.#call, workspace)));
  }

  async checkSmoke(workspace: Workspace): Promise<string> {
    return this.#text(releases().then(({ checkSmoke }) => checkSmoke(this.#call, workspace)));
  }

  async refreshBases(workspace: Workspace): Promise<Changeset> {
    return this.#named(releases().then(({ refreshBases }) => refreshBases(this.#call, workspace)));
  }

  async verify(
    names: readonly string[],
    source: SourceArguments & VerifyFlags,
    format: ReportFormat,
  ): Promise<string> {
    return this.#text(verify(this.#checked(names, withoutNone(source)), names, source, format));
  }

  async inspect(references: readonly string[], flags: InspectFlags, format: OutputFormat): Promise<string> {
    const call = this.#checkedFlags({ reference: references, ...flags });
    return this.#text(images().then(({ inspect }) => inspect(call, references, flags, format)));
  }

  async tags(
    references: readonly string[],
    flags: ShellArguments<{ digest: string }>,
    format: OutputFormat,
  ): Promise<string> {
    const call = this.#checkedFlags({ reference: references, ...flags });
    return this.#text(images().then(({ tags }) => tags(call, references, flags, format)));
  }

  async diff(
    references: readonly string[],
    flags: { readonly semantic: boolean },
    format: OutputFormat,
  ): Promise<string> {
    const call = this.#checkedFlags({ reference: references });
    return this.#text(images().then(({ diff }) => diff(call, references, flags, format)));
  }

  async combine(references: readonly string[], flags: CombineFlags, format: OutputFormat): Promise<string> {
    const call = this.#checkedFlags({ reference: references, ...flags });
    return this.#text(images().then(({ combine }) => combine(call, references, flags, format)));
  }

  async sbom(reference: string, flags: SbomFlags): Promise<string> {
    const call = this.#checkedFlags({ reference });
    return this.#text(images().then(({ sbom }) => sbom(call, reference, flags)));
  }

  async reproduce(reference: string, flags: ReproduceFlags, format: OutputFormat): Promise<string> {
    const call = this.#checkedFlags({ reference });
    return this.#text(images().then(({ reproduce }) => reproduce(call, reference, flags, format)));
  }

  async export(reference: string): Promise<Directory> {
    const call = this.#checkedFlags({ reference });
    return this.#named(images().then(({ exportImage }) => exportImage(call, reference)));
  }

  async import(layout: Directory, flags: ImportFlags, format: OutputFormat): Promise<string> {
    const call = this.#checkedFlags(flags);
    return this.#text(images().then(({ importImage }) => importImage(call, layout, flags, format)));
  }

  async #named<T>(result: Promise<T>): Promise<T> {
    return result.catch((error: unknown) => this.#fail(error));
  }

  /** A text ends with a newline: Dagger prints it as it is, and the shell's prompt would follow on its last line. */
  async #text(text: Promise<string>): Promise<string> {
    const result = await this.#named(text);
    return result.endsWith("\n") ? result : `${result}\n`;
  }

  /** @throws the error, its remedy's commands as this shell's user types them */
  async #fail(error: unknown): Promise<never> {
    const { options, host } = this.#call;
    const named = isTgoError(error) ? withCommands(error, await commandStart(options, host)) : error;
    throw host.local === true ? named : withOwnLastLine(named);
  }
}

/** A module's list of references is empty where none is given. */
function withoutNone({
  reference = [],
  ...flags
}: {
  readonly reference?: readonly string[] | undefined;
}): object {
  return reference.length === 0 ? flags : { ...flags, reference };
}

function withCommands(error: TgoError, start: string): TgoError {
  const { code, what, remedy } = error;
  if (remedy === undefined) return error;
  const details = { ...detailsOf(error), remedy: nameCommands(remedy, start), cause: error };
  return new TgoError(code, what, details);
}
