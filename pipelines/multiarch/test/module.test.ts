import { readdir, readFile } from "node:fs/promises";
import type { Client, Container } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { MultiarchFunctions, PIPELINE } from "../lib/core.js";

const file = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), "utf8");

describe("the module multiarch", () => {
  it("has a bundle of its own, small and generated", async () => {
    const names = (await readdir(new URL("../lib", import.meta.url))).filter((name) => name.endsWith(".js"));
    // What every call loads is named after core: signatures and the reader of layers are loaded when they are needed.
    const loaded = await Promise.all(
      names.filter((name) => /^common|core/.test(name)).map((name) => file(`lib/${name}`)),
    );
    expect(names).toContain("layers.js");
    expect(Buffer.byteLength(loaded.join(""))).toBeLessThanOrEqual(700_000);
    for (const text of loaded) expect(text.split("\n")[0]).toContain("@generated");
    expect(PIPELINE).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  });

  it("needs nothing installed, and stays on the oldest engine that has the API", async () => {
    const { dependencies } = JSON.parse(await file("package.json")) as { dependencies: object };
    const { engineVersion } = JSON.parse(await file("dagger.json")) as { engineVersion: string };
    const root = JSON.parse(await file("../../dagger.json")) as { engineVersion: string };
    expect(Object.keys(dependencies)).toEqual(["typescript"]);
    expect(engineVersion).toBe(root.engineVersion);
  });

  it("never answers from a cache where the answer depends on a registry, and takes core types only", async () => {
    const source = await file("src/index.ts");
    const cached = [...source.matchAll(/@func\(\)\s+(?:async )?(\w+)/g)].map(([, name]) => name);
    expect(cached).toEqual(["withLogin"]);
    const [, core = ""] = /import \{([^}]*)\} from "@dagger.io\/dagger"/.exec(source) ?? [];
    expect(core.match(/type \w+/g)).toEqual(["type Container", "type Secret", "type Service"]);
  });
});

/** A container that says its platform, and nothing else: nothing is run for a wrong call. */
const container = (platform: string): Container =>
  ({ platform: () => Promise.resolve(platform) }) as unknown as Container;

const client = {
  defaultPlatform: () => Promise.resolve("linux/amd64"),
  version: () => Promise.resolve("v0.21.8"),
} as unknown as Client;

function publish(platforms: readonly string[], registries: readonly string[], flags = {}): Promise<string[]> {
  const functions = new MultiarchFunctions(client, {});
  return functions.publish(platforms.map(container), registries, { adoptLatest: false, ...flags });
}

const BOTH = ["linux/amd64", "linux/arm64"];

it.each([
  ["no variant", [], ["ghcr.io/me/app:1"], "there is no variant to publish"],
  [
    "two of one platform",
    ["linux/amd64", "linux/amd64"],
    ["ghcr.io/me/app:1"],
    "two variants are for linux/amd64",
  ],
  [
    "another platform",
    ["linux/s390x"],
    ["ghcr.io/me/app:1"],
    '"linux/s390x" is not a platform this product builds',
  ],
  ["no registry", BOTH, [], "there is no registry to publish to"],
  ["no tag", BOTH, ["ghcr.io/me/app"], '"ghcr.io/me/app" must name a tag, and no digest'],
  ["an empty reference", BOTH, [""], '"" is not an image reference'],
])("a call with %s is refused before anything is built or sent", async (_, platforms, registries, what) => {
  const refused = publish(platforms, registries);
  await expect(refused).rejects.toMatchObject({ code: "USAGE" });
  await expect(refused).rejects.toThrow(what);
});

it("an annotation that is none, and a time that is none, are refused", async () => {
  await expect(publish(BOTH, ["ghcr.io/me/app:1"], { annotation: ["x"] })).rejects.toThrow(
    "is not NAME=value",
  );
  await expect(publish(BOTH, ["ghcr.io/me/app:1"], { created: "soon" })).rejects.toMatchObject({
    code: "USAGE",
  });
});
