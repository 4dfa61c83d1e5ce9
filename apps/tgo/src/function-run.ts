import type { Redactor } from "@tgo/redaction";
import type { Invocation } from "./command-line.js";
import type { CommandProcess } from "./command-process.js";
import type { Interruption } from "./interrupt.js";
import type { Product } from "./loaded-module.js";
import type { Output } from "./output.js";
import type { Display } from "./progress/display.js";
import type { Reporting } from "./reporting.js";
import type { Engines } from "./session.js";

/** One run of a function, with everything it uses. */
export interface Run {
  readonly product: Product;
  readonly process: CommandProcess;
  readonly engines: Engines;
  readonly redaction: Redactor;
  readonly output: Output;
  readonly invocation: Invocation;
  readonly interruption: Interruption;
  readonly reporting: Reporting;
  readonly display: Display;
}
