/** The generated pages of docs/reference: functions and flags, fields of the catalog, fields of a report. */
import { readFile } from "node:fs/promises";
import { format } from "prettier";
import { root } from "./root.mjs";
import { evaluate } from "./schemas.mjs";

const FOLDER = "docs/reference";
const GENERATED = "`npm run generate` writes this page.";

/**
 * @param api the text of module-api.json
 * @param schemas texts of the catalog's JSON Schemas, by path
 * @returns texts of the pages, by path
 */
export async function referencePages(api, schemas) {
  const [catalog, report] = [
    schemas["packages/catalog/schema/tgo.catalog.schema.json"],
    await readFile(`${root}/${FOLDER}/report.schema.json`, "utf8"),
  ].map((text) => JSON.parse(text));
  const pages = {
    [`${FOLDER}/functions.md`]: functionsPage(JSON.parse(api), await ownHelp()),
    [`${FOLDER}/catalog-fields.md`]: catalogPage(catalog),
    [`${FOLDER}/report-fields.md`]: reportPage(report),
  };
  const options = JSON.parse(await readFile(`${root}/.prettierrc.json`, "utf8"));
  return Object.fromEntries(
    await Promise.all(
      Object.entries(pages).map(async ([path, text]) => [
        path,
        await format(text, { ...options, parser: "markdown" }),
      ]),
    ),
  );
}

/** What the command line says of itself besides the module's API. */
const ownHelp = () =>
  evaluate(
    `
    import { EXAMPLES, withCommand } from "./help.ts";
    import { OWN_COMMANDS } from "./own-commands.ts";
    import { ownFlags, reportFlag, signingFlags } from "./flags.ts";
    export const own = {
      commands: OWN_COMMANDS,
      flags: ownFlags().map(({ flags, description }) => ({ flags, description })),
      signing: signingFlags({ arguments: [{ name: "signingKey" }] }).map(({ flags, description }) => ({ flags, description })),
      report: { flags: reportFlag().flags, description: reportFlag().description },
      examples: Object.fromEntries(
        Object.entries(EXAMPLES.functions).map(([name, text]) => [name, withCommand(text, "npx --no-install tgo")]),
      ),
    };`,
    `${root}/apps/tgo/src`,
  ).then(({ own }) => own);

/** Functions and flags, as `tgo FUNCTION --help` says. */
function functionsPage(api, own) {
  const shared = api.constructor.arguments.map((argument) => flagRow(argument, api));
  const isShared = (flags) => api.constructor.arguments.some(({ flag }) => flags.startsWith(`--${flag} `));
  const ownRows = own.flags
    .filter(({ flags }) => !isShared(flags))
    .map(({ flags, description }) => [`\`${flags}\``, ...splitDefault(description)]);
  const sections = api.functions.map(({ command, description, arguments: list, returns }) => {
    const texts = description.split("\n\n").filter((text) => !text.startsWith("With dagger call"));
    const rows = list.map((argument) => flagRow(argument, api));
    if (list.some(({ flag }) => flag === "signing-key"))
      rows.push(...own.signing.map(({ flags, description: of }) => [`\`${flags}\` (\`tgo\`)`, cell(of), ""]));
    if (list.some(({ type }) => type.name === "ReportFormat"))
      rows.push([`\`${own.report.flags}\` (\`tgo\`)`, ...splitDefault(own.report.description)]);
    const examples = own.examples[command]?.replace(/^Examples:\n/, "").replaceAll(/^ {2}/gm, "");
    return [
      `## ${command}`,
      ...texts.map((text) => text.replaceAll("\n", " ")),
      returns.name === "Container" || returns.name === "Directory" || returns.name === "File"
        ? `Returns a ${returns.name.toLowerCase()}; \`tgo\` writes it to \`--output\`.`
        : "",
      table(["flag", "meaning", "default"], rows),
      examples === undefined ? "" : `\`\`\`text\n${examples}\n\`\`\``,
    ];
  });
  return page([
    "# Functions and flags",
    "What `dagger call --help`, `dagger call FUNCTION --help` and `tgo FUNCTION --help all` say, on one page. A flag that takes several " +
      "values is repeated, or has them separated by commas. [Two ways to call](../guides/two-ways.md) a function.",
    GENERATED,
    "## Flags of every function",
    "With `dagger call`, they come before the function's name.",
    table(["flag", "meaning", "default"], shared),
    "Of `tgo` alone:",
    table(["flag", "meaning", "default"], ownRows),
    ...sections.flat(),
    "## Commands of tgo alone",
    table(
      ["command", "meaning"],
      own.commands.map(({ usage, description }) => [`\`tgo ${cell(usage)}\``, description]),
    ),
    ...own.commands.flatMap(({ name, flags }) =>
      flags === undefined
        ? []
        : [`### ${name}`, table(["flag", "meaning", "default"], flags.map(ownCommandRow))],
    ),
  ]);
}

