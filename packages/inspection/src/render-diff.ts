import { count, jsonText, renderLine, renderTable, size, type OutputFormat } from "@tgo/report";
import type { Change, FileChange, ImageDiff, PlatformDiff } from "./diff.js";

/** Files shown of one platform, those whose sizes differ most first; JSON has more. */
const MAX_SHOWN = 40;

/** The comparison for a person: packages first; or as JSON: an {@link ImageDiff}. */
export function renderDiff(diff: ImageDiff, format: OutputFormat): string {
  if (format === "json") return jsonText(diff);
  const line = (text: string): string => renderLine(text, format);
  const ignored = diff.semantic ? " (times not compared)" : "";
  const blocks = [
    [`A  ${diff.a}  ${diff.digestA}`, `B  ${diff.b}  ${diff.digestB}`]
      .map(line)
      .join(format === "markdown" ? "\n\n" : "\n"),
    diff.same ? line(`No difference${ignored}.`) : line(`The images differ${ignored}.`),
    ...changesBlock("index", diff.index, format),
    ...diff.platforms.flatMap((platform) => platformBlocks(platform, format)),
    ...diff.notes.map((note) => line(`note: ${note}`)),
  ];
  return blocks.join("\n\n");
}

function platformBlocks(diff: PlatformDiff, format: OutputFormat): string[] {
  const { platform, only, same, packages, config, files, filesChanged, sizeA, sizeB } = diff;
  const title = (text: string): string =>
    format === "markdown" ? `## ${renderLine(text, format)}` : renderLine(text, format);
  if (only !== undefined) return [title(`${platform}: only ${only.toUpperCase()} has it`)];
  if (same) return [title(`${platform}: the same`)];
  const sizes =
    sizeA === undefined || sizeB === undefined || sizeA === sizeB
      ? ""
      : `, ${size(sizeA)} -> ${size(sizeB)} to pull`;
  const summary = `${count(packages.length, "package")}, ${count(config.length, "setting")}, ${count(filesChanged, "file")}`;
  const shown = [...files].sort((one, other) => weight(other) - weight(one)).slice(0, MAX_SHOWN);
  return [
    title(`${platform}: ${summary} differ${sizes}`),
    ...(packages.length === 0
      ? []
      : [
          renderTable(
            ["package", "kind", "A", "B"],
            packages.map(({ name, kind, a = "-", b = "-" }) => [name, kind, a, b]),
            format,
          ),
        ]),
    ...changesBlock("setting", config, format),
    ...(shown.length === 0
      ? []
      : [
          renderTable(
            ["file", "change", "A", "B"],
            shown.map((file) => [
              file.path,
              file.what.length === 0 ? file.change : file.what.join(", "),
              file.change === "added" ? "-" : size(file.sizeA),
              file.change === "removed" ? "-" : size(file.sizeB),
            ]),
            format,
          ),
        ]),
    ...(filesChanged > shown.length
      ? [renderLine(`and ${count(filesChanged - shown.length, "more file")}; --format json has them`, format)]
      : []),
  ];
}

function weight({ change, sizeA, sizeB, what }: FileChange): number {
  const moved = Math.abs(sizeA - sizeB);
  return moved + (change === "changed" && !what.includes("content") ? -1 : 0);
}

function changesBlock(title: string, changes: readonly Change[], format: OutputFormat): string[] {
  if (changes.length === 0) return [];
  return [
    renderTable(
      [title, "A", "B"],
      changes.map(({ name, a = "-", b = "-" }) => [name, short(a), short(b)]),
      format,
    ),
  ];
}

/** A history is long: its beginning is enough to see that it differs. */
function short(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
