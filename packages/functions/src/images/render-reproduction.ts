import { jsonText, renderLine, renderTable, type OutputFormat } from "@tgo/report";
import type { Reproduction } from "./reproduction.js";

/** The result for a person, or as JSON: a {@link Reproduction}. */
export function renderReproduction(reproduction: Reproduction, format: OutputFormat): string {
  if (format === "json") return jsonText(reproduction);
  const { reference, builder, inputs, comparison } = reproduction;
  const { source, service, version = "no version" } = inputs;
  const line = (text: string): string => renderLine(text, format);
  return [
    line(`${service} ${version}, ${source.revision} of ${source.repository}`),
    line(`${reference}  ${comparison.published}`),
    line(`rebuilt  ${comparison.rebuilt}`),
    line(`built by ${builder}, as its provenance says`),
    ...comparison.platforms.flatMap((platform) => platformBlocks(platform, format)),
    line(verdict(comparison)),
  ].join(format === "markdown" ? "\n\n" : "\n");
}

function verdict({ same, sameContent }: Reproduction["comparison"]): string {
  if (same) return "Reproduced: the digest is the same.";
  return sameContent
    ? "The same content under another digest: layers were compressed by another program, or the index differs."
    : "Not reproduced: the contents differ.";
}

function platformBlocks(
  { platform, same, sameConfig, config, layers }: Reproduction["comparison"]["platforms"][number],
  format: OutputFormat,
): string[] {
  const line = (text: string): string => renderLine(text, format);
  if (same) return [line(`${platform}: the same`)];
  if (layers.length === 0) return [line(`${platform}: only one of them has it`)];
  const differing = layers.filter(({ result }) => result !== "same");
  return [
    line(
      `${platform}: ${sameConfig ? "the same content" : "different"}, of ${layers.length} layers ${differing.length} differ`,
    ),
    ...(config.length === 0 ? [] : [line(`configuration differs: ${config.join(", ")}`)]),
    ...(differing.length === 0
      ? []
      : [
          renderTable(
            ["layer", "result", "published", "rebuilt"],
            differing.map(({ number, result, published = "-", rebuilt = "-" }) => [
              String(number),
              result === "compression" ? "same content, other compression" : result,
              published,
              rebuilt,
            ]),
            format,
          ),
        ]),
  ];
}
