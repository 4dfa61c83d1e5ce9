import type { Service } from "@tgo/catalog";
import type { ServiceReport } from "@tgo/report";
import {
  attempt,
  candidateTag,
  prepareCandidate,
  registryRows,
  variantRows,
  verifyTag,
} from "@tgo/publishing";
import type { Context } from "./context.js";
import { type PrepareOptions } from "@tgo/builders";

/**
 * Holds a tag of all registries against the plan: the candidate of this source when none is named. Never throws for
 * the service's own failure.
 */
export async function verifyService(
  context: Context,
  name: string,
  service: Service,
  options: PrepareOptions,
  { tag, elf }: { tag: string | undefined; elf: boolean },
): Promise<ServiceReport> {
  return attempt(context, name, async () => {
    const wanted = tag ?? candidateTag((await prepareCandidate(context, name, service, options)).key);
    const verification = await verifyTag(context, name, context.targets, wanted, {
      elf,
      allowForeign: service.allowForeign,
    });
    return {
      service: name,
      state: verification.ok ? "verified" : "failed",
      revision: verification.annotations["org.opencontainers.image.revision"],
      tag: wanted,
      digest: verification.digest,
      variants: variantRows(context, verification),
      registries: registryRows(context.targets, name, wanted, verification),
      problems: [],
      notes: [],
    };
  });
}
