import { MemoryRegistry, stageImage } from "@tgo/testing";
import { expect, it } from "vitest";
import { copyReferrers } from "../src/index.js";

const REPOSITORY = "t/app";
const CONTENT = new TextEncoder().encode('{"a":1}');

it.each([
  ["empty", "image-config"],
  ["image-config", "empty"],
] as const)(
  "an artifact with the config %s gets the other registry's, %s, and is there once",
  async (one, other) => {
    const [from, to] = [new MemoryRegistry("one.example"), new MemoryRegistry("two.example")];
    for (const registry of [from, to])
      await stageImage(registry.client(), REPOSITORY, "1", [{ platform: "linux/amd64" }]);
    const { descriptor: subject } = await from.client().manifest(REPOSITORY, "1");
    const artifact = { type: "application/vnd.example+json", content: CONTENT };
    await from.client().attach(REPOSITORY, subject, [{ ...artifact, config: one }]);
    await to.client().attach(REPOSITORY, subject, [{ ...artifact, config: other }]);
    const listed = await to.client().referrers(REPOSITORY, subject.digest);
    const copied = await copyReferrers({
      from: { registry: from.client(), repository: REPOSITORY },
      to: { registry: to.client(), repository: REPOSITORY },
      subject,
      config: other,
    });
    expect(copied).toBe(1);
    expect(await to.client().referrers(REPOSITORY, subject.digest)).toEqual(listed);
  },
);
