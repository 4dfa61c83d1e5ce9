import { readFileSync } from "node:fs";
import { BAD_IMAGES, BOTH_PLATFORMS, MemoryRegistry, plantBadImages } from "@tgo/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { verifyImage, type Verification } from "../src/index.js";

const PAGE = readFileSync(new URL("../../../docs/background/judges.md", import.meta.url), "utf8");
const registry = new MemoryRegistry("registry.example.com");
beforeAll(() => {
  plantBadImages(registry, "t");
});

function verify(repository: string, reference: string): Promise<Verification> {
  const target = { name: "here", registry: registry.client(), repository, reference };
  return verifyImage({ targets: [target], platforms: BOTH_PLATFORMS, elf: true });
}

describe("images that nobody should publish", () => {
  it("are at least forty, of every kind", () => {
    expect(BAD_IMAGES.length).toBeGreaterThanOrEqual(40);
    expect(new Set(BAD_IMAGES.map(({ name }) => name)).size).toBe(BAD_IMAGES.length);
  });

  it("differ from this one, which is verified", async () => {
    const { ok, targets } = await verify("t", "good");
    expect(targets[0]?.problems).toEqual([]);
    expect(ok).toBe(true);
  });

  it.each(BAD_IMAGES)(
    "are in docs/background/judges.md, with what we say and who else refuses them: $name",
    (image) => {
      const [, says = "", others = ""] =
        new RegExp(`^\\| \\x60${image.name}\\x60 +\\| (.+?) +\\| (.+?) +\\|$`, "m").exec(PAGE) ?? [];
      expect(says.replaceAll("\\", "")).toMatch(image.says);
      const sometimes = image.sometimesRefusedBy.map((judge) => `${judge} sometimes`);
      expect(others).toBe([...image.refusedBy, ...sometimes].join(", ") || "nobody");
    },
  );

  it.each(BAD_IMAGES)("are refused: $name", async ({ name, says }) => {
    const { ok, targets } = await verify(`t/${name}`, "bad");
    expect(ok).toBe(false);
    expect(targets[0]?.problems.map(({ what }) => what).join("\n")).toMatch(says);
  });
});
