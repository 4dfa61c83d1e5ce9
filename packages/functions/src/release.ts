import { bringCandidate, bringService, candidateOf, preflight } from "@tgo/publishing";
import type { ReportFormat } from "@tgo/report";
import type { Call } from "./call.js";
import { runRelease, type ReleaseFlags } from "./release-run.js";
import { prepareOptions, type SourceArguments } from "./source-arguments.js";

/** Candidates of all services, one gate, then the version's tags, and `latest` last. */
export function release(
  call: Call,
  names: readonly string[],
  flags: ReleaseFlags & SourceArguments,
  format: ReportFormat,
): Promise<string> {
  const run = { command: "release", names, flags, source: flags, format } as const;
  return runRelease(call, run, async (context, selected, version) => {
    const options = { ...prepareOptions(flags), version: version.text };
    const before = await preflight(context, selected, { ...options, patient: true });
    return {
      before,
      bring: (name, service) => {
        const prepared = before.prepared.get(name);
        return prepared === undefined
          ? bringService(context, name, service, options)
          : bringCandidate(context, candidateOf(context, prepared));
      },
    };
  });
}
