import { fold, whose } from "../fold.js";
import { sharedRevision } from "../headline.js";
import { duration, size } from "../quantities.js";
import type { RegistryReport, Report, ServiceReport, SmokeReport } from "../report.js";
import { hanging, wrap } from "../table.js";
import { textWidth } from "../text-width.js";
import { fileSummary, foreignFiles, isKnown, missingLibraries, smokeSummary } from "../variant-summary.js";
import type { Page } from "./page.js";

type Field = readonly [name: string, lines: readonly string[]];

/** What is known of each service beyond the grid: its images, what was sent, its platforms and what they were tested with. */
export function details(service: ServiceReport, report: Report, page: Page): string[] {
  const { colors, width } = page;
  const revision = sharedRevision(report) === undefined ? service.revision : undefined;
  const fields = [
    ...(revision === undefined ? [] : [["revision", [revision]] as const]),
    ...images(service),
    ...transfers(service),
    ...platforms(service),
    ...smokeRuns(service),
    ...wrongFiles(service),
  ];
  const { service: name, state, durationMs } = service;
  const isBad = ["failed", "not released", "not moved"].includes(state);
  const longest = Math.max(...fields.map(([title]) => title.length), 0);
  const pad = " ".repeat(longest + 4);
  return [
    `${colors.bold(name)}  ${(isBad ? colors.red : colors.green)(state)} in ${duration(durationMs)}`,
    ...fields.flatMap(([title, lines]) => {
      // A reference that does not fit beside the title goes below it: broken, it could not be copied.
      const word = longestWord(lines);
      if (word > width - pad.length) {
        const indent = " ".repeat(Math.max(0, Math.min(4, width - word)));
        return [`  ${colors.dim(title)}`, ...lines.flatMap((line) => hanging(indent, line, width))];
      }
      return lines
        .flatMap((line) => wrap(line, width - pad.length))
        .map((line, index) =>
          index === 0 ? `  ${colors.dim(title.padEnd(longest))}  ${line}` : `${pad}${line}`,
        );
    }),
  ];
}

const longestWord = (lines: readonly string[]): number =>
  Math.max(0, ...lines.flatMap((line) => line.split(" ")).map(textWidth));

/** The references that can be pulled, and those that should exist. A verification has them in its evidence. */
function images({ registries, checks = [], tag }: ServiceReport): Field[] {
  const evidence = checks.flatMap((check) => check.evidence);
  const told = registries.every(({ reference }) => evidence.some((line) => line.includes(reference)));
  if (registries.length === 0) return tag === undefined ? [] : [["tag", [tag]]];
  // A service that failed early has repositories, and no image in them to name.
  const named = registries.filter(
    ({ reference, state }) =>
      state !== "not started" && /[:@]/.test(reference.slice(reference.lastIndexOf("/"))),
  );
  if (told || named.length === 0) return [];
  const lines = named.map(({ reference, state }) => {
    const missing = state === "failed" ? ` (${state})` : "";
    return `${reference}${missing}`;
  });
  return [[lines.length === 1 ? "image" : "images", lines]];
}

/** What was sent to each registry and how long it took; equal ones once. */
function transfers({ registries }: ServiceReport): Field[] {
  const begun = registries.filter(({ state }) => state !== "not started");
  const all = begun.map((row) => [row.registry, transfer(row)] as const);
  const lines = fold(all, (text) => text).map(({ value, names }) => `${names.join(", ")} ${value}`);
  const records = fold(
    registries.flatMap(({ registry, record }) => (record === undefined ? [] : [[registry, record] as const])),
    (record) => record,
  ).map(({ value, names }) => `${value} in ${names.join(", ")}`);
  return [
    ...(lines.length === 0 ? [] : [["registries", [lines.join("; ")]] as const]),
    ...(records.length === 0 ? [] : [["record", [records.join("; ")]] as const]),
  ];
}

function transfer({ uploaded, state, durationMs }: RegistryReport): string {
  const time = duration(durationMs);
  if (uploaded === undefined) return time;
  return uploaded === 0 && state !== "failed" ? `nothing sent, ${time}` : `${size(uploaded)} sent in ${time}`;
}

function platforms({ variants }: ServiceReport): Field[] {
  return variants.filter(isKnown).map((variant) => {
    const parts = [
      variant.size === undefined ? undefined : size(variant.size),
      fileSummary(variant).join(", "),
    ];
    return [variant.platform, [parts.filter((part) => part !== undefined).join(" · ")]] as const;
  });
}

/** Platforms that did the same share a line of outcome and their lines. */
function smokeRuns({ variants }: ServiceReport): Field[] {
  const known = variants.filter(isKnown).map(({ platform, smoke }) => [platform, smoke] as const);
  const runs = fold(known, (smoke) => JSON.stringify([smoke?.ok, smoke?.recorded, smoke?.lines]));
  const machines = new Map(known.map(([platform, smoke]) => [platform, smoke?.machine]));
  const platforms = known.map(([platform]) => platform);
  return runs.map(({ value, names }, index) => {
    const of = platforms.length === 1 ? "" : whose(names, platforms);
    const where = names.flatMap((name) => machines.get(name) ?? []);
    const times = names.map((name) => known.find(([platform]) => platform === name)?.[1]);
    const outcome = `${of === "" ? "" : `${of}: `}${outcomeOf(value, times)}`;
    const on = where.length === 0 ? "" : ` on ${where.join(" and ")}`;
    return [index === 0 ? "smoke run" : "", [`${outcome}${on}`, ...(value?.lines ?? [])]] as const;
  });
}

/** "ok (1.2 s)"; without the time where runs took different times. */
function outcomeOf(smoke: SmokeReport | undefined, all: readonly (SmokeReport | undefined)[]): string {
  const isShared = new Set(all.map((each) => smokeSummary(each))).size === 1;
  return isShared ? smokeSummary(smoke) : smoke?.ok === true ? "ok" : "FAILED";
}

function wrongFiles({ variants }: ServiceReport): Field[] {
  return variants.flatMap((variant) => {
    const list = (title: string, lines: readonly string[]): Field[] =>
      lines.length === 0 ? [] : [[title, [`${variant.platform}:`, ...lines]]];
    return [...list("foreign", foreignFiles(variant)), ...list("not loadable", missingLibraries(variant))];
  });
}
