import { expect, it } from "vitest";
import moduleApi from "../../../pipelines/tgo/module-api.json";
import { parseCommandLine } from "../src/command-line.js";
import { needsEngine } from "../src/engine-need.js";
import { commandApi } from "../src/command-api.js";
import type { ModuleApi } from "../src/module-api.js";

function needs(line: string): boolean {
  const parsed = parseCommandLine(line.split(" "), {
    moduleApi: commandApi(moduleApi as ModuleApi),
    name: "tgo",
    command: "tgo",
    version: "1",
    writeOut: () => undefined,
    writeErr: (text) => expect.fail(text),
    width: 100,
  });
  if ("shown" in parsed || "own" in parsed) throw new Error(line);
  return needsEngine(parsed);
}

it.each([
  "services",
  "services --catalog a.json",
  "plan --service a --base-lock a.json",
  "status --docker-config file:a.json",
  "status --engine local",
  "prune --remove --registry localhost:5000/a --registry-service tcp://localhost:5001",
  "verify --service a --tag latest",
  "verify --service a --tag latest --elf=false --ca-bundle a.pem",
])("no engine is needed by: %s", (line) => {
  expect(needs(line)).toBe(false);
});

it.each([
  ["verify --service a", "a source, which an engine reads"],
  ["verify --service a --tag latest --engine local", "the test results in its store"],
  ["publish --service a", "builds"],
  ["build --service a", "builds"],
  ["preflight", "the engine's disk and emulation"],
  ["lock-bases", "the engine's way to registries"],
  ["release --version 1.2.3", "builds"],
])("an engine is needed by: %s (%s)", (line) => {
  expect(needs(line)).toBe(true);
});
