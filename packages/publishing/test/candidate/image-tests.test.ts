import { elfObject, rejection, stageImage } from "@tgo/testing";
import { expect, it } from "vitest";
import { imageTests } from "../../src/candidate/image-tests.js";
import type { PublishContext } from "../../src/targets/publish-context.js";
import { verifyTag } from "../../src/verify/verify-tag.js";
import { MemoryHarness } from "../release/memory-harness.js";

const X86_ISA_1_NEEDED = 0xc0008002;
const V3 = 0b100;
const PC = { name: "PCs of 2010", processor: "x86-64-v2", pageSize: 4096 };

it("an image that is found, and is not run, must load on every promised machine", async () => {
  const harness = new MemoryHarness();
  const content = elfObject({ type: 2, properties: { [X86_ISA_1_NEEDED]: V3 } });
  const layers = [[{ path: "usr/bin/server", content, mode: 0o755 }]];
  await stageImage(harness.registries.ghcr.client(), "tgoai/tgo-api", "1.2.3", [
    { platform: "linux/amd64", layers },
    { platform: "linux/arm64" },
  ]);
  const [from] = harness.context().targets;
  if (from === undefined) throw new Error("no registry");
  const context = {
    ...harness.context(),
    platforms: ["linux/amd64", "linux/arm64"],
    catalog: { machines: { "linux/amd64": [PC], "linux/arm64": [] } },
    host: { withoutEngine: true },
  } as unknown as PublishContext;
  const verification = await verifyTag(context, "tgo-api", [from], "1.2.3", { elf: false });
  expect(verification.ok).toBe(true);
  const image = { from, digest: verification.digest ?? "", verification };
  const service = {
    build: {},
    smoke: { exec: [], http: [] },
    image: {},
    allowForeign: [],
    allowDifferences: [],
  } as never;
  const tests = imageTests(context, { name: "tgo-api", service });
  expect(await rejection(tests.test(image, new Map(), { run: false }))).toMatchObject({
    code: "CHECK",
    what: expect.stringContaining("PCs of 2010") as string,
  });
});
