import type { Service } from "@tgo/catalog";
import { problemOf, type Problem } from "@tgo/errors";
import {
  releaseServices,
  versionNowhere,
  type Preflight,
  type PublishOutcome,
  type ReleaseService,
} from "@tgo/publishing";
import { formatReasons, type Gate, type Version } from "@tgo/release-rules";
import { defined, type Report, type ReportFormat } from "@tgo/report";
import type { AssembleFlags } from "./assemble-flags.js";
import type { Call } from "./call.js";
import type { Context } from "./context.js";
import { finishReport } from "./finish-report.js";
import { releaseVersion, type VersionFlags } from "./release-version.js";
import type { SigningFlags } from "./signing-flags.js";
import { holdToGuards } from "./release-guards.js";
import { openSigningContext } from "./signing.js";
import { selectBuilds, sourceFlags, type SelectedService, type SourceArguments } from "./source-arguments.js";

export type ReleaseFlags = VersionFlags &
  AssembleFlags &
  SigningFlags & {
    /** Allow moving tags to an older version. */
    readonly allowBackwards: boolean;
    /** Move floating tags whose present version is unknown. */
    readonly adoptLatest: boolean;
    /** Whether smoke runs repeat on every platform what a native run tells of the others. */
    readonly fullSmoke?: boolean;
    /** Of a release: whether differences between the platforms' contents are a failure, not a note. */
    readonly strictParity?: boolean | undefined;
  };

export interface ReleaseRun {
  readonly command: "release" | "promote";
  readonly names: readonly string[];
  readonly flags: ReleaseFlags;
  readonly source: SourceArguments;
  readonly format: ReportFormat;
}

/** The preflight of a release, and the function that brings a service's image to the required registries. */
export interface ReleaseStart {
  readonly preflight: Pick<Preflight, "services" | "problems" | "canStart" | "existing">;
  readonly bring: (name: string, service: Service) => Promise<PublishOutcome>;
}

/** Why the gate is closed; the report lists the problems themselves. */
const NOT_STARTED =
  "preflight found problems that must be fixed first: nothing was built, nothing was pushed";

/**
 * A release or a promotion: preflight, images, one gate, tags.
 * @throws ReportError when it is incomplete; TgoError CATALOG, USAGE
 */
export async function runRelease(
  call: Call,
  { command, names, flags, source, format }: ReleaseRun,
  start: (context: Context, selected: readonly SelectedService[], version: Version) => Promise<ReleaseStart>,
): Promise<string> {
  const started = performance.now();
  const { signingKey, signingKeyPassword, identityToken } = flags;
  const signing = { signingKey, signingKeyPassword, identityToken };
  // A promotion knows nothing of the image but what is attached to it.
  const context = await openSigningContext(call, signing, { carriesAll: command === "promote" });
  const { version, service } = releaseVersion(flags, Object.keys(context.catalog.services));
  const selected = selectBuilds(context, service === undefined ? names : [service], source);
  const { version: given, gitTag, allowBackwards, adoptLatest, fullSmoke, strictParity } = flags;
  const { assemble, wait, requireNative } = flags;
  const repeated = {
    ...{ service: names.join(","), version: given, gitTag },
    ...{ allowBackwards, adoptLatest, fullSmoke, strictParity, assemble, wait, requireNative },
    ...signing,
  };
  const run = { command, started, flags: { ...repeated, ...sourceFlags(source) }, format };
  // A promotion writes no version.
  if (command === "release")
    await holdToGuards(context, { version, gitTag, services: selected.map(({ name }) => name) });
  const { preflight, bring } = await start(context, selected, version);
  if (!preflight.canStart) {
    const { services, problems, existing } = preflight;
    const gate = { open: false, ...defined({ existing }), reasons: [NOT_STARTED], later: [] };
    return finishReport(context, { ...run, ok: false, services }, { version: version.text, gate, problems });
  }
  for (const { what, where } of preflight.problems)
    context.progress.note({ step: "preflight" }, where === undefined ? what : `${what} (${where})`);
  const members = selected.map(({ name, service: definition }): ReleaseService => ({
    service: name,
    policy: context.catalog.release,
    bring: () => bring(name, definition),
  }));
  const { ok, gate, services, record, interruption } = await releaseServices(context, members, {
    version,
    allowBackwards: flags.allowBackwards,
    adopt: flags.adoptLatest,
    promotes: command === "promote",
    pipeline: context.pipeline,
  });
  const nowhere = command === "promote" && interruption === undefined ? versionNowhere(services) : undefined;
  if (nowhere !== undefined) {
    const problems = [nowhere];
    return finishReport(context, { ...run, ok: false, services: [] }, { version: version.text, problems });
  }
  const stopped = interruption === undefined ? [] : [problemOf(interruption)];
  const problems = [...stopped, ...versionTaken(gate, version.text)];
  return finishReport(
    context,
    { ...run, ok, services },
    {
      version: version.text,
      ...(interruption !== undefined && !gate.open ? {} : { gate: gateReport(gate) }),
      ...(record === undefined ? {} : { record }),
      ...(problems.length === 0 ? {} : { problems }),
    },
  );
}

/** What to do about registries that have another image under the version, though its candidate is everywhere. */
function versionTaken(gate: Gate, version: string): Problem[] {
  const taken = gate.open ? [] : gate.reasons.filter(({ kind }) => kind === "version taken");
  if (taken.length === 0) return [];
  const places = taken.map(({ service, registry }) => `${service ?? ""} in ${registry ?? ""}`);
  return [
    {
      code: "CONFLICT",
      what: `${version} is another image than this release's: ${places.join(", ")}`,
      remedy:
        "A version's tag never changes: release this content as the next version. If the other image was pushed there " +
        "by mistake, delete its tag in that registry, and run the same command again.",
    },
  ];
}

function gateReport(gate: Gate): NonNullable<Report["gate"]> {
  return {
    open: gate.open,
    ...(gate.open ? {} : defined({ existing: gate.existing })),
    reasons: gate.open ? [] : formatReasons(gate.reasons),
    later: formatReasons(gate.later),
  };
}
