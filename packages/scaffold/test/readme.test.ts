import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { draftCatalog, readCheckout, type Ask } from "../src/index.js";

it("runs the README's example", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tgo-scaffold-readme-"));
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\n");

  const checkout = await readCheckout(folder);
  const ask: Ask = ({ fallback }) => Promise.resolve(fallback);
  const { text } = await draftCatalog(checkout, {
    name: "bot",
    folder,
    remote: undefined,
    registries: [],
    ask,
  });

  await rm(folder, { recursive: true });
  expect(text).toContain('"bot": {');
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
