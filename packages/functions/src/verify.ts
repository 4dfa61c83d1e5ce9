import type { PrepareOptions } from "@tgo/builders";
import {
  candidateTag,
  prepareCandidate,
  recordedProofs,
  registryRows,
  reportService,
  variantRows,
  verifyTag,
} from "@tgo/publishing";
import { defined, type ReportFormat, type ServiceReport } from "@tgo/report";
import type { Call } from "./call.js";
import type { Context } from "./context.js";
import { reportServices } from "./report-services.js";
import type { ShellArguments } from "./shell-arguments.js";
import { prepareOptions, type SelectedService, type SourceArguments } from "./source-arguments.js";

export type VerifyFlags = ShellArguments<{
  /** Tag to verify; the source's candidate when absent. */
  tag: string;
}> & {
  /** Read every layer, and check the architecture of every binary. */
  readonly elf: boolean;
};

/** Compares what the registries have with the plan, and with each other. */
export function verify(
  call: Call,
  names: readonly string[],
  source: SourceArguments & VerifyFlags,
  format: ReportFormat,
): Promise<string> {
  return reportServices(call, { command: "verify", names, source, format }, (context, selected) =>
    verifyService(context, selected, prepareOptions(source), source),
  );
}

/** Never throws for the service's own failure. */
function verifyService(
  context: Context,
  selected: SelectedService,
  options: PrepareOptions,
  { tag, elf }: VerifyFlags,
): Promise<ServiceReport> {
  const { name, service } = selected;
  return reportService(context, name, async () => {
    const wanted = tag ?? candidateTag((await prepareCandidate(context, name, service, options)).key);
    const { allowForeign } = service;
    const verification = await verifyTag(context, name, context.targets, wanted, { elf, allowForeign });
    const proofs = await recordedProofs(context, selected, verification);
    return defined({
      service: name,
      state: verification.ok ? ("verified" as const) : ("failed" as const),
      revision: verification.annotations["org.opencontainers.image.revision"],
      tag: wanted,
      digest: verification.digest,
      variants: variantRows(context, verification, {
        proofOf: ({ digest }) => proofs.get(digest),
        recorded: true,
      }),
      registries: registryRows(context.targets, name, wanted, verification),
      problems: [],
      notes: [],
    });
  });
}
