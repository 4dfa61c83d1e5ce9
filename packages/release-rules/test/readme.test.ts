import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { decideFloatingTag, parseVersion } from "../src/index.js";

it("runs the README's example", async () => {
  const move = decideFloatingTag({
    tag: "latest",
    current: { digest: "sha256:new", version: parseVersion("1.3.0") },
    wanted: { digest: "sha256:old", version: parseVersion("v1.2.4") },
    where: "ghcr.io/tgoai/tgo-api:latest",
  });

  expect(move).toMatchObject({ act: "stay", message: "stays on 1.3.0, newer than 1.2.4" });
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
