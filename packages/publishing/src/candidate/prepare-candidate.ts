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
    const prepared = await completeCandidate(context, request);
    context.ledger?.addCandidate(prepared);
    return prepared;
  });
}

/**
 * Completes a request to a candidate: resolves the base images to digests and derives the key.
 * @throws TgoError SOURCE
 */
export async function completeCandidate(
  { buildHash }: Pick<PublishContext, "buildHash">,
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
  return { request, key, bases, buildHash };
}
