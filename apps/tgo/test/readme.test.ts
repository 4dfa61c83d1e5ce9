import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { runCommand, type CommandProcess, type Engines, type Product } from "../src/index.js";
import { MODULE_API } from "./fixture.js";

it("the README's example prints the version", async () => {
  const unused = (): Promise<never> => Promise.reject(new Error("not needed for --version"));
  const product: Product = {
    version: "1.2.3",
    moduleApi: MODULE_API,
    load: unused,
    loadSdk: unused,
    builtInCatalog: unused,
  };
  const engines: Engines = { isDockerRunning: unused, startLocalEngine: unused };
  const stdout = new PassThrough();
  const commandProcess: CommandProcess = {
    name: "tgo",
    argv: [],
    env: {},
    cwd: "/nowhere",
    home: "/nowhere",
    stdout,
    stderr: new PassThrough(),
    events: new EventEmitter(),
    exit: () => undefined,
  };

  const code = await runCommand(product, { ...commandProcess, argv: ["--version"] }, engines);

  expect(code).toBe(0);
  expect(String(stdout.read())).toBe("1.2.3\n");
  expect(readFileSync(new URL("../README.md", import.meta.url), "utf8")).toContain(
    '```ts\nconst code = await runCommand(product, { ...commandProcess, argv: ["--version"] }, engines);\n```',
  );
});
