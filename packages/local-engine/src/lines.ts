/** Calls back for each complete, non-empty line of the chunks it is given. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk.toString()).split(/\r?\n|\r/);
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") onLine(part);
  };
}