function flagRow({ flag, description, type, optional, default: value, contextual }, api) {
  const { kind, name } = type.kind === "list" ? type.of : type;
  const values = kind === "enum" ? api.enums[name].values.map((each) => each.value) : undefined;
  const takes = { string: "TEXT", integer: "NUMBER", boolean: "", object: (name ?? "").toUpperCase() };
  const placeholder =
    values === undefined ? { ...takes, object: takes.object.replace("DIRECTORY", "FOLDER") }[kind] : "WORD";
  const shownDefault = () => {
    if (contextual !== undefined) return "the checkout around the current folder";
    if (!optional) return "required";
    if (value === undefined || value === null || value === false || value.length === 0) return "";
    return `\`${values?.find((each) => each.toLowerCase() === String(value).toLowerCase()) ?? String(value)}\``;
  };
  return [
    `\`--${flag}${placeholder === "" ? "" : ` ${placeholder}${type.kind === "list" ? ",…" : ""}`}\``,
    cell(
      values?.some((each) => !description.includes(each))
        ? `${description} One of ${values.join(", ")}.`
        : description,
    ),
    shownDefault(),
  ];
}

/** A flag of a command that `tgo` has besides the module's functions. */
function ownCommandRow({ flag, description, takes, multiple = false }) {
  const value = Array.isArray(takes) ? "WORD" : (takes ?? "").toUpperCase();
  const [, meaning = "", fallback = ""] = /^(.*?)(?: \[default: ([^\]]*)\])?$/.exec(description) ?? [];
  const values = Array.isArray(takes) ? ` One of ${takes.join(", ")}.` : "";
  return [
    `\`--${flag}${value === "" ? "" : ` ${value}${multiple ? ",…" : ""}`}\``,
    cell(`${meaning}${values}`),
    fallback === "" ? "" : `\`${fallback}\``,
  ];
}

/** The help of the command line has defaults and values in brackets at its end. */
function splitDefault(description) {
  const [, fallback = ""] = /\[default: ([^\]]*)\]/.exec(description) ?? [];
  const [, values] = /\[one of: ([^\]]*)\]/.exec(description) ?? [];
  const text = description.replaceAll(/ ?\[[^\]]*\]/g, "");
  return [
    cell(values === undefined ? text : `${text} One of ${values}.`),
    fallback === "" ? "" : `\`${fallback}\``,
  ];
}

/** Fields of the override file, from its JSON Schema. */
function catalogPage(schema) {
  const service = notNull(schema.properties.services.additionalProperties);
  const registry = notNull(schema.properties.registries.additionalProperties);
  const { build, image, smoke, ...rest } = service.properties;
  const others = Object.fromEntries(
    Object.entries(schema.properties).filter(
      ([name]) => !["$schema", "services", "registries"].includes(name),
    ),
  );
  return page([
    "# Fields of the catalog",
    "The fields of a file for `--catalog`, from its JSON Schema (`packages/catalog/schema/tgo.catalog.schema.json`). " +
      "[The catalog](catalog.md) explains them. A service's own file, `service.json`, has the fields of `services.NAME`.",
    GENERATED,
    "## services.NAME",
    fieldTable(rest),
    ...build.oneOf.flatMap((strategy) => [
      `## services.NAME.build, ${strategy.properties.strategy.const}`,
      strategy.description ?? "",
      fieldTable(strategy.properties, strategy.required),
    ]),
    "## services.NAME.image",
    fieldTable(image.properties, image.required),
    "## services.NAME.smoke",
    fieldTable(smoke.properties, smoke.required),
    "## registries.NAME",
    fieldTable(registry.properties, registry.required),
    ...Object.entries(others).flatMap(([name, value]) =>
      value.properties === undefined ? [] : [`## ${name}`, fieldTable(value.properties, value.required)],
    ),
    "## Others",
    fieldTable(
      Object.fromEntries(Object.entries(others).filter(([, value]) => value.properties === undefined)),
    ),
  ]);
}

