import type { Client, Container, Directory } from "@dagger.io/dagger";
import { selectServices, type Catalog, type Service } from "@tgo/catalog";
import { TgoError, problemOf } from "@tgo/errors";
import { parseReleaseTag, parseVersion, formatReasons, type Gate, type Version } from "@tgo/release-rules";
import {
  type OutputFormat,
  type Report,
  type ReportFormat,
  type ServiceReport,
  describePruned,
  describeStatus,
} from "@tgo/report";
import {
  type PublishOutcome,
  bringCandidate,
  bringService,
  candidateOf,
  publishService,
  releaseServices,
  type ReleaseService,
  preflight,
  preflightRegistries,
  type Preflight,
  prune,
  statusOf,
  bringVersion,
  nowhere,
} from "@tgo/publishing";
import { finishReport, FunctionFailed } from "./finish-report.js";
import { createContext, loadCatalog, loadPins, readBaseLock, type Context } from "./context.js";
import type { Options, Product } from "./options.js";
import type { HostOptions } from "./host.js";
import { lockBases } from "./lock-bases.js";
import { describePlan, describeServices } from "./plan.js";
import { checkValues, prepareBuild, type PrepareOptions } from "@tgo/builders";
import { buildAndTest } from "@tgo/proof";
import { smokeService } from "./smoke.js";
import { verifyService } from "./verify.js";

/** The arguments every function about a source takes. */
export interface SourceArguments {
  readonly source?: Directory | undefined;
  readonly revision?: string | undefined;
  readonly created?: string | undefined;
  readonly value?: readonly string[] | undefined;
}

export interface ReleaseFlags {
  readonly version?: string | undefined;
  readonly allowBackwards: boolean;
  readonly adoptLatest: boolean;
}

export interface PruneFlags {
  /** Age from which a tag may go. */
  readonly days: number;
  readonly keep: number;
  readonly undated: boolean;
  readonly remove: boolean;
}

/** The module's functions, without decorators: what a shell parses, this calls and renders. */
export class Pipelines {
  constructor(
    private readonly client: Client,
    private readonly product: Product,
    private readonly options: Options,
    private readonly host: HostOptions = {},
  ) {}

  async services(format: OutputFormat): Promise<string> {
    return describeServices(await this.catalog(), format);
  }

  async plan(service: readonly string[], format: OutputFormat): Promise<string> {
    const [catalog, pins] = await Promise.all([
      this.catalog(),
      loadPins(this.product, this.options.baseLock),
    ]);
    return describePlan(catalog, service, this.options.platform, format, pins);
  }

  /** The text of a base lock with what the base images' tags stand for now. */
  async lockBases(service: readonly string[]): Promise<string> {
    const { baseLock } = this.options;
    // A shell empties the file it writes into before this reads it: > tgo.bases.json of that same lock.
    const emptied = baseLock !== undefined && (await baseLock.contents()).trim() === "";
    const options = emptied ? { ...this.options, baseLock: undefined } : this.options;
    const context = await createContext(this.client, this.product, options, this.host);
    const file = options.baseLock === undefined ? {} : await readBaseLock(options.baseLock);
    return lockBases(context, service, file);
  }

  /** One variant of a service, built and checked, as a container. */
  async build(name: string, source: SourceArguments): Promise<Container> {
    if ((this.options.platform?.length ?? 0) > 1) {
      throw new TgoError("USAGE", "build makes one platform's variant at a time", {
        remedy: "Give one --platform; publish makes all of them.",
      });
    }
    const context = await createContext(this.client, this.product, this.options, this.host);
    const platform = context.platforms.includes(context.native) ? context.native : context.platforms[0];
    const one = { ...context, platforms: context.platforms.filter((candidate) => candidate === platform) };
    const [selected] = select(one, [name], source);
    if (selected === undefined) throw new TgoError("USAGE", "no service given");
    const request = await prepareBuild(one, selected.name, selected.service, prepareOptions(source));
    const { built } = await buildAndTest(one, request, { smoke: false });
    const [variant] = built.variants;
    if (variant === undefined) throw new TgoError("BUILD", `${name} has no variant`);
    return variant.container;
  }

  smoke(service: readonly string[], source: SourceArguments, format: ReportFormat): Promise<string> {
    return this.report("smoke", service, source, format, smokeService);
  }

