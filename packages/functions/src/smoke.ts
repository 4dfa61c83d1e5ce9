import { prepareBuild, type PrepareOptions } from "@tgo/builders";
import { buildAndTest, notesOf } from "@tgo/proof";
import { checkedFiles, reportService } from "@tgo/publishing";
import type { ReportFormat, ServiceReport } from "@tgo/report";
import type { Call } from "./call.js";
import type { Context } from "./context.js";
import { reportServices } from "./report-services.js";
import type { ShellArguments } from "./shell-arguments.js";
import { prepareOptions, type SelectedService, type SourceArguments } from "./source-arguments.js";

export type SmokeFlags = ShellArguments<{
  /** Whether runs repeat on every platform what a native run tells of the others. */
  fullSmoke: boolean;
  /** Whether differences between the platforms' contents are a failure, not a note. */
  strictParity: boolean;
}>;

/** Builds, checks and smoke-tests every variant of the services. Publishes nothing. */
export function smoke(
  call: Call,
  names: readonly string[],
  source: SourceArguments & SmokeFlags,
  format: ReportFormat,
): Promise<string> {
  const { fullSmoke = false, strictParity = false } = source;
  const flags = { fullSmoke, strictParity };
  return reportServices(call, { command: "smoke", names, source, format, flags }, (context, selected) =>
    smokeService({ ...context, ...flags }, selected, prepareOptions(source)),
  );
}

/** Never throws for the service's own failure. */
function smokeService(
  context: Context,
  { name, service }: SelectedService,
  options: PrepareOptions,
): Promise<ServiceReport> {
  return reportService(context, name, async () => {
    const request = await prepareBuild(context, name, service, options);
    const { built, proofs } = await buildAndTest(context, request);
    return {
      service: name,
      state: "smoke ok",
      revision: request.source.revision,
      variants: context.platforms.map((platform) => {
        const proof = proofs.find((one) => one.platform === platform);
        if (proof === undefined) return { platform };
        const { smoke: run, machines } = proof;
        return {
          platform,
          elf: checkedFiles(proof),
          ...(run === undefined ? {} : { smoke: { ok: true, ...run, recorded: false } }),
          ...(machines === undefined ? {} : { machines }),
        };
      }),
      registries: [],
      problems: [],
      notes: [...built.notes, ...notesOf(proofs)],
    };
  });
}
