import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { secretFrom } from "../src/api/resolvers/secret.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-secret-"));
  await writeFile(join(folder, "secret"), "hush");
});
afterAll(() => rm(folder, { recursive: true }));

it("is a file's content or a command's output", async () => {
  expect(await secretFrom(`file://${folder}/secret`).plaintext()).toBe("hush");
  expect(await secretFrom("cmd://echo hush").plaintext()).toBe("hush");
});

it.each(["/dev/zero", "/missing", "/etc"])("is not read from %s", async (path) => {
  await expect(secretFrom(`file://${path}`).plaintext()).rejects.toThrow("cannot read the secret's file: ");
});

it("is not read from a file without end", async () => {
  await writeFile(join(folder, "sparse"), "");
  await truncate(join(folder, "sparse"), 2 ** 40);
  await expect(secretFrom(`file://${folder}/sparse`).plaintext()).rejects.toThrow("it is larger than 16 MiB");
});

it("is not shown when its command fails", async () => {
  const error: unknown = await secretFrom("cmd://echo hush; exit 1")
    .plaintext()
    .catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("the secret's command failed");
  expect(JSON.stringify(error)).not.toContain('"hush');
});