const notNull = ({ anyOf, ...schema }) => anyOf?.find(({ type }) => type !== "null") ?? schema;

/** Fields with those of objects and lists below them, as paths. */
function fieldTable(properties, required = []) {
  const rows = (fields, needed, before) =>
    Object.entries(fields ?? {}).flatMap(([name, field]) => {
      if (name === "$schema") return [];
      const path = `${before}${name}`;
      const inner = field.items ?? notNull(field.additionalProperties ?? {});
      const below =
        field.properties ?? inner.properties ?? inner.anyOf?.find((each) => each.properties)?.properties;
      const from = field.properties === undefined ? inner : field;
      const step = field.properties === undefined ? (field.items === undefined ? ".NAME" : "[]") : "";
      return [
        [
          `\`${path}\``,
          takenBy(field),
          cell(field.description ?? ""),
          needed?.includes(name) ? "required" : defaultOf(field),
        ],
        ...(below === undefined || field.items?.anyOf?.length > 4
          ? []
          : rows(below, from.required, `${path}${step}.`)),
      ];
    });
  return table(["field", "value", "meaning", "default"], rows(properties, required, ""));
}

function takenBy(field) {
  const values = field.enum ?? (field.const === undefined ? undefined : [field.const]);
  if (values !== undefined) return values.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (field.anyOf ?? field.oneOf) return [...new Set((field.anyOf ?? field.oneOf).map(takenBy))].join(" or ");
  if (field.$ref !== undefined) {
    const name = field.$ref.split("/").at(-1);
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (field.type === "array")
    return field.items === undefined ? "list" : `list of ${takenBy(field.items).replace(/^a /, "")}`;
  if (Array.isArray(field.type)) return field.type.join(" or ");
  return (
    { integer: "number", boolean: "true or false", object: "object", string: "text" }[field.type] ??
    field.type ??
    "any"
  );
}

function defaultOf({ default: value }) {
  if (value === undefined || (typeof value === "object" && Object.keys(value).length === 0)) return "";
  const text = JSON.stringify(value);
  return text.length > 60 ? "[see there](catalog.md#promised-machines)" : `\`${text}\``;
}

/** Fields of the JSON report, from its JSON Schema. */
function reportPage({ $defs, description, ...report }) {
  const named = ([name, schema]) => [
    `## ${name}`,
    schema.description ?? "",
    schema.properties === undefined ? takenBy(schema) : reportTable(schema),
  ];
  return page([
    "# Fields of a report",
    `${description} [The JSON Schema](report.schema.json) says the same to programs. [Reports](reports.md) says who prints them.`,
    GENERATED,
    reportTable(report),
    ...Object.entries($defs)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(named),
  ]);
}

function reportTable({ properties, required = [] }) {
  const rows = (fields, needed, before) =>
    Object.entries(fields).flatMap(([name, field]) => [
      [
        `\`${before}${name}\`${needed.includes(name) ? "" : "?"}`,
        takenBy(field),
        cell(field.description ?? ""),
      ],
      ...(field.properties === undefined
        ? []
        : rows(field.properties, field.required ?? [], `${before}${name}.`)),
    ]);
  return table(["field (`?`: may be absent)", "value", "meaning"], rows(properties, required, ""));
}

const page = (parts) => `${parts.filter((part) => part !== "").join("\n\n")}\n`;

/** Text in a cell: words like <service> would be read as HTML. */
const cell = (text) =>
  text
    .trim()
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|")
    .replaceAll(/(?<!`)<([\w-]+)>(?!`)/g, "`<$1>`");

function table(head, rows) {
  if (rows.length === 0) return "";
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
