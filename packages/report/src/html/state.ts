import type { CheckReport, RegistryState, ServiceState, TagReport } from "../report.js";
import { html, type Markup } from "./markup.js";

type State =
  ServiceState | RegistryState | TagReport["state"] | CheckReport["state"] | "by tag" | "FAILED" | "not run";
export type Tone = "good" | "waiting" | "bad";

const SIGNS = { good: "✓", waiting: "○", bad: "✗" } as const satisfies Record<Tone, string>;

const WAITING: ReadonlySet<State> = new Set(["not started", "not released", "not run", "note", "skipped"]);

export function toneOf(state: State): Tone {
  if (state === "failed" || state === "FAILED" || state === "not moved") return "bad";
  return WAITING.has(state) ? "waiting" : "good";
}

/** A state in words, with a sign and a colour that add no information. */
export function stateMark(state: State, words: string = state): Markup {
  return mark(toneOf(state), words);
}

export function mark(tone: Tone, words: string): Markup {
  return html`<span class="state ${tone}"><span aria-hidden="true">${SIGNS[tone]}</span> ${words}</span>`;
}
