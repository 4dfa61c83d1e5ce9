#!/usr/bin/env node
import { existsSync } from "node:fs";

const program = new URL("../dist/tgo.js", import.meta.url);
// Only in a checkout; a packed command has no sources.
const stamp = new URL("../dist/inputs.json", import.meta.url);

function fail(problem) {
  console.error(`tgo: ${problem}`);
  process.exit(1);
}

if (!existsSync(program)) fail("this checkout has not been built yet; run: npm install");
if (existsSync(stamp)) {
  const { rebuildIfStale } = await import("./rebuild.mjs");
  const problem = rebuildIfStale(new URL("../../../", import.meta.url), stamp);
  if (problem !== undefined) fail(`${problem}\n  Run this as the owner of the checkout: npm install`);
}
await import(program.href);
