import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Directory } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { importLayout, renderImport } from "@tgo/inspection";
import { defined, type OutputFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { FunctionFailed } from "../function-failed.js";
import { openReferences } from "../references.js";
import type { ShellArguments } from "../shell-arguments.js";
import { targetsOf } from "./combine.js";

export type ImportFlags = ShellArguments<{
  /** Tags that get the image. */
  to: readonly string[];
  /** The image's name in the layout. */
  name: string;
}> & { readonly adoptLatest: boolean };

/**
 * Pushes the image of an OCI image layout into several registries at once, with everything that refers to it.
 * @throws FunctionFailed with the result when a registry failed
 */
export async function importImage(
  call: Call,
  layout: Directory,
  { to = [], name, adoptLatest }: ImportFlags,
  format: OutputFormat,
): Promise<string> {
  if (to.length === 0)
    throw new TgoError("USAGE", "import needs --to, the tag that gets the image", {
      remedy: "For example: --to registry.example.com/me/app:1.2.3.",
    });
  const context = await openReferences(call, [], to);
  const targets = targetsOf(to, context);
  const folder = await mkdtemp(join(tmpdir(), "tgo-import-"));
  try {
    await layout.export(folder);
    const imported = await context.progress.step({ step: "import" }, () =>
      importLayout(folder, targets, defined({ name, move: adoptLatest })),
    );
    const text = context.clean(renderImport(imported, format));
    if (imported.targets.some(({ state }) => state === "failed")) throw new FunctionFailed(text);
    return text;
  } finally {
    await rm(folder, { recursive: true });
  }
}
