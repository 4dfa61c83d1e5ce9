import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SHELL = fileURLToPath(new URL("../src/index.ts", import.meta.url));
const SERVER = createRequire(import.meta.url).resolve("typescript/lib/tsserver.js");

/** Where an editor's "go to definition" leads from the last letter of `text` in the shell. */
async function definitionsOf(text: string): Promise<string[]> {
  const source = await readFile(SHELL, "utf8");
  const before = source.slice(0, source.indexOf(text) + text.length - 1).split("\n");
  const position = { line: before.length, offset: (before.at(-1) ?? "").length + 1 };
  const server = spawn(process.execPath, [SERVER, "--disableAutomaticTypingAcquisition"]);
  const request = (seq: number, command: string, args: object): void => {
    server.stdin.write(
      JSON.stringify({ seq, type: "request", command, arguments: { file: SHELL, ...args } }) + "\n",
    );
  };
  try {
    request(1, "open", {});
    request(2, "definition", position);
    for await (const line of createInterface(server.stdout)) {
      if (!line.startsWith("{")) continue;
      const message = JSON.parse(line) as { request_seq?: number; body?: { file: string }[] };
      if (message.request_seq === 2) return (message.body ?? []).map(({ file }) => file);
    }
    return [];
  } finally {
    server.kill();
  }
}

it("from the shell, publish leads to its source and not into the bundle", async () => {
  const [file] = await definitionsOf("this.pipelines().publish");
  expect(file).toMatch(/\/packages\/functions\/src\/[\w-]+\.ts$/);
}, 60_000);
