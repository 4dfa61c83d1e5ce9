import type { Platform } from "@tgo/catalog";
import type { CheckResult, SmokeResult } from "@tgo/proof";

const PREFIX = "io.github.tgoai.pipelines";

/** Index annotation: the candidate's key, so that a tag that was moved by hand is noticed. */
export const CANDIDATE_ANNOTATION = `${PREFIX}.candidate`;

/** What a variant was seen to be before it was published. */
export interface Proof {
  readonly platform: Platform;
  readonly files: number;
  readonly elf: number;
  readonly machine: string;
  readonly lines: readonly string[];
}

/**
 * Writes what check and smoke run saw into the index, without durations: the candidate's bytes stay a function
 * of its inputs, and whoever finds the candidate later also finds what was proven of it.
 */
export function proofAnnotations(
  checks: readonly CheckResult[],
  smokes: readonly SmokeResult[],
): Record<string, string> {
  return Object.fromEntries([
    ...checks.map(({ platform, files, elf }) => [
      key("check", platform),
      `${files} files, ${elf} ELF, 0 foreign`,
    ]),
    ...smokes.map(({ platform, machine, lines }) => [key("smoke", platform), [machine, ...lines].join("\n")]),
  ]) as Record<string, string>;
}

/** What {@link proofAnnotations} wrote, or undefined when the index does not carry it. */
export function readProof(
  annotations: Readonly<Record<string, string>>,
  platform: Platform,
): Proof | undefined {
  const counts = /^(\d+) files, (\d+) ELF/.exec(annotations[key("check", platform)] ?? "");
  const smoke = annotations[key("smoke", platform)];
  if (counts === null || smoke === undefined) return undefined;
  const [machine = "", ...lines] = smoke.split("\n");
  return { platform, files: Number(counts[1]), elf: Number(counts[2]), machine, lines };
}

function key(kind: string, platform: Platform): string {
  return `${PREFIX}.${kind}.${platform.replace("/", "-")}`;
}
