import { TgoError } from "@tgo/errors";

/** Options of a requirements file that say where packages come from; others change what is installed. */
const INDEX_OPTION = /^(?:-i|--index-url|--extra-index-url|--trusted-host)[ =]/;
const PINNED = /^[A-Za-z0-9][\w.-]*(?:\[[\w,. -]+\])?\s*===?\s*[^\s;,*]+\s*(?:;.*)?$/;

/**
 * Checks that a requirements file is a lock: every requirement has one version and hashes.
 * @throws TgoError SOURCE naming the first line that is not
 */
export function requireHashed(name: string, file: string, text: string): void {
  let found = 0;
  for (const { line, number } of logicalLines(text)) {
    if (line === "" || INDEX_OPTION.test(line)) continue;
    const [requirement = "", ...hashes] = line.split(/\s--hash[=\s]/);
    const problem = line.startsWith("-")
      ? "an option that would install something else than what is locked here"
      : !PINNED.test(requirement.trim())
        ? "not pinned to one version with =="
        : hashes.length === 0
          ? "without --hash"
          : undefined;
    if (problem !== undefined) {
      throw new TgoError("SOURCE", `a requirement of ${name} is ${problem}: ${line.slice(0, 120)}`, {
        where: `${file}:${number}`,
        remedy: `Write the file with hashes, e.g. uv pip compile --generate-hashes requirements.in --output-file ${file}.`,
      });
    }
    found += 1;
  }
  if (found > 0) return;
  throw new TgoError("SOURCE", `${file} of ${name} has no requirements`, {
    remedy: "Name the right file in build.lock of the service.",
  });
}

/** Lines with their continuations, without comments, and the number each starts at. */
function logicalLines(text: string): { line: string; number: number }[] {
  const lines: { line: string; number: number }[] = [];
  let open: { line: string; number: number } | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, "").trimEnd();
    const part = line.replace(/\\$/, "").trim();
    open = { line: open === undefined ? part : `${open.line} ${part}`, number: open?.number ?? index + 1 };
    if (line.endsWith("\\")) continue;
    lines.push(open);
    open = undefined;
  }
  if (open !== undefined) lines.push(open);
  return lines;
}
