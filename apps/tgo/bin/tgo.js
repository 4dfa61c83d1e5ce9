#!/usr/bin/env node
import { existsSync } from "node:fs";

const program = new URL("../dist/tgo.js", import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.error("tgo: this checkout has not been built yet; run: npm install");
  process.exit(1);
}
