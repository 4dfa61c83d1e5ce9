import type { CommandProcess } from "../command-process.js";
import type { Product } from "../loaded-module.js";
import type { Output } from "../output.js";
import type { OwnInvocation } from "./parse-own-command.js";

/** What a command of our own is given. */
export interface OwnRun {
  readonly invocation: OwnInvocation;
  readonly product: Product;
  readonly process: CommandProcess;
  readonly output: Output;
}
