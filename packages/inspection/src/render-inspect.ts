import {
  count,
  jsonText,
  printableLine,
  renderLine,
  renderTable,
  size as sizeText,
  type OutputFormat,
} from "@tgo/report";
import type { ConfigTree, ContentsTree, ImageTree, PlatformTree } from "./image-tree.js";

/** Of the commands in a history, in characters: some are whole scripts. JSON has all of them. */
const MAX_STEP = 160;

/** The images for a person, or as JSON: `{ "images": [ImageTree] }`. */
export function renderInspect(trees: readonly ImageTree[], format: OutputFormat): string {
  if (format === "json") return jsonText({ images: trees });
  return trees.map((tree) => imageBlocks(tree, format).join("\n\n")).join("\n\n");
}

function imageBlocks(tree: ImageTree, format: OutputFormat): string[] {
  const facts = [
    ["digest", tree.digest],
    ["type", `${tree.mediaType}, ${sizeText(tree.size)}`],
    ...(tree.artifactType === undefined ? [] : [["artifact", tree.artifactType]]),
    ...pairs("annotation", tree.annotations),
    ...parityFacts(tree),
    ...tree.notes.map((note) => ["note", note]),
  ];
  const several = tree.platforms.length > 1;
  return [
    `${heading(tree.reference, 2, format)}\n${fields(facts, format)}`,
    ...(several ? [overview(tree.platforms, format)] : []),
    ...tree.platforms.flatMap((platform) => platformBlocks(platform, format)),
    ...section(
      "blobs",
      (tree.blobs ?? []).map(({ mediaType, digest, size }) => [mediaType, sizeText(size), digest]),
      ["type", "size", "digest"],
      format,
    ),
    ...section(
      "attestations in the index",
      tree.attestations.map(({ digest, subject, predicates }) => [
        tree.platforms.find((platform) => platform.digest === subject)?.platform ?? subject ?? "-",
        predicates.join(", ") || "-",
        digest,
      ]),
      ["of", "what", "digest"],
      format,
    ),
    ...section(
      "referrers",
      (tree.referrers ?? []).map(({ type, size, digest }) => [type, sizeText(size), digest]),
      ["type", "size", "digest"],
      format,
    ),
    ...(tree.platforms.length === 0
      ? []
      : [
          [
            heading("pull", 3, format),
            ...tree.platforms.map(({ pull }) =>
              format === "markdown" ? `    ${printableLine(pull)}` : `  ${printableLine(pull)}`,
            ),
          ].join(format === "markdown" ? "\n\n" : "\n"),
        ]),
  ];
}

/** Platforms side by side, and how much of them is the same. */
function overview(platforms: readonly PlatformTree[], format: OutputFormat): string {
  const rows = platforms.map(({ platform, size, layers, digest }) => {
    const shared = layers.filter((layer) => layer.shared).length;
    return [platform, sizeText(size), `${layers.length}, ${shared} shared`, digest];
  });
  return renderTable(["platform", "size", "layers", "digest"], rows, format);
}

function platformBlocks(platform: PlatformTree, format: OutputFormat): string[] {
  const { config, layers, history, annotations, contents } = platform;
  const facts = [
    ["manifest", platform.digest],
    ["size", `${sizeText(platform.size)} in ${count(layers.length, "layer")} and the config`],
    ...pairs("annotation", annotations),
    ...(config === undefined ? [] : configFacts(config)),
    ...(contents === undefined ? [] : contentsFacts(contents)),
  ];
  return [
    `${heading(platform.platform, 3, format)}\n${fields(facts, format)}`,
    renderTable(
      ["layer", "size", "shared", "digest", "made by"],
      layers.map(({ size, shared, digest, createdBy }, index) => [
        String(index + 1),
        sizeText(size),
        shared ? "shared" : "",
        digest,
        step(createdBy ?? ""),
      ]),
      format,
    ),
    ...section(
      "history",
      history.map(({ created, createdBy, layer }) => [
        created ?? "-",
        layer === undefined ? "-" : String(layers.findIndex(({ digest }) => digest === layer) + 1),
        step(createdBy),
      ]),
      ["when", "layer", "step"],
      format,
    ),
  ];
}

function configFacts(config: ConfigTree): string[][] {
  const optional = (name: string, value: string | undefined): string[][] =>
    value === undefined || value === "" ? [] : [[name, value]];
  const words = (list: readonly string[] | undefined): string | undefined =>
    list === undefined ? undefined : JSON.stringify(list);
  return [
    ["config", config.digest],
    ["runs on", [config.os, config.architecture, config.variant].filter(Boolean).join("/")],
    ...optional("created", config.created),
    ...optional("entrypoint", words(config.entrypoint)),
    ...optional("command", words(config.cmd)),
    ["user", config.user === undefined || config.user === "" ? "root (not set)" : config.user],
    ...optional("folder", config.workingDir),
    ...optional("ports", config.ports.join(", ")),
    ...optional("volumes", config.volumes.join(", ")),
    ...optional("stop signal", config.stopSignal),
    ...config.env.map((entry) => ["env", entry]),
    ...pairs("label", config.labels),
  ];
}

function parityFacts({ platforms, differences }: ImageTree): string[][] {
  if (differences === undefined || platforms.length < 2) return [];
  if (differences.length === 0)
    return [["parity", "the same packages and files on all platforms, apart from their architecture"]];
  return differences.map((line) => ["parity", line]);
}

function contentsFacts({ files, elf, links, problems, fits, keptOut }: ContentsTree): string[][] {
  const machines = Object.entries(elf).map(([machine, number]) => `${number} ${machine}`);
  return [
    ["files", `${files}, ELF: ${machines.join(", ") || "none"}`],
    [
      "link proof",
      `${links.roots} programs and modules load ${count(links.libraries, "library", "libraries")}`,
    ],
    ...problems.map((line) => ["problem", line]),
    ...(fits.length === 0 ? [] : [["files fit", fits.join(", ")]]),
    ...keptOut.map(({ machine, because }) => ["kept out", `${machine}: ${because}`]),
  ];
}

function pairs(name: string, texts: Readonly<Record<string, string>>): string[][] {
  return Object.entries(texts).map(([key, value]) => [name, `${key} = ${value}`]);
}

function step(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > MAX_STEP ? `${line.slice(0, MAX_STEP - 1)}…` : line;
}

function heading(text: string, level: number, format: OutputFormat): string {
  return format === "markdown"
    ? `${"#".repeat(level)} ${renderLine(text, format)}\n`
    : renderLine(text, format);
}

/** Names and values in two columns; a name that repeats is shown once. */
function fields(facts: readonly (readonly string[])[], format: OutputFormat): string {
  if (format === "markdown")
    return facts.map(([name = "", value = ""]) => `- ${name}: ${renderLine(value, format)}`).join("\n");
  const width = Math.max(...facts.map(([name = ""]) => name.length));
  return facts
    .map(([name = "", value = ""], index) => {
      const shown = facts[index - 1]?.[0] === name ? "" : name;
      return `  ${shown.padEnd(width)}  ${printableLine(value)}`.trimEnd();
    })
    .join("\n");
}

function section(
  title: string,
  rows: readonly (readonly string[])[],
  header: readonly string[],
  format: OutputFormat,
): string[] {
  if (rows.length === 0) return [];
  return [`${heading(title, 3, format)}\n${renderTable(header, rows, format)}`];
}
