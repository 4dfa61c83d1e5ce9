import type { Distribution } from "./bill.js";

/**
 * Reads an os-release file: shell assignments, one a line.
 * @returns undefined when it names no distribution
 */
export function readOsRelease(text: string): Distribution | undefined {
  const fields = new Map(
    [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, unquoted(value)]),
  );
  const id = fields.get("ID") ?? "";
  if (!/^[a-z0-9._-]{1,64}$/.test(id)) return undefined;
  const versionId = fields.get("VERSION_ID") ?? "";
  return { id, versionId, prettyName: fields.get("PRETTY_NAME") ?? `${id} ${versionId}`.trim() };
}

function unquoted(value: string): string {
  const [, double, single] = /^(?:"(.*)"|'(.*)')$/.exec(value.trim()) ?? [];
  return (double ?? single ?? value.trim())
    .replaceAll(/\\(.)/g, "$1")
    .replaceAll(/\p{C}/gu, "")
    .slice(0, 256);
}
