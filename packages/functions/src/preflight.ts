import { preflight as check } from "@tgo/publishing";
import type { ReportFormat } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import { finishReport } from "./finish-report.js";
import { releaseVersion, type VersionFlags } from "./release-version.js";
import { prepareOptions, selectBuilds, type SourceArguments } from "./source-arguments.js";

/** Whether a release could begin, and everything blocking it. Without a version: whether a publish could. */
export async function preflight(
  call: Call,
  names: readonly string[],
  flags: VersionFlags & SourceArguments,
  format: ReportFormat,
): Promise<string> {
  const started = performance.now();
  const context = await openContext(call);
  const of =
    flags.version === undefined && flags.gitTag === undefined
      ? undefined
      : releaseVersion(flags, Object.keys(context.catalog.services));
  const selected = selectBuilds(context, of?.service === undefined ? names : [of.service], flags);
  const version = of === undefined ? {} : { version: of.version.text };
  const options = { ...prepareOptions(flags), ...version, patient: false };
  const { ready, services, problems } = await check(context, selected, options);
  const repeat = `--service ${names.join(",")}${of === undefined ? "" : ` --version ${of.version.text}`}`;
  const run = { command: "preflight", ok: ready, services, started, flags: repeat, format } as const;
  return finishReport(context, run, { ...version, problems });
}
