import {
  baseImage,
  buildBases,
  catalogImages,
  startInputChecks,
  readRequest,
  refuseUnreleasable,
  type BuildBases,
  type BuildContext,
  type BuildRequest,
  type PrepareOptions,
} from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import type { Problem } from "@tgo/errors";
import type { CheckReport } from "@tgo/report";
import { completeCandidate } from "../candidate/prepare-candidate.js";
import type { Prepared } from "../candidate/prepared.js";
import type { PublishContext } from "../targets/publish-context.js";
import { checkOf } from "./check-lines.js";
import { problemsOf, runCheck } from "./problems.js";

/** The inputs of a service's build. */
export interface Inputs {
  /** Absent if the source cannot be read. */
  readonly request: BuildRequest | undefined;
  /** Absent also if a base image is missing. */
  readonly prepared: Prepared | undefined;
  readonly problems: readonly Problem[];
  /** Each check with its result. */
  readonly checks: readonly CheckReport[];
}

/** Reads the source, and resolves every base image for every platform. */
export async function readInputs(
  context: PublishContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<Inputs> {
  const { value: request, problems } = await runCheck(() => readRequest(context, name, service, options));
  if (request === undefined) {
    // Base images named in the catalog can be checked without the source.
    const bases = await checkBases(context, catalogImages(context, service.build));
    const checks = [
      checkOf("source", problems, []),
      checkOf("base images", bases, ["found for every platform"]),
    ];
    return { request, prepared: undefined, problems: [...problems, ...bases], checks };
  }
  const unreleasable = await problemsOf(() => {
    refuseUnreleasable(request);
  });
  const resolved = await runCheck(() => completeCandidate(context, request));
  const missing = resolved.value === undefined ? await checkAllBases(request) : [];
  const { revision } = request.source;
  return {
    request,
    prepared: resolved.value,
    problems: [...unreleasable, ...resolved.problems, ...missing],
    checks: [
      checkOf("source", unreleasable, [`revision ${revision}`]),
      checkOf("base images", [...resolved.problems, ...missing], ["found for every platform"]),
    ],
  };
}

/** Checks a build's lock, files and secrets. */
export async function checkBuild(request: BuildRequest): Promise<readonly Problem[]> {
  const found = await Promise.all(startInputChecks(request).map((check) => problemsOf(() => check)));
  return found.flat();
}

/** Resolving stops at the first missing base image; this finds the others. */
async function checkAllBases(request: BuildRequest): Promise<readonly Problem[]> {
  const { value } = await runCheck(() => buildBases(request));
  return checkBases(request.context, value?.images ?? []);
}

async function checkBases(context: BuildContext, images: BuildBases["images"]): Promise<readonly Problem[]> {
  const found = await Promise.all(
    images.map(({ reference, platform }) => problemsOf(() => baseImage(context, reference, platform))),
  );
  return found.flat();
}
