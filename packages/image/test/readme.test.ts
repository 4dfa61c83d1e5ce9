import { readFile } from "node:fs/promises";
import { X86_64, createTar, elfFile, streamOf } from "@tgo/testing";
import { expect, it } from "vitest";
import { scanLayers } from "../src/index.js";

it("runs the README's example", async () => {
  const mediaType = "application/vnd.oci.image.layer.v1.tar";
  const layer = createTar([
    { path: "usr/bin/tool", content: elfFile(X86_64) },
    { path: "opt/qemu/tool", content: elfFile(X86_64) },
  ]);
  const open = (): ReadableStream<Uint8Array> => streamOf(layer);

  const report = await scanLayers([{ mediaType, open }], "linux/arm64", { allow: ["/opt/qemu/"] });
  const wrong = report.foreign.map(({ path, machine }) => `${path} is for ${machine}`);

  expect(wrong).toEqual(["/usr/bin/tool is for x86-64"]);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
