import { bringService, preflight } from "@tgo/publishing";
import { defined, type ReportFormat } from "@tgo/report";
import { waitTime } from "./assemble-flags.js";
import type { Call } from "./call.js";
import { runRelease, type ReleaseFlags } from "./release-run.js";
import { prepareOptions, type SourceArguments } from "./source-arguments.js";
import { withAssembly } from "./variants/with-assembly.js";

/** Publishes all services' candidates, passes one gate, then writes the version's tags, `latest` last. */
export function release(
  call: Call,
  names: readonly string[],
  flags: ReleaseFlags & SourceArguments,
  format: ReportFormat,
): Promise<string> {
  const run = { command: "release", names, flags, source: flags, format } as const;
  const { fullSmoke = false, strictParity = false, assemble = false } = flags;
  waitTime(flags);
  return runRelease(call, run, async (opened, selected, version) => {
    const taking = assemble ? withAssembly(opened, flags) : opened;
    const context = { ...taking, fullSmoke, strictParity };
    const options = { ...prepareOptions(flags), version: version.text, ...defined({ gitTag: flags.gitTag }) };
    const checks = await preflight(context, selected, { ...options, timeouts: "release" });
    return {
      preflight: checks,
      bring: (name, service) => bringService(context, name, service, options, checks.prepared.get(name)),
    };
  });
}
