import { count } from "@tgo/report";
import type { Row } from "./diagnose.js";

/** Rows as a table of plain text, each remedy below its row; the last line says what it comes to. */
export function renderRows(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ check }) => check.length));
  const lines = rows.flatMap(({ check, state, found, remedy }) => {
    const [first = "", ...others] = found.split("\n");
    const indent = " ".repeat(width + 10);
    return [
      `${state.padEnd(6)}  ${check.padEnd(width)}  ${first}`,
      ...others.map((line) => `${indent}${line}`),
      ...(remedy ?? "")
        .split("\n")
        .flatMap((line, at) => (line === "" ? [] : `${indent}${at === 0 ? "-> " : "   "}${line}`)),
    ];
  });
  return [...lines, "", summary(rows), ""].join("\n");
}

function summary(rows: readonly Row[]): string {
  const numberOf = (state: Row["state"]): number => rows.filter((row) => row.state === state).length;
  const failures = numberOf("failed");
  const warnings = numberOf("warn");
  const warned = warnings === 0 ? "" : `; ${count(warnings, "warning")}`;
  return failures === 0
    ? `This machine can build and publish${warned}.`
    : `${count(failures, "check")} failed${warned}.`;
}
