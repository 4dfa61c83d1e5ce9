import type { Report, ReportFormat, ServiceReport } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import type { Arguments } from "./commands.js";
import type { Context } from "./context.js";
import { finishReport } from "./finish-report.js";
import type { SigningFlags } from "./signing-flags.js";
import { openSigningContext } from "./signing.js";
import { selectBuilds, sourceFlags, type SelectedService, type SourceArguments } from "./source-arguments.js";

/**
 * Runs a function for all selected services at once, and renders the report.
 * @throws ReportError when a service failed; TgoError CATALOG, USAGE
 */
export async function reportServices(
  call: Call,
  options: {
    readonly command: Report["command"];
    readonly names: readonly string[];
    readonly source: SourceArguments;
    readonly format: ReportFormat;
    /** Further flags. */
    readonly flags?: Arguments;
    /** For a function that signs what it publishes. */
    readonly signing?: SigningFlags;
  },
  run: (context: Context, selected: SelectedService) => Promise<ServiceReport>,
): Promise<string> {
  const { command, names, source, format, flags, signing } = options;
  const started = performance.now();
  const context = signing === undefined ? await openContext(call) : await openSigningContext(call, signing);
  const selected = selectBuilds(context, names, source);
  const services = await Promise.all(selected.map((one) => run(context, one)));
  const ok = services.every(({ state }) => state !== "failed");
  return finishReport(context, {
    command,
    ok,
    services,
    started,
    flags: { service: names.join(","), ...sourceFlags(source), ...flags, ...signing },
    format,
  });
}
