import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildInputs } from "@tgo/attestation";
import { buildVariants, readRequest, standardLabels, type PrepareOptions } from "@tgo/builders";
import { Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { finaliseVariants, readStagedArchive, type FinalImage } from "@tgo/image";
import * as v from "@tgo/schemas";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { completeCandidate } from "../candidate/prepare-candidate.js";
import type { PublishContext } from "../targets/publish-context.js";

/**
 * Builds an image again from the inputs that its provenance lists, and computes what would be published. Writes to no
 * registry, and runs no test.
 * @param context its base images are those of the inputs, its platforms too
 * @param source where the source is; without one, the inputs' commit is read from git
 * @throws TgoError SOURCE when the source, or anything else that decides the image, is another one; BUILD
 */
export async function rebuildImage(
  context: PublishContext,
  inputs: BuildInputs,
  source: PrepareOptions["source"],
): Promise<FinalImage> {
  const { service: name, source: wanted, values, version } = inputs;
  const service = readDefinition(inputs);
  const request = await context.progress.step({ step: "prepare", service: name }, () =>
    readRequest(context, name, service, {
      ...(source === undefined ? {} : { source }),
      ...(version === undefined ? {} : { version }),
      revision: wanted.revision,
      created: wanted.created,
      values: Object.entries(values).map(([key, value]) => `${key}=${value}`),
    }),
  );
  if (wanted.hash !== "" && request.source.hash !== wanted.hash)
    throw otherSource(inputs, source !== undefined);
  const prepared = await completeCandidate(context, request);
  if (prepared.key !== inputs.key)
    throw new TgoError("SOURCE", "what is built now differs from what the provenance lists", {
      where: name,
      remedy: `The candidate of the provenance is ${inputs.key}, this one is ${prepared.key}. Report this: the inputs are the same.`,
    });
  const { variants } = await context.progress.step({ step: "build", service: name }, () =>
    buildVariants(prepared.request),
  );
  const [first, ...others] = variants;
  if (first === undefined) throw new TgoError("INTERNAL", `${name} has no variant`);
  return context.progress.step({ step: "finalise", service: name }, async () => {
    // A module may write only what is below its own folder.
    const folder = await mkdtemp(context.host.local === true ? join(tmpdir(), "tgo-rebuilt-") : "rebuilt-");
    try {
      const path = join(folder, "image.tar");
      // A new array for every call: the SDK replaces its elements with ids.
      const archive = first.container.asTarball({
        platformVariants: others.map(({ container }) => container),
      });
      await archive.export(path);
      const labels = standardLabels(prepared.request);
      return finaliseVariants(
        await readStagedArchive(path),
        {
          platforms: [...context.platforms],
          created: prepared.request.source.created,
          annotations: { ...labels, [CANDIDATE_ANNOTATION]: prepared.key },
          manifestAnnotations: labels,
          history: "drop",
        },
        name,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** @throws TgoError USAGE when the definition is not one that this version reads */
function readDefinition({ definition, source: { repository, path } }: BuildInputs): Service {
  const parsed = v.safeParse(Service, { ...(definition as object), source: { repository, path } });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new TgoError(
    "USAGE",
    `the provenance's definition of the service cannot be read: ${v.describeIssue(issue)}`,
    {
      remedy: "Rebuild the image with the program that built it.",
    },
  );
}

function otherSource({ service, source }: BuildInputs, isGiven: boolean): TgoError {
  const { revision, path, repository } = source;
  return new TgoError("SOURCE", `the source of ${service} is not the one that the image was built from`, {
    where: path,
    remedy: isGiven
      ? `Pass the source at ${revision}, without changes: git -C DIR checkout ${revision}.`
      : `${repository} at ${revision} has other files than at the time of the build. Pass the source with --source.`,
  });
}
