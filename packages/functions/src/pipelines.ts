import type { Client, Container } from "@dagger.io/dagger";
import { detailsOf, isTgoError, TgoError } from "@tgo/errors";
import type { OutputFormat, ReportFormat } from "@tgo/report";
import { build } from "./build.js";
import type { Call } from "./call.js";
import { commandStart, nameCommands } from "./commands.js";
import type { HostOptions } from "./host.js";
import { lockBases } from "./lock-bases.js";
import type { Options, Product } from "./options.js";
import { plan } from "./plan.js";
import { preflight } from "./preflight.js";
import { promote } from "./promote.js";
import { prune, type PruneFlags } from "./prune.js";
import { publish } from "./publish.js";
import { release } from "./release.js";
import type { ReleaseFlags } from "./release-run.js";
import type { VersionFlags } from "./release-version.js";
import { services } from "./services.js";
import type { ShellArguments } from "./shell-arguments.js";
import { smoke } from "./smoke.js";
import type { SourceArguments } from "./source-arguments.js";
import { status } from "./status.js";
import { verify, type VerifyFlags } from "./verify.js";

/** The module's functions without decorators: a shell parses its arguments and calls one of these. */
export class Pipelines {
  readonly #call: Call;

  constructor(client: Client, product: Product, options: Options, host: HostOptions = {}) {
    this.#call = { client, product, options, host };
  }

  services(format: OutputFormat): Promise<string> {
    return this.#text(services(this.#call, format));
  }

  plan(names: readonly string[], format: OutputFormat): Promise<string> {
    return this.#text(plan(this.#call, names, format));
  }

  lockBases(names: readonly string[]): Promise<string> {
    return this.#text(lockBases(this.#call, names));
  }

  build(name: string, source: SourceArguments): Promise<Container> {
    return build(this.#call, name, source).catch((error: unknown) => this.#fail(error));
  }

  smoke(names: readonly string[], source: SourceArguments, format: ReportFormat): Promise<string> {
    return this.#text(smoke(this.#call, names, source, format));
  }

  publish(
    names: readonly string[],
    source: SourceArguments & ShellArguments<{ version: string }>,
    format: ReportFormat,
  ): Promise<string> {
    return this.#text(publish(this.#call, names, source, format));
  }

  preflight(
    names: readonly string[],
    flags: VersionFlags & SourceArguments,
    format: ReportFormat,
  ): Promise<string> {
    return this.#text(preflight(this.#call, names, flags, format));
  }

  release(
    names: readonly string[],
    flags: ReleaseFlags & SourceArguments,
    format: ReportFormat,
  ): Promise<string> {
    return this.#text(release(this.#call, names, flags, format));
  }

  promote(names: readonly string[], flags: ReleaseFlags, format: ReportFormat): Promise<string> {
    return this.#text(promote(this.#call, names, flags, format));
  }

  status(names: readonly string[], format: OutputFormat): Promise<string> {
    return this.#text(status(this.#call, names, format));
  }

  prune(names: readonly string[], flags: PruneFlags, format: OutputFormat): Promise<string> {
    return this.#text(prune(this.#call, names, flags, format));
  }

  verify(
    names: readonly string[],
    source: SourceArguments & VerifyFlags,
    format: ReportFormat,
  ): Promise<string> {
    return this.#text(verify(this.#call, names, source, format));
  }

  /** A text ends with a newline: Dagger prints it as it is, and the shell's prompt would follow on its last line. */
  async #text(text: Promise<string>): Promise<string> {
    const result = await text.catch((error: unknown) => this.#fail(error));
    return result.endsWith("\n") ? result : `${result}\n`;
  }

  /** @throws the error, its remedy's commands as this shell's user types them */
  async #fail(error: unknown): Promise<never> {
    const { options, host } = this.#call;
    const named = isTgoError(error) ? withCommands(error, await commandStart(options, host)) : error;
    // Dagger appends a trace's id to the message: not to its last line, which may be a command to copy.
    if (named instanceof Error && host.local !== true) named.message = `${named.message.trimEnd()}\n`;
    throw named;
  }
}

function withCommands(error: TgoError, start: string): TgoError {
  const { code, what, remedy } = error;
  if (remedy === undefined) return error;
  const details = { ...detailsOf(error), remedy: nameCommands(remedy, start), cause: error };
  return new TgoError(code, what, details);
}
