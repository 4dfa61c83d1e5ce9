import { TgoError } from "@tgo/errors";

/** Options that only say where packages come from; all others change what is installed. */
const INDEX_OPTION = /^(?:-i|--index-url|--extra-index-url|--trusted-host)[ =]/;
const PINNED = /^[A-Za-z0-9][\w.-]*(?:\[[\w,. -]+\])?\s*===?\s*[^\s;,*]+\s*(?:;.*)?$/;

/**
 * Checks that a requirements file is a lock: every requirement is pinned to one version and has hashes.
 * @throws TgoError SOURCE naming the first line that is not
 */
export function requireHashed(name: string, file: string, text: string): void {
  let found = 0;
  for (const { line, number } of logicalLines(text)) {
    if (line === "" || INDEX_OPTION.test(line)) continue;
    const [requirement = "", ...hashes] = line.split(/\s--hash[=\s]/);
    const problem = line.startsWith("-")
      ? "an option that installs something other than the packages locked here"
      : !PINNED.test(requirement.trim())
        ? "not pinned to one version with =="
        : hashes.length === 0
          ? "without --hash"
          : undefined;
    if (problem !== undefined) {
      throw new TgoError("SOURCE", `a requirement of ${name} is ${problem}: ${line.slice(0, 120)}`, {
        where: `${file}:${number}`,
        remedy: `Generate the file with hashes, e.g. uv pip compile --generate-hashes requirements.in --output-file ${file}.`,
      });
    }
    found += 1;
  }
  if (found > 0) return;
  throw new TgoError("SOURCE", `${file} of ${name} has no requirements`, {
    remedy: "Set build.lock of the service to the right file.",
  });
}

/** Lines joined with their continuations, without comments, each with the number of its first line. */
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
