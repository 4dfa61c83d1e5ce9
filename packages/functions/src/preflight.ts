import { problemOf, type Problem } from "@tgo/errors";
import { preflight as check } from "@tgo/publishing";
import type { Version } from "@tgo/release-rules";
import { defined, type ReportFormat } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import type { Context } from "./context.js";
import { finishReport } from "./finish-report.js";
import { holdToGuards, type GuardedRelease } from "./release-guards.js";
import { releaseVersion, type VersionFlags } from "./release-version.js";
import { prepareOptions, selectBuilds, sourceFlags, type SourceArguments } from "./source-arguments.js";

/** Reports whether a release could start, and everything blocking it; without a version, whether a publish could. */
export async function preflight(
  call: Call,
  names: readonly string[],
  flags: VersionFlags & SourceArguments,
  format: ReportFormat,
): Promise<string> {
  const started = performance.now();
  const context = await openContext(call);
  const tag =
    flags.version === undefined && flags.gitTag === undefined
      ? undefined
      : releaseVersion(flags, Object.keys(context.catalog.services));
  const selected = selectBuilds(context, tag?.service === undefined ? names : [tag.service], flags);
  const version = tag === undefined ? {} : { version: tag.version.text };
  const source = { ...prepareOptions(flags), ...version, ...defined({ gitTag: flags.gitTag }) };
  const options = { ...source, timeouts: "short" } as const;
  const { version: given, gitTag } = flags;
  const guarded = { version: tag?.version, gitTag, services: selected.map((each) => each.name) };
  const [checked, refused] = await Promise.all([
    check(context, selected, options),
    refusedByGuards(context, guarded),
  ]);
  const { services } = checked;
  const problems = [...refused, ...checked.problems];
  const ready = checked.ready && refused.length === 0;
  const repeated = { service: names.join(","), version: given, gitTag, ...sourceFlags(flags) };
  const run = { command: "preflight", ok: ready, services, started, flags: repeated, format } as const;
  return finishReport(context, run, { ...version, problems });
}

/** What `release` would be refused for; nothing without a version. */
async function refusedByGuards(
  context: Context,
  { version, ...release }: Omit<GuardedRelease, "version"> & { readonly version: Version | undefined },
): Promise<Problem[]> {
  if (version === undefined) return [];
  try {
    await holdToGuards(context, { ...release, version });
    return [];
  } catch (error) {
    return [problemOf(error)];
  }
}
