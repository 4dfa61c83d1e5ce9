import { textWidth } from "@tgo/report";
import { elapsed, amountOf, oneLine } from "./words.js";
import type { FinishedStep, RunningStep } from "./steps.js";

/** A line of the live view; the sign in front of it is animated and coloured by the display. */
export interface ViewLine {
  readonly sign: "running" | "done" | "failed" | "none";
  readonly text: string;
}

export interface ViewState {
  /** In the order of their rows; "" for the whole run. */
  readonly services: readonly string[];
  readonly running: readonly RunningStep[];
  readonly finished: readonly FinishedStep[];
  /** Milliseconds, on the display's clock. */
  readonly now: number;
  readonly started: number;
}

/**
 * What a run is doing, to be drawn over and over: a row per service, below it what cannot be on it, and totals. A service
 * that does nothing is one line.
 * @param width terminal columns for the text; no line is longer
 * @param height lines; where there are more, the last one counts what is left out
 */
export function liveView(state: ViewState, width: number, height: number): ViewLine[] {
  const { services } = state;
  const named = services.filter((service) => service !== "");
  const longest = Math.max(0, ...named.map((name) => textWidth(oneLine(name))));
  const blocks = services.map((service) => serviceLines(state, service, { longest, width }));
  const total = totals(state, named, width);
  const lines = fitting(blocks, Math.max(1, height - total.length));
  return [...lines, ...total.slice(0, Math.max(0, height - lines.length))].map(({ sign, text }) => ({
    sign,
    text: cut(text, width),
  }));
}

/** Rows without their sub-rows where the screen is low. */
function fitting(blocks: readonly Block[], height: number): ViewLine[] {
  const all = blocks.flatMap(({ lines }) => lines);
  if (all.length <= height) return all;
  const heads = blocks.flatMap(({ head }) => head ?? []);
  if (heads.length <= height) return heads;
  const shown = heads.slice(0, Math.max(0, height - 1));
  return [...shown, { sign: "none", text: `… and ${heads.length - shown.length} more` }];
}

/** A service's lines, and the one that stands for all of them on a low screen. */
interface Block {
  readonly head: ViewLine | undefined;
  readonly lines: readonly ViewLine[];
}

const lineBlock = (line: ViewLine): Block => ({ head: line, lines: [line] });

interface Columns {
  readonly longest: number;
  readonly width: number;
}

function serviceLines(state: ViewState, service: string, { longest, width }: Columns): Block {
  const own = state.running.filter(({ event }) => (event.service ?? "") === service);
  const ended = state.finished.filter(({ event }) => (event.service ?? "") === service);
  const name = oneLine(service);
  const start = service === "" ? "" : `${name}${" ".repeat(longest + 2 - textWidth(name))}`;
  if (own.length === 0)
    return service === "" ? { head: undefined, lines: [] } : lineBlock(finishedLine(start, ended));
  const groups = groupsOf(own, state.now);
  const words = groups.map(({ title, time, amount }) =>
    [title, time, amount].filter((part) => part !== "").join(" "),
  );
  const line = `${start}${words.join(" · ")}`;
  const hasParts = groups.some(({ parts }) => parts.length > 0);
  if (!hasParts && textWidth(line) <= width) return lineBlock({ sign: "running", text: line });
  // The first step is beside the name, the others below it, each with its own parts.
  const lines = groups.flatMap(({ parts }, index): ViewLine[] => {
    const below = (text: string): ViewLine => ({ sign: "none", text: `  ${text}` });
    const text = words[index] ?? "";
    return index === 0
      ? [{ sign: "running", text: `${start}${text}` }, ...parts.map(below)]
      : [below(text), ...parts.map((part) => below(`  ${part}`))];
  });
  const steps = groups.length === 1 ? words.join("") : groups.map(({ step }) => step).join(", ");
  return { head: { sign: "running", text: `${start}${steps}` }, lines };
}

interface StepGroup {
  readonly step: string;
  /** "upload", "check linux/amd64, linux/arm64" */
  readonly title: string;
  readonly time: string;
  /** Of a single step. */
  readonly amount: string;
  /** Of several steps that say how far they are, a line each. */
  readonly parts: readonly string[];
}

/** Steps of one kind on several platforms or registries together. */
function groupsOf(steps: readonly RunningStep[], now: number): StepGroup[] {
  const kinds = [...new Set(steps.map(({ event }) => event.step))];
  return kinds.map((kind) => {
    const own = steps.filter(({ event }) => event.step === kind);
    const targets = own.map(({ event }) => oneLine(event.registry ?? event.platform ?? ""));
    const time = elapsed(now - Math.min(...own.map(({ since }) => since)));
    const amounts = own.map((step) => amountOf(step));
    const step = oneLine(kind);
    const isSplit = own.length > 1 && amounts.some((amount) => amount !== undefined);
    if (!isSplit) {
      const named = targets.filter((target) => target !== "").join(", ");
      return {
        step,
        title: named === "" ? step : `${step} ${named}`,
        time,
        amount: amounts[0] ?? "",
        parts: [],
      };
    }
    const longest = Math.max(...targets.map((target) => textWidth(target)));
    const parts = targets.map((target, index) => {
      const pad = " ".repeat(longest + 2 - textWidth(target));
      return `${target}${pad}${amounts[index] ?? elapsed(now - (own[index]?.since ?? now))}`;
    });
    return { step, title: step, time, amount: "", parts };
  });
}

function finishedLine(start: string, ended: readonly FinishedStep[]): ViewLine {
  const failed = ended.find(({ event }) => event.state === "failed" || event.state === "stopped");
  const last = failed ?? ended.at(-1);
  const word = failed === undefined ? "ok" : failed.event.state;
  const step = oneLine(last?.event.step ?? "");
  return { sign: failed === undefined ? "done" : "failed", text: `${start}${step} ${word}` };
}

/** "1 of 2 services at work · 34.8 s", on two lines where it is longer than the terminal is wide. */
function totals(
  { running, now, started }: ViewState,
  services: readonly string[],
  width: number,
): ViewLine[] {
  if (services.length < 2) return [];
  const busy = services.filter((service) => running.some(({ event }) => event.service === service)).length;
  const bytes = running.flatMap(({ amount }) => (amount?.unit === "bytes" ? [amount] : []));
  const sum = bytes.reduce(
    (total, { done, total: all }) => ({ ...total, done: total.done + done, total: total.total + all }),
    { what: "layers", done: 0, total: 0, unit: "bytes" as const },
  );
  const rates = running.flatMap(({ amount, rate }) => (amount?.unit === "bytes" ? [rate ?? 0] : []));
  const rate = rates.reduce((total, each) => total + each, 0);
  const first = running[0];
  const transfer =
    bytes.length < 2 || first === undefined ? undefined : amountOf({ ...first, amount: sum, rate });
  const state = `${busy} of ${services.length} services at work · ${elapsed(now - started)}`;
  const all = transfer === undefined ? [state] : [`${state} · ${transfer}`];
  const lines = all.every((line) => textWidth(line) <= width) ? all : [state, transfer ?? ""];
  return lines.map((text) => ({ sign: "none", text }));
}

/** A last resort: names from a catalog can be longer than a terminal. */
function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let short = "";
  for (const character of text) {
    if (textWidth(short + character) > width - 1) break;
    short += character;
  }
  return `${short}…`;
}
