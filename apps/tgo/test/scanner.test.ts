import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { scan } from "../src/scanner.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-scanners-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function install(program: string, lines: readonly string[]): Promise<void> {
  const path = join(folder, program);
  await writeFile(path, ["#!/bin/sh", ...lines, ""].join("\n"));
  await chmod(path, 0o755);
}

const run = (): ReturnType<typeof scan> =>
  scan('{"bomFormat":"CycloneDX"}', { PATH: [folder, "/bin"].join(delimiter) });

it("is grype, which gets the document as a file", async () => {
  await install("grype", ['echo "$#"', 'cat "${1#sbom:}"', "echo odd >&2", "exit 2"]);
  await install("trivy", ["exit 3"]);
  expect(await run()).toEqual({
    program: "grype",
    output: '1\n{"bomFormat":"CycloneDX"}',
    errors: "odd\n",
    exitCode: 2,
  });
});

it("is trivy where there is no grype", async () => {
  await install("trivy", ['echo "$1 $2"', 'cat "$3"']);
  expect(await run()).toMatchObject({
    program: "trivy",
    output: 'sbom --no-progress\n{"bomFormat":"CycloneDX"}',
    exitCode: 0,
  });
});

it("is missing on a machine without either", async () => {
  expect(await run()).toBeUndefined();
});
