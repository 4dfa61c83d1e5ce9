import type { Container } from "@dagger.io/dagger";
import { parseCreated, UNKNOWN_TIME, type Variant } from "@tgo/builders";
import { problemOf, problemText, TgoError } from "@tgo/errors";
import { finaliseImage, pushImage } from "@tgo/image";
import { checkTag } from "@tgo/inspection";
import { testVariants } from "@tgo/proof";
import { pushStaging, repositoryOf } from "@tgo/publishing";
import type { Repository } from "@tgo/registry";
import type { Call } from "../call.js";
import type { Context } from "../context.js";
import { FunctionFailed } from "../function-failed.js";
import { annotationsOf } from "../images/annotation-flags.js";
import type { ShellArguments } from "../shell-arguments.js";
import { verifyReferences } from "../verify-references.js";
import { openDestinations, type Destination } from "./destinations.js";
import { variantsOf } from "./variants.js";

export type PublishVariantsFlags = ShellArguments<{
  /** Of the index: NAME=value. */
  annotation: readonly string[];
  /** Time of the image: RFC 3339, or seconds since 1970. */
  created: string;
  /** Patterns of files for another architecture that are only data. */
  allowForeign: readonly string[];
}> & {
  /** Move tags that have another image. A version's tag never moves. */
  readonly adoptLatest: boolean;
};

/** What the engine uploads before the image is finalised; each publish writes it again. */
const STAGING_TAG = "staging-multiarch";

/**
 * Publishes containers as one image: checks each variant's files, puts the same bytes into every registry, and verifies
 * them there. No tag is written before every registry has taken the layers, and every tag was seen to be free.
 * @param service of the product's catalog: its rules are those of the check
 * @param references with a tag each
 * @returns the references, each with the image's digest
 * @throws TgoError USAGE, CHECK; FunctionFailed that names every registry that failed
 */
export async function publishVariants(
  call: Call,
  service: string,
  containers: readonly Container[],
  references: readonly string[],
  { annotation = [], created, allowForeign = [], adoptLatest }: PublishVariantsFlags,
): Promise<string[]> {
  const time = created === undefined ? UNKNOWN_TIME : parseCreated(created);
  const annotations = annotationsOf(annotation);
  const to = await openDestinations(call, references);
  const variants = await variantsOf(containers);
  const { context, name, destinations } = to;
  await testVariants(context, subjectOf(context, { name, service, allowForeign }), variants, {
    smoke: false,
  });
  const staged = await forEach(destinations, (each) => stage(context, each, name, variants));
  const from = staged[0];
  if (from === undefined) throw new TgoError("INTERNAL", "there is no destination");
  const image = await context.progress.step({ step: "finalise", service: name }, () =>
    finaliseImage({
      source: from,
      platforms: variants.map(({ platform }) => platform),
      created: time,
      annotations,
      // The history that the engine writes differs from run to run.
      history: "drop",
    }),
  );
  const move = adoptLatest;
  await forEach(destinations, ({ tags }) =>
    Promise.all(tags.map((tag) => checkTag(tag, image.digest, { move }))),
  );
  await forEach(destinations, async ({ target, tags }) => {
    const own = repositoryIn(target, name);
    for (const { tag } of tags)
      await context.progress.step({ step: "tag", service: name, registry: target.name }, () =>
        pushImage(image, { to: own, from: own, tag, thorough: true }),
      );
  });
  const flags = { elf: false, fast: false, strictParity: false };
  await verifyReferences(call, to.references, flags, "text");
  return to.references.map((reference) => `${reference}@${image.digest}`);
}

function subjectOf(
  { catalog }: Context,
  { name, service, allowForeign }: { name: string; service: string; allowForeign: readonly string[] },
) {
  const rules = catalog.services[service];
  if (rules === undefined) throw new TgoError("INTERNAL", `the product has no service ${service}`);
  return { name, service: { ...rules, allowForeign: [...allowForeign] } };
}

/** Uploads the variants to a registry. @returns what the engine put there, by its digest */
async function stage(
  context: Context,
  { target }: Destination,
  service: string,
  variants: readonly Variant[],
): Promise<Repository & { readonly reference: string }> {
  const step = { step: "upload", service, registry: target.name };
  const reference = await context.progress.step(step, () =>
    pushStaging(context, { target, service, variants, tag: STAGING_TAG }),
  );
  return { ...repositoryIn(target, service), reference };
}

function repositoryIn(target: Destination["target"], service: string): Repository {
  return { registry: target.client, repository: repositoryOf(target, service) };
}

/**
 * Does something for every destination, whatever becomes of the others.
 * @throws FunctionFailed with the problems of all that failed
 */
async function forEach<T>(
  destinations: readonly Destination[],
  run: (destination: Destination) => Promise<T>,
): Promise<T[]> {
  const results = await Promise.allSettled(destinations.map(run));
  const problems = results.flatMap((result, at) =>
    result.status === "fulfilled"
      ? []
      : [problemText({ where: destinations[at]?.target.name, ...problemOf(result.reason) })],
  );
  if (problems.length > 0) throw new FunctionFailed(problems.join("\n"));
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}
