import { isObject } from "@tgo/schemas";
import type { Draft } from "./finding.js";
import type { RegistryGuess } from "./registry-guess.js";

export interface CatalogDraft {
  readonly services: Readonly<Record<string, Draft>>;
  readonly registries: readonly RegistryGuess[];
}

const WIDTH = 100;

/** A catalog file with a comment above each field that says where its value is from. */
export function writeCatalog({ services, registries }: CatalogDraft): string {
  const reasons: Record<string, string> = {
    version: "What is built and where it is published. Fields: docs/reference/catalog.md in the pipelines.",
    extends: "Only what this file names, not TGO's own services and registries.",
  };
  for (const [name, { reasons: own, gaps }] of Object.entries(services)) {
    for (const [path, text] of Object.entries(own)) reasons[`services.${name}.${path}`] = text;
    if (gaps.length > 0)
      reasons[`services.${name}`] = ["Could not be told:", ...gaps.map((gap) => `- ${gap}`)].join("\n");
  }
  for (const { name, from } of registries) reasons[`registries.${name}`] = `From ${from}.`;
  if (registries.length === 0)
    reasons.registries =
      'Could not be told. For example: "ghcr": { "host": "ghcr.io", "repository": "me/{service}", "public": true }';
  const catalog = {
    version: 1,
    extends: "none",
    services: Object.fromEntries(
      Object.entries(services).map(([name, { definition }]) => [name, definition]),
    ),
    registries: Object.fromEntries(
      registries.map(({ name, host, repository }) => [name, { host, repository }]),
    ),
  };
  return `${write(catalog, "", "", reasons)}\n`;
}

/** JSON, a value in one line where that is short and nothing in it has a comment. */
function write(
  value: unknown,
  path: string,
  indent: string,
  reasons: Readonly<Record<string, string>>,
): string {
  const isCommented = Object.keys(reasons).some((each) => path === "" || each.startsWith(`${path}.`));
  const line = inOneLine(value);
  if (!isObject(value)) {
    if (!Array.isArray(value) || line.length + indent.length <= WIDTH) return line;
    const items = value.map((item) => `${indent}  ${write(item, "-", `${indent}  `, {})}`);
    return `[\n${items.join(",\n")}\n${indent}]`;
  }
  if (!isCommented && line.length + indent.length <= WIDTH) return line;
  const inner = `${indent}  `;
  const fields = Object.entries(value).map(([name, item]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const comment = (reasons[at]?.split("\n") ?? []).map(
      (text) => `${inner}// ${text.replaceAll(/\s+/g, " ")}\n`,
    );
    return `${comment.join("")}${inner}${JSON.stringify(name)}: ${write(item, at, inner, reasons)}`;
  });
  return `{\n${fields.join(",\n")}\n${indent}}`;
}

/** As prettier writes it: blanks inside braces. */
function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${inOneLine(item)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
