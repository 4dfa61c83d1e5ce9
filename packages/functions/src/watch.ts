import { selectServices } from "@tgo/catalog";
import { printableText } from "@tgo/errors";
import { watchReleases, type WatchResult } from "@tgo/publishing";
import type { OutputFormat } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import { nameCommands } from "./commands.js";
import { FunctionFailed } from "./function-failed.js";
import { openTagChecks } from "./signing.js";

/** `tgo` exits with it when nothing is known to have drifted, and a registry could not be read. */
const UNREACHABLE_EXIT = 3;

/** Something that was released is not whole, or could not be read. */
class NotWhole extends FunctionFailed {
  constructor(
    message: string,
    /** Read by the `tgo` command. */
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/**
 * Checks everything that was released, in every registry.
 * @throws FunctionFailed with the result when something drifted or could not be read
 */
export async function watch(call: Call, names: readonly string[], format: OutputFormat): Promise<string> {
  const context = await openContext(call);
  const selected = selectServices(context.catalog, names).map(({ name }) => name);
  const check = await openTagChecks(call, context);
  const result = await watchReleases(context, selected, {
    bases: context.pins,
    ...(check === undefined
      ? {}
      : {
          signatures: async ({ verification, ...tag }, rows) =>
            (await check(tag, verification, rows)).registries,
        }),
  });
  const text = nameCommands(renderWatch(result, format), context.command);
  if (result.state === "whole") return text;
  throw new NotWhole(context.clean(text), result.state === "unreachable" ? UNREACHABLE_EXIT : 1);
}

function renderWatch({ state, tags }: WatchResult, format: OutputFormat): string {
  if (format === "json") return JSON.stringify({ watch: { state, tags } }, null, 2);
  const bullet = format === "markdown" ? "- " : "";
  const lines = tags.flatMap(({ service, tag, problems, notes }) => [
    ...problems.map(
      ({ registry, what, remedy }) =>
        `${bullet}${service}${tag === "" ? "" : `:${tag}`} in ${registry}: ${what}` +
        (remedy === undefined ? "" : `\n  ${remedy.replaceAll("\n", "\n  ")}`),
    ),
    ...notes.map((note) => `${bullet}${service}:${tag}: ${note}`),
  ]);
  const broken = tags.filter(({ problems }) => problems.length > 0).length;
  const summary = {
    whole: `Whole: all ${tags.length} tags, in every registry.`,
    drift: `${broken} of ${tags.length} tags are not whole.`,
    unreachable: `Not everything could be read; nothing else has changed.`,
  }[state];
  return printableText([...lines, summary].join("\n"));
}
