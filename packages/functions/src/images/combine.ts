import { TgoError } from "@tgo/errors";
import { parsePlatform, platformOf } from "@tgo/image";
import { combine as combineImages, renderCombination, type TagToWrite } from "@tgo/inspection";
import { formatReference, parseReference } from "@tgo/registry";
import type { OutputFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { FunctionFailed } from "../function-failed.js";
import { openReferences, requireReferences, type ReferenceContext } from "../references.js";
import type { ShellArguments } from "../shell-arguments.js";
import { annotationsOf } from "./annotation-flags.js";
import { sourceOf } from "./inspect.js";

export type CombineFlags = ShellArguments<{
  /** Tags that get the index. */
  to: readonly string[];
  /** NAME=value */
  annotation: readonly string[];
}> & {
  readonly adoptLatest: boolean;
  readonly dryRun: boolean;
};

/**
 * Makes one index of existing images, in several registries at once. Needs no engine.
 * @throws FunctionFailed with the result when a registry failed
 */
export async function combine(
  call: Call,
  texts: readonly string[],
  { to = [], annotation = [], adoptLatest, dryRun }: CombineFlags,
  format: OutputFormat,
): Promise<string> {
  requireReferences("combine", texts);
  if (to.length === 0)
    throw new TgoError("USAGE", "combine needs --to, the tag that gets the index", {
      remedy: "For example: --to ghcr.io/me/app:1.2.3. Give several to write it into several registries.",
    });
  const annotations = annotationsOf(annotation);
  const context = await openReferences(call, texts, to);
  const { images, clean, progress } = context;
  const targets = targetsOf(to, context);
  const platforms = (call.options.platform ?? []).map((text) => platformOf(parsePlatform(text)));
  const options = { platforms, annotations, move: adoptLatest, dryRun };
  const combination = await progress.step({ step: "combine" }, () =>
    combineImages(images.map(sourceOf), targets, options),
  );
  const text = clean(renderCombination(combination, format));
  if (combination.targets.some(({ state }) => state === "failed")) throw new FunctionFailed(text);
  return text;
}

/** Each tag once. @throws TgoError USAGE for a reference that names no tag */
export function targetsOf(to: readonly string[], { named }: Pick<ReferenceContext, "named">): TagToWrite[] {
  const texts = new Set(to.map((text) => formatReference(parseReference(text))));
  return [...texts].map((text) => {
    const reference = parseReference(text);
    const { repository, tag, digest } = reference;
    if (tag === undefined || digest !== undefined)
      throw new TgoError("USAGE", `--to "${text}" must name a tag, and no digest`, {
        remedy: "For example: --to ghcr.io/me/app:1.2.3.",
      });
    return { registry: named(reference).registry, repository, tag };
  });
}
