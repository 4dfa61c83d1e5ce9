/**
 * A path pattern as a regular expression: `/usr/lib/x.so` is that file, `/opt/tools/` everything below; `*` matches
 * any characters within one part of the path, `**` any parts. Every other character matches itself.
 */
export function pathPattern(text: string): RegExp {
  const whole = `/${text.replace(/^\/+/, "")}${text.endsWith("/") ? "**" : ""}`;
  const source = whole.replace(/\*\*\/?|\*|[.+?^${}()|[\]\\]/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : `\\${part}`;
  });
  return new RegExp(`^${source}$`, "s");
}