  publish(
    service: readonly string[],
    source: SourceArguments,
    version: string | undefined,
    format: ReportFormat,
  ): Promise<string> {
    const text = version === undefined ? undefined : parseVersion(version, "--version").text;
    return this.report("publish", service, source, format, (context, name, definition, options) =>
      publishService(context, name, definition, { ...options, version: text }),
    );
  }

  /** Candidates of all services, one gate, then the version's tags, and latest last. */
  async release(
    service: readonly string[],
    wishes: ReleaseFlags & { readonly gitTag?: string | undefined },
    source: SourceArguments,
    format: ReportFormat,
  ): Promise<string> {
    return this.released("release", service, wishes, source, format, async (context, selected, version) => {
      const options = { ...prepareOptions(source), version: version.text };
      const before = await preflight(context, selected, { ...options, patient: true });
      return {
        before,
        bring: (name, definition) => {
          const prepared = before.prepared.get(name);
          return prepared === undefined
            ? bringService(context, name, definition, options)
            : bringCandidate(context, candidateOf(context, prepared));
        },
      };
    });
  }

  /** The tags of a version that is out: nothing is built. */
  async promote(service: readonly string[], wishes: ReleaseFlags, format: ReportFormat): Promise<string> {
    return this.released("promote", service, wishes, {}, format, async (context, selected, version) => ({
      before: await preflightRegistries(
        context,
        selected.map(({ name }) => name),
      ),
      bring: (name) => bringVersion(context, name, version.text),
    }));
  }

  /** Whether a release could begin, and all that speaks against it. Without a version: whether a publish could. */
  async preflight(
    names: readonly string[],
    version: { readonly version?: string | undefined; readonly gitTag?: string | undefined },
    source: SourceArguments,
    format: ReportFormat,
  ): Promise<string> {
    const started = performance.now();
    const context = await createContext(this.client, this.product, this.options, this.host);
    const of =
      version.version === undefined && version.gitTag === undefined
        ? undefined
        : wanted(version, Object.keys(context.catalog.services));
    const selected = select(context, of?.service === undefined ? names : [of.service], source);
    const text = of?.version.text;
    const { ready, services, problems } = await preflight(context, selected, {
      ...prepareOptions(source),
      version: text,
      patient: false,
    });
    const flags = `--service ${names.join(",")}${text === undefined ? "" : ` --version ${text}`}`;
    const ended = { command: "preflight", ok: ready, services, started, flags, format } as const;
    return finishReport(context, ended, { version: text, problems });
  }

  /** What is out, in every registry. */
  async status(service: readonly string[], format: OutputFormat): Promise<string> {
    const context = await createContext(this.client, this.product, this.options, this.host);
    const selected = selectServices(context.catalog, service);
    return describeStatus(await statusOf(context, selected, context.catalog.release), format);
  }

  /** Candidate and staging tags that nothing released points to. */
  async prune(
    service: readonly string[],
    { days, keep, undated, remove }: PruneFlags,
    format: OutputFormat,
  ): Promise<string> {
    const context = await createContext(this.client, this.product, this.options, this.host);
    const selected = selectServices(context.catalog, service);
    const before = new Date(Date.now() - days * 24 * 3600 * 1000);
    const pruned = await prune(context, selected, { before, keep, undated, remove });
    const text = describePruned(pruned, remove, format);
    if (pruned.some(({ problem }) => problem !== undefined)) throw new FunctionFailed(text);
    return text;
  }

  verify(
    service: readonly string[],
    { tag, elf }: { tag?: string | undefined; elf: boolean },
    source: SourceArguments,
    format: ReportFormat,
  ): Promise<string> {
    return this.report("verify", service, source, format, (context, name, definition, options) =>
      verifyService(context, name, definition, options, { tag, elf }),
    );
  }

