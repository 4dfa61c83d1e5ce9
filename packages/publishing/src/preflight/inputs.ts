import type { Problem } from "@tgo/errors";
import type { PublishContext } from "../targets/publish-context.js";
import type { Service } from "@tgo/catalog";
import {
  buildBases,
  catalogImages,
  inputChecks,
  type BuildBases,
  type BuildRequest,
  baseImage,
  type BuildContext,
  openRequest,
  refuseUnreleasable,
  type PrepareOptions,
} from "@tgo/builders";
import { keyOf, type Prepared } from "../candidate/prepare-candidate.js";
import { checked, problemsOf } from "./problems.js";

/** What a service is to be built of. */
export interface Inputs {
  /** Absent when its source cannot be read. */
  readonly request: BuildRequest | undefined;
  /** Absent when a base is missing, too. */
  readonly prepared: Prepared | undefined;
  readonly problems: readonly Problem[];
}

/** The source, and every base on every platform. */
export async function readInputs(
  context: PublishContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<Inputs> {
  const { value: request, problems } = await checked(() => openRequest(context, name, service, options));
  if (request === undefined) {
    // What the catalog names can be asked for without a source.
    const bases = await checkBases(context, catalogImages(context, service.build));
    return { request, prepared: undefined, problems: [...problems, ...bases] };
  }
  const unreleasable = await problemsOf(() => {
    refuseUnreleasable(request);
  });
  const completed = await checked(() => keyOf(context, request));
  const incomplete = completed.value === undefined ? await checkAllBases(request) : [];
  return {
    request,
    prepared: completed.value,
    problems: [...unreleasable, ...completed.problems, ...incomplete],
  };
}

/** The lock, the files and the secrets of a build. */
export async function checkBuild(request: BuildRequest): Promise<readonly Problem[]> {
  const found = await Promise.all(inputChecks(request).map((check) => problemsOf(() => check)));
  return found.flat();
}

/** The first base that is missing is not the only one, perhaps. */
async function checkAllBases(request: BuildRequest): Promise<readonly Problem[]> {
  const { value } = await checked(() => buildBases(request));
  return checkBases(request.context, value?.images ?? []);
}

async function checkBases(context: BuildContext, images: BuildBases["images"]): Promise<readonly Problem[]> {
  const found = await Promise.all(
    images.map(({ reference, platform }) => problemsOf(() => baseImage(context, reference, platform))),
  );
  return found.flat();
}
