import { BOTH_PLATFORMS, MemoryRegistry, stageImage } from "@tgo/testing";
import { expect, test } from "vitest";
import { readTagGroups } from "../src/index.js";
import { compareTags } from "../src/tag-groups.js";

test("tags are in the order of their versions, the newest one first, then the others by name", () => {
  const ordered = [
    ...["20260101", "3.12.1", "3.12.0", "3.12.0-rc.2", "3.12.0-rc.1", "3.12", "3.12-slim", "3.9", "v1.10.0"],
    ...["1.9", "1", "candidate-0123", "latest", "stable"],
  ];
  expect([...ordered].reverse().sort(compareTags)).toEqual(ordered);
});

test("a hash is no version", () => {
  expect(["1abc", "2", "1"].sort(compareTags)).toEqual(["2", "1", "1abc"]);
});

test("a thousand tags are read a few at a time, and none is pulled", async () => {
  const registry = new MemoryRegistry("ghcr.io", { delayMs: 1 });
  await stageImage(registry.client(), "t/app", "v0", [{ platform: BOTH_PLATFORMS[0] }]);
  const found = registry.manifests.get("t/app v0");
  for (let at = 1; at < 1000; at++) if (found !== undefined) registry.manifests.set(`t/app v${at}`, found);
  let now = 0;
  let most = 0;
  registry.intercept = async () => {
    most = Math.max(most, ++now);
    await new Promise((turn) => setImmediate(turn));
    now--;
    return undefined;
  };
  registry.received.length = 0;
  const { groups } = await readTagGroups(registry.client(), "t/app");
  expect(groups).toHaveLength(1);
  expect(groups[0]?.tags).toHaveLength(1000);
  expect(groups[0]?.tags[0]).toBe("v999");
  expect(most).toBeLessThanOrEqual(16);
  expect(registry.requests("GET")).toHaveLength(1);
});

test("a tag whose digest the registry does not tell is listed with the reason", async () => {
  const registry = new MemoryRegistry("ghcr.io");
  await stageImage(registry.client(), "t/app", "v1", [{ platform: BOTH_PLATFORMS[0] }]);
  registry.manifests.set("t/app odd", { mediaType: "text/plain", bytes: Buffer.from("x") });
  registry.intercept = ({ url, method }) =>
    url.pathname.endsWith("/odd") && method === "HEAD" ? new Response(null, { status: 200 }) : undefined;
  const { groups, unread } = await readTagGroups(registry.client(), "t/app");
  expect(groups.map(({ tags }) => tags)).toEqual([["v1"]]);
  expect(unread).toMatchObject([{ tag: "odd" }]);
});
