/**
 * Fuzzes every parser for as long as wanted: its inputs are in packages/PACKAGE/test/corpus. An input that fails is
 * added there, and is a case of `npm test` from then on.
 *
 * node scripts/fuzz.mjs [--seconds N] [WORD]   N seconds for each parser (60), or for those whose name has WORD
 */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { root } from "./root.mjs";

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "60" } },
  allowPositionals: true,
});
if (!(Number(values.seconds) > 0)) {
  console.error(`--seconds ${values.seconds} is not a number of seconds`);
  process.exit(2);
}
const vitest = spawn(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    ...["run", "--project", "unit", "test/fuzz.test.ts", "--reporter=verbose"],
    ...(positionals.length > 0 ? ["--testNamePattern", positionals.join(" ")] : []),
  ],
  { cwd: root, stdio: "inherit", env: { ...process.env, TGO_FUZZ_SECONDS: values.seconds } },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => vitest.kill(signal));
vitest.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
