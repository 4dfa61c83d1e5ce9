import type { CommandProcess } from "../command-process.js";
import type { Product } from "../loaded-module.js";
import type { Output } from "../output.js";
import type { OwnRun } from "./own-run.js";
import type { OwnInvocation } from "./parse-own-command.js";

/** @returns the exit code, one of EXIT */
type OwnFunction = (run: OwnRun) => Promise<number>;

/** Each is loaded only when it is called. */
const FUNCTIONS: Readonly<Record<string, () => Promise<OwnFunction>>> = {
  init: async () => (await import("./init.js")).init,
  catalog: async () => (await import("./catalog.js")).catalog,
  doctor: async () => (await import("./doctor.js")).doctor,
};

export async function runOwnCommand(
  invocation: OwnInvocation,
  product: Product,
  process: CommandProcess,
  output: Output,
): Promise<number> {
  const load = FUNCTIONS[invocation.own];
  if (load === undefined) throw new Error(`nothing runs ${invocation.own}`);
  const run = await load();
  return run({ invocation, product, process, output });
}
