import { preflight as check } from "@tgo/publishing";
import { defined, type ReportFormat } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import { finishReport } from "./finish-report.js";
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
  const { ready, services, problems } = await check(context, selected, options);
  const { version: given, gitTag } = flags;
  const repeated = { service: names.join(","), version: given, gitTag, ...sourceFlags(flags) };
  const run = { command: "preflight", ok: ready, services, started, flags: repeated, format } as const;
  return finishReport(context, run, { ...version, problems });
}
