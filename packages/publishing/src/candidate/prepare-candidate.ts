import type { Service } from "@tgo/catalog";
import {
  type BuildRequest,
  readRequest,
  refuseUnreleasable,
  resolveRequest,
  type PrepareOptions,
} from "@tgo/builders";
import { candidateKey } from "./candidate-key.js";
import type { PublishContext } from "../targets/publish-context.js";
import type { Prepared } from "./prepared.js";

/**
 * Reads the source, resolves the bases to digests and derives the candidate's key. Builds nothing.
 * @throws TgoError SOURCE, USAGE
 */
export async function prepareCandidate(
  context: PublishContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<Prepared> {
  return context.progress.step({ step: "prepare", service: name }, async () => {
    const request = await readRequest(context, name, service, options);
    refuseUnreleasable(request);
    return completeCandidate(context, request);
  });
}

/**
 * Completes a request to a candidate: resolves the base images to digests and derives the key. The ledger remembers it,
 * whether a publish or a release's preflight asked for it.
 * @throws TgoError SOURCE
 */
export async function completeCandidate(
  { buildHash, ledger }: Pick<PublishContext, "buildHash" | "ledger">,
  unresolved: BuildRequest,
): Promise<Prepared> {
  const { request, bases } = await resolveRequest(unresolved);
  const { name, service, platforms, source, values, version } = request;
  const key = candidateKey({
    service: name,
    definition: service,
    platforms,
    source,
    bases,
    values,
    buildHash,
    version,
  });
  const prepared = { request, key, bases, buildHash };
  ledger?.addCandidate(prepared);
  return prepared;
}
