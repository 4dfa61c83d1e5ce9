import { bringVersion, preflightRegistries } from "@tgo/publishing";
import type { ReportFormat } from "@tgo/report";
import type { Call } from "./call.js";
import { runRelease, type ReleaseFlags } from "./release-run.js";

/** The tags of a version that is out: nothing is built. */
export function promote(
  call: Call,
  names: readonly string[],
  flags: ReleaseFlags,
  format: ReportFormat,
): Promise<string> {
  const run = { command: "promote", names, flags, source: {}, format } as const;
  return runRelease(call, run, async (context, selected, version) => ({
    before: await preflightRegistries(
      context,
      selected.map(({ name }) => name),
    ),
    bring: (name, service) => bringVersion(context, { name, service, version: version.text }),
  }));
}
