import { bringVersion, preflightRegistries } from "@tgo/publishing";
import type { ReportFormat } from "@tgo/report";
import type { Call } from "./call.js";
import { runRelease, type ReleaseFlags } from "./release-run.js";

/** Moves the floating tags to a version already released. Builds nothing. */
export function promote(
  call: Call,
  names: readonly string[],
  flags: ReleaseFlags,
  format: ReportFormat,
): Promise<string> {
  const run = { command: "promote", names, flags, source: {}, format } as const;
  return runRelease(call, run, async (context, selected, version) => ({
    preflight: await preflightRegistries(
      context,
      selected.map(({ name }) => name),
    ),
    bring: (name, service) => bringVersion(context, { name, service, version: version.text }),
  }));
}
