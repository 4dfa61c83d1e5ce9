import { TgoError } from "@tgo/errors";
import { parsePlatform, platformOf } from "@tgo/image";
import { diffImages, renderDiff } from "@tgo/inspection";
import type { OutputFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { FunctionFailed } from "../function-failed.js";
import { openReferences } from "../references.js";
import { sourceOf } from "./inspect.js";

/**
 * Compares two images. Needs no engine.
 * @throws FunctionFailed with the differences, as `diff` itself ends with 1
 */
export async function diff(
  call: Call,
  texts: readonly string[],
  { semantic }: { readonly semantic: boolean },
  format: OutputFormat,
): Promise<string> {
  if (texts.length !== 2)
    throw new TgoError("USAGE", `diff needs the references of two images, not ${texts.length}`, {
      remedy:
        "For example: tgo diff ghcr.io/tgoai/tgo-deploy/tgo-api:1.2.3 ghcr.io/tgoai/tgo-deploy/tgo-api:1.2.4.",
    });
  const { named, references, clean, progress } = await openReferences(call, texts);
  const [a, b] = references.map((reference) => sourceOf(named(reference)));
  if (a === undefined || b === undefined) throw new TgoError("INTERNAL", "no reference");
  const platforms = (call.options.platform ?? []).map((text) => platformOf(parsePlatform(text)));
  const found = await progress.step({ step: "compare" }, () => diffImages([a, b], { semantic, platforms }));
  const text = clean(renderDiff(found, format));
  if (!found.same) throw new FunctionFailed(text);
  return text;
}
