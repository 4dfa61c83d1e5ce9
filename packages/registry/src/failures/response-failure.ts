import { TgoError } from "@tgo/errors";
import { ROWS, type Row } from "./failure-rules.js";
import type { Fault, Patience } from "./registry-failure.js";

/** What a fault means, for the reader who has to act. */
export function explain(fault: Fault): TgoError {
  const row = rowFor(fault);
  const prefix = fault.stage === "token" ? "at the login: " : "";
  return new TgoError(row.code, prefix + row.what(fault), {
    where: fault.where,
    remedy: row.remedy?.(fault),
  });
}

/** How patient to be with a fault; undefined when asking again does not help. */
export function patienceWith(fault: Fault): Patience | undefined {
  return rowFor(fault).patience?.(fault);
}

/** The table's name for a fault; for programs and tests. */
export function classify(fault: Fault): string {
  return rowFor(fault).name;
}

function rowFor(fault: Fault): Row {
  // The last row matches everything.
  return ROWS.find((row) => row.matches(fault)) ?? unreachable();
}

function unreachable(): never {
  throw new TgoError("INTERNAL", "the table of registry answers has no last row");
}
