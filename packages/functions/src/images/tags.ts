import { TgoError } from "@tgo/errors";
import { readTagGroups, renderTagGroups } from "@tgo/inspection";
import { isDigest } from "@tgo/registry";
import type { OutputFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { openReferences, requireReferences } from "../references.js";
import type { ShellArguments } from "../shell-arguments.js";

/** Shows which tags of repositories share a digest. Needs no engine. */
export async function tags(
  call: Call,
  texts: readonly string[],
  { digest }: ShellArguments<{ digest: string }>,
  format: OutputFormat,
): Promise<string> {
  requireReferences("tags", texts);
  if (digest !== undefined && !isDigest(digest))
    throw new TgoError("USAGE", `--digest "${digest}" is not a digest`, {
      remedy: "A digest is sha256: and 64 lower-case hex digits.",
    });
  const { images, clean } = await openReferences(call, texts);
  const all = await Promise.all(
    images.map(({ registry, reference }) =>
      readTagGroups(registry, reference.repository, digest ?? reference.digest ?? reference.tag),
    ),
  );
  return clean(renderTagGroups(all, format));
}
