import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { MemoryRegistry, errorResponse, rejection, stageImage } from "../src/index.js";

it("runs the README's example", async () => {
  const memory = new MemoryRegistry("ghcr.io");
  await stageImage(memory.client(), "tgoai/tgo-api", "1.2.4", [{ platform: "linux/arm64" }]);
  memory.intercept = ({ method }) =>
    method === "HEAD" ? errorResponse(503, "UNAVAILABLE", "down") : undefined;
  const error = await rejection(memory.client().resolve("tgoai/tgo-api", "1.2.4"));

  expect(error).toMatchObject({ code: "UNAVAILABLE", where: "ghcr.io/tgoai/tgo-api:1.2.4" });
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