  private async released(
    command: "release" | "promote",
    names: readonly string[],
    wishes: ReleaseFlags & { readonly gitTag?: string | undefined },
    source: SourceArguments,
    format: ReportFormat,
    begin: (context: Context, selected: readonly Selected[], version: Version) => Promise<Begun>,
  ): Promise<string> {
    const started = performance.now();
    const context = await createContext(this.client, this.product, this.options, this.host);
    const { version, service } = wanted(wishes, Object.keys(context.catalog.services));
    const selected = select(context, service === undefined ? names : [service], source);
    const flags = `--service ${names.join(",")} --version ${version.text}`;
    const { before, bring } = await begin(context, selected, version);
    if (!before.mayBegin) {
      const { services, problems } = before;
      const gate = { open: false, reasons: [NOT_BEGUN], later: [] };
      const ended = { command, ok: false, services, started, flags, format };
      return finishReport(context, ended, { version: version.text, gate, problems });
    }
    for (const { what, where } of before.problems)
      context.progress.note({ step: "preflight" }, where === undefined ? what : `${what} (${where})`);
    const entrants = selected.map(({ name, service: definition }): ReleaseService => ({
      service: name,
      policy: context.catalog.release,
      bring: () => bring(name, definition),
    }));
    const { ok, gate, services, record, stopped } = await releaseServices(context, entrants, {
      version,
      allowBackwards: wishes.allowBackwards,
      adopt: wishes.adoptLatest,
      promotes: command === "promote",
      pipeline: context.pipeline,
    });
    const unknown = command === "promote" && stopped === undefined ? nowhere(services) : undefined;
    if (unknown !== undefined) {
      const ended = { command, ok: false, services: [], started, flags, format };
      return finishReport(context, ended, { version: version.text, problems: [unknown] });
    }
    return finishReport(
      context,
      { command, ok, services, started, flags, format },
      {
        version: version.text,
        gate: stopped !== undefined && !gate.open ? undefined : gateReport(gate),
        record,
        problems: stopped === undefined ? undefined : [problemOf(stopped)],
      },
    );
  }

  private catalog(): Promise<Catalog> {
    return loadCatalog(this.product.catalog, this.options);
  }

  /** Runs one stage for every service at once, and throws a report that is not ok. */
  private async report(
    command: Report["command"],
    names: readonly string[],
    source: SourceArguments,
    format: ReportFormat,
    run: (
      context: Context,
      name: string,
      service: Service,
      options: PrepareOptions,
    ) => Promise<ServiceReport>,
  ): Promise<string> {
    const started = performance.now();
    const context = await createContext(this.client, this.product, this.options, this.host);
    const selected = select(context, names, source);
    const services = await Promise.all(
      selected.map(({ name, service }) => run(context, name, service, prepareOptions(source))),
    );
    const ok = services.every(({ state }) => state !== "failed");
    const flags = `--service ${names.join(",")}`;
    return finishReport(context, { command, ok, services, started, flags, format });
  }
}

function gateReport(gate: Gate): NonNullable<Report["gate"]> {
  return {
    open: gate.open,
    reasons: gate.open ? [] : formatReasons(gate.reasons),
    later: formatReasons(gate.later),
  };
}

/** Why a release has not begun; the problems themselves are told beside it. */
const NOT_BEGUN = "preflight found what must be mended first: nothing was built, and nothing was pushed";

interface Selected {
  readonly name: string;
  readonly service: Service;
}

/** What was asked before a release, and how its services' images are brought. */
interface Begun {
  readonly before: Pick<Preflight, "services" | "problems" | "mayBegin">;
  readonly bring: (name: string, service: Service) => Promise<PublishOutcome>;
}

/** Which version is wanted, and of which service when a Git tag says so. */
function wanted(
  { version, gitTag }: { readonly version?: string | undefined; readonly gitTag?: string | undefined },
  services: readonly string[],
): { readonly version: Version; readonly service?: string | undefined } {
  if (gitTag !== undefined && version === undefined) return parseReleaseTag(gitTag, services);
  if (version !== undefined && gitTag === undefined) return { version: parseVersion(version, "--version") };
  throw new TgoError(
    "USAGE",
    version === undefined ? "which version?" : "--version and --git-tag say it twice",
    {
      remedy: "Give one of them: --version 1.2.3, or --git-tag v1.2.3 as CI systems have it.",
    },
  );
}

function select(
  context: Context,
  names: readonly string[],
  source: SourceArguments,
): { name: string; service: Service }[] {
  const selected = selectServices(context.catalog, names);
  checkValues(source.value ?? [], selected);
  return selected;
}

function prepareOptions({ source, revision, created, value }: SourceArguments): PrepareOptions {
  return { source, revision, created, values: value };
}
