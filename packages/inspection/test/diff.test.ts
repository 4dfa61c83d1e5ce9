import { BOTH_PLATFORMS, MemoryRegistry, stageImage, type TarEntry, type VariantSpec } from "@tgo/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { diffImages, renderDiff, type ImageDiff } from "../src/index.js";

let registry: MemoryRegistry;

beforeEach(() => {
  registry = new MemoryRegistry("ghcr.io");
});

async function stage(tag: string, ...variants: VariantSpec[]): Promise<void> {
  await stageImage(registry.client(), "t/app", tag, variants);
}

async function diff(options: Parameters<typeof diffImages>[1] = {}): Promise<ImageDiff> {
  const source = (wanted: string) => ({ registry: registry.client(), repository: "t/app", wanted });
  return diffImages([source("a"), source("b")], options);
}

const status = (version: string): TarEntry => ({
  path: "var/lib/dpkg/status",
  content: `Package: libpq5\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`,
});
const metadata = (name: string, version: string): TarEntry => ({
  path: `usr/lib/python3/site-packages/${name}-${version}.dist-info/METADATA`,
  content: `Name: ${name}\nVersion: ${version}\n`,
});
const npm = (path: string, version: string): TarEntry => ({
  path: `app/node_modules/${path}/package.json`,
  content: JSON.stringify({ name: "left-pad", version }),
});
const apk = (version: string): TarEntry => ({
  path: "lib/apk/db/installed",
  content: `P:musl\nV:${version}\nA:x86_64\n\n`,
});

const amd64 = (layers: TarEntry[][], change: Partial<VariantSpec> = {}): VariantSpec => ({
  platform: "linux/amd64",
  layers,
  ...change,
});

describe("a comparison", () => {
  test("of one image with itself reads no layer", async () => {
    for (const tag of ["a", "b"]) await stage(tag, ...BOTH_PLATFORMS.map((platform) => ({ platform })));
    registry.received.length = 0;
    const found = await diff();
    expect(found).toMatchObject({ same: true, platforms: [{ same: true }, { same: true }] });
    // The index and its manifests with their configs, for each side.
    expect(registry.requests("GET").filter((request) => request.includes("/blobs/"))).toHaveLength(4);
    expect(renderDiff(found, "text")).toContain("No difference.");
  });

  test("has packages of every kind first, with their versions", async () => {
    await stage(
      "a",
      amd64([
        [
          status("15.1"),
          metadata("Django", "4.2"),
          metadata("gone", "1"),
          npm("left-pad", "1.0.0"),
          apk("1.2.4-r0"),
        ],
      ]),
    );
    await stage(
      "b",
      amd64([
        [
          status("15.2"),
          metadata("Django", "5.0"),
          npm("left-pad", "1.0.0"),
          npm("x/node_modules/left-pad", "1.3.0"),
          apk("1.2.5-r0"),
        ],
      ]),
    );
    const { platforms, same } = await diff();
    expect(same).toBe(false);
    expect(platforms[0]?.packages).toEqual([
      { kind: "apk", name: "musl", a: "1.2.4-r0", b: "1.2.5-r0" },
      { kind: "dpkg", name: "libpq5", a: "15.1", b: "15.2" },
      { kind: "node", name: "left-pad", a: "1.0.0", b: "1.0.0, 1.3.0" },
      { kind: "python", name: "django", a: "4.2", b: "5.0" },
      { kind: "python", name: "gone", a: "1" },
    ]);
  });

  test("has settings and files, with sizes, whatever layers they are in", async () => {
    const file = (path: string, content: string): TarEntry => ({ path, content });
    await stage(
      "a",
      amd64([
        [
          file("etc/a", "1"),
          file("etc/gone", "1"),
          file("etc/kept", "1"),
          file("d/x", "1"),
          file("d/y", "1"),
        ],
        [file("etc/a", "22")],
      ]),
    );
    await stage(
      "b",
      amd64(
        [
          [file("etc/.wh.nothing", ""), file("etc/a", "333"), file("etc/kept", "1"), file("d/z", "1")],
          [file("etc/new", "1"), { path: "etc/link", symlink: "new" }, { path: "etc/hard", link: "etc/new" }],
          [file("d/.wh..wh..opq", ""), file("d/w", "1")],
        ],
        { config: { config: { Env: ["PATH=/bin", "NEW=1"], User: "app" } }, labels: {} },
      ),
    );
    const { platforms } = await diff();
    expect(platforms[0]?.files.map(({ path, change, what }) => [path, change, ...what].join(" "))).toEqual([
      "/d/w added",
      "/d/x removed",
      "/d/y removed",
      "/etc/a changed content",
      "/etc/gone removed",
      "/etc/hard added",
      "/etc/link added",
      "/etc/new added",
    ]);
    expect(platforms[0]?.files.find(({ path }) => path === "/etc/a")).toMatchObject({ sizeA: 2, sizeB: 3 });
    expect(platforms[0]?.config).toEqual(
      expect.arrayContaining([
        { name: "user", b: "app" },
        { name: "env PATH", a: "/usr/bin", b: "/bin" },
        { name: "env NEW", b: "1" },
        { name: "cmd", a: '["/usr/bin/tool"]' },
      ]),
    );
  });

  test("--semantic ignores times", async () => {
    const later = { created: "2024-01-01T00:00:00Z" };
    const labels = (created: string) => ({ "org.opencontainers.image.created": created });
    await stage("a", amd64([[{ path: "x", content: "1" }]], { labels: labels("2020") }));
    await stage("b", amd64([[{ path: "x", content: "1" }]], { labels: labels("2024"), config: later }));
    expect((await diff()).platforms[0]?.config.map(({ name }) => name)).toEqual([
      "label org.opencontainers.image.created",
      "created",
    ]);
    expect(await diff({ semantic: true })).toMatchObject({ same: true });
  });

  test("says which platform only one of them has", async () => {
    await stage("a", amd64([[{ path: "x", content: "1" }]]));
    await stage("b", amd64([[{ path: "x", content: "1" }]]), { platform: "linux/arm64" });
    const found = await diff();
    expect(found).toMatchObject({
      same: false,
      platforms: [
        { platform: "linux/amd64", same: true },
        { platform: "linux/arm64", only: "b" },
      ],
    });
    expect(renderDiff(found, "text")).toContain("linux/arm64: only B has it");
    expect(await diff({ platforms: ["linux/amd64"] })).toMatchObject({ same: true });
  });

  test("fails when a part cannot be read: missing is not the same as different", async () => {
    await stage("a", amd64([[{ path: "x", content: "1" }]]));
    await stage("b", amd64([[{ path: "x", content: "2" }]]));
    const { value } = await registry.client().manifest("t/app", "b");
    if (!("manifests" in value)) throw new Error("no index");
    registry.manifests.delete(`t/app ${value.manifests[0]?.digest ?? ""}`);
    await expect(diff()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
