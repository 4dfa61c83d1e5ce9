import type { PrepareOptions } from "@tgo/builders";
import {
  candidateTag,
  prepareCandidate,
  recordedProofs,
  rowsOfVerification,
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
  /** Tag to verify; by default the source's candidate. */
  tag: string;
}> & {
  /** Read every layer, and check the architecture of every binary. */
  readonly elf: boolean;
};

/** Compares the images in the registries with the plan, and with each other. */
export function verify(
  call: Call,
  names: readonly string[],
  source: SourceArguments & VerifyFlags,
  format: ReportFormat,
): Promise<string> {
  const flags = { tag: source.tag, "elf=false": !source.elf };
  return reportServices(call, { command: "verify", names, source, format, flags }, (context, selected) =>
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
    const verified = tag ?? candidateTag((await prepareCandidate(context, name, service, options)).key);
    const { allowForeign } = service;
    const verification = await verifyTag(context, name, context.targets, verified, { elf, allowForeign });
    const { proofs, built } = await recordedProofs(context, selected, verification.variants, verified);
    return defined({
      service: name,
      state: verification.ok ? ("verified" as const) : ("failed" as const),
      revision: verification.annotations["org.opencontainers.image.revision"],
      tag: verified,
      digest: verification.digest,
      variants: variantRows(context, verification, ({ digest }) => proofs.get(digest)),
      registries: rowsOfVerification(context.targets, name, verified, verification),
      problems: [],
      notes:
        built === undefined || built === verification.digest
          ? []
          : [`not the image that this engine built as ${verified}: ${built}`],
    });
  });
}
