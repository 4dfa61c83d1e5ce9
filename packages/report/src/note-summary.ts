import { fold } from "./fold.js";
import type { Report } from "./report.js";

/** One remark, and the services it is about. */
export interface NoteSummary {
  readonly text: string;
  readonly services: readonly string[];
}

/** Names of one machine, as platforms, ELF files, Debian folders and `uname -m` write it. */
const MACHINE = /x86_64|x86-64|amd64|aarch64|arm64/g;

/** The notes of a run, each once: those of several services or platforms that say the same are one. */
export function noteSummaries({ services }: Report): NoteSummary[] {
  const all = services.flatMap(({ service, notes }) =>
    acrossPlatforms(notes).map((note) => [service, note] as const),
  );
  return fold(all, (note) => note).map(({ value, names }) => ({ text: value, services: names }));
}

/** "linux/amd64: /usr/lib/x86_64-linux-gnu/a.so …" and its twin for arm64: "linux/amd64 and linux/arm64: /usr/lib/{x86_64,…". */
function acrossPlatforms(notes: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const note of notes) {
    const key = note.replaceAll(MACHINE, "MACHINE");
    groups.set(key, [...(groups.get(key) ?? []), note]);
  }
  return [...groups.values()].map(merged);
}

/** Notes that differ in names of machines only. */
function merged(notes: readonly string[]): string {
  const [first = ""] = notes;
  const names = notes.map((note) => [...note.matchAll(MACHINE)].map(([name]) => name));
  let at = -1;
  const text = first.replaceAll(MACHINE, () => {
    at += 1;
    const variants = [...new Set(names.map((each) => each[at] ?? ""))];
    return variants.length === 1 ? (variants[0] ?? "") : `{${variants.join(",")}}`;
  });
  return text.replaceAll(
    /linux\/\{([^}]*)\}/g,
    (_, list: string) => `linux/${list.replaceAll(",", " and linux/")}`,
  );
}
