import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BOTH_PLATFORMS, MemoryRegistry, rejection, stageImage } from "@tgo/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exportLayout, importLayout, type TagToWrite } from "../src/index.js";

let folder: string;
let from: MemoryRegistry;
let to: MemoryRegistry;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-layout-"));
  from = new MemoryRegistry("ghcr.io");
  to = new MemoryRegistry("docker.io");
  const client = from.client();
  const variants = BOTH_PLATFORMS.map((platform) => ({ platform }));
  await stageImage(client, "t/app", "1.2.3", variants, { attestation: true, annotations: { a: "1" } });
  const { descriptor } = await client.manifest("t/app", "1.2.3");
  const [sbom] = await client.attach("t/app", descriptor, [
    { type: "application/spdx+json", content: Buffer.from('{"sbom":1}'), annotations: { k: "v" } },
    { type: "application/vnd.example.signature", content: Buffer.from("signed") },
  ]);
  const { descriptor: subject } = await client.manifest("t/app", sbom?.digest ?? "");
  await client.attach("t/app", subject, [
    { type: "application/vnd.example.of-sbom", content: Buffer.from("x") },
  ]);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const source = (wanted = "1.2.3") => ({ registry: from.client(), repository: "t/app", wanted });
const target = (registry = to, tag = "1.2.3"): TagToWrite => ({
  registry: registry.client(),
  repository: "mirror/app",
  tag,
});

describe("an image and what refers to it", () => {
  test("keep their digests on the way through a folder", async () => {
    const { digest } = await exportLayout(source(), folder);
    expect(digest).toBe(from.digestAt("t/app", "1.2.3"));
    expect(JSON.parse(await readFile(join(folder, "oci-layout"), "utf8"))).toEqual({
      imageLayoutVersion: "1.0.0",
    });
    const imported = await importLayout(folder, [target()]);
    expect(imported).toMatchObject({ digest, referrers: 3, targets: [{ state: "done" }] });
    expect(to.digestAt("mirror/app", "1.2.3")).toBe(digest);
    for (const key of from.manifests.keys()) {
      const [, name = ""] = key.split(" ");
      if (name.startsWith("sha256:") && !name.startsWith("sha256-")) {
        const isList = [...from.manifests].some(
          ([tag, { bytes }]) => tag.includes(" sha256-") && bytes === from.manifests.get(key)?.bytes,
        );
        // The lists under tags are made again: registries with a referrers API have none.
        if (!isList) expect(to.manifests.has(`mirror/app ${name}`)).toBe(true);
      }
    }
    const listed = async (registry: MemoryRegistry, repository: string, of: string): Promise<unknown[]> =>
      (await registry.client().referrers(repository, of)).entries.map(({ digest: own, artifactType }) => [
        own,
        artifactType,
      ]);
    const before = await listed(from, "t/app", digest);
    expect(before).toHaveLength(2);
    expect((await listed(to, "mirror/app", digest)).sort()).toEqual(before.sort());
    const again = await importLayout(folder, [target()]);
    expect(again.targets).toMatchObject([{ state: "already there", uploaded: 0 }]);
  });

  test("make the same files every time", async () => {
    await exportLayout(source(), folder);
    const index = await readFile(join(folder, "index.json"), "utf8");
    const files = (await readdir(folder, { recursive: true })).sort();
    await rm(join(folder, "blobs"), { recursive: true });
    await exportLayout(source(), folder);
    expect(await readFile(join(folder, "index.json"), "utf8")).toBe(index);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(files);
  });
});

describe("an import", () => {
  test("reaches several registries, and one that fails stops no other", async () => {
    const { digest } = await exportLayout(source(), folder);
    const broken = new MemoryRegistry("quay.io");
    broken.intercept = ({ method }) => (method === "POST" ? new Response(null, { status: 403 }) : undefined);
    const { targets } = await importLayout(folder, [target(broken), target(to)]);
    expect(targets).toMatchObject([{ state: "failed", problem: { code: "DENIED" } }, { state: "done" }]);
    expect(to.digestAt("mirror/app", "1.2.3")).toBe(digest);
  });

  test("moves no tag that has another image", async () => {
    await exportLayout(source(), folder);
    for (const tag of ["1.2.3", "stable"])
      await stageImage(to.client(), "mirror/app", tag, [{ platform: "linux/amd64", labels: { old: "1" } }]);
    for (const [tag, move] of [
      ["stable", false],
      ["1.2.3", true],
    ] as const)
      expect(await rejection(importLayout(folder, [target(to, tag)], { move }))).toMatchObject({
        code: "CONFLICT",
      });
    expect(await importLayout(folder, [target(to, "stable")], { move: true })).toMatchObject({
      targets: [{ state: "done" }],
    });
  });

  test("refuses a layout that is not whole, before it writes anything", async () => {
    await exportLayout(source(), folder);
    const blobs = (await readdir(join(folder, "blobs/sha256"))).map((name) =>
      join(folder, "blobs/sha256", name),
    );
    for (const path of blobs) {
      const bytes = await readFile(path);
      const before = to.received.length;
      await appendFile(path, "x");
      expect(await rejection(importLayout(folder, [target()])), path).toMatchObject({ code: "SOURCE" });
      await rm(path);
      expect(await rejection(importLayout(folder, [target()])), path).toMatchObject({ code: "SOURCE" });
      await writeFile(path, bytes);
      expect(to.received.length).toBe(before);
    }
  });

  test.each([
    ["nothing", {}, /no OCI image layout: it has no oci-layout/],
    ["no index", { "oci-layout": "{}" }, /it has no index.json/],
    [
      "a digest that names another file",
      {
        "oci-layout": "{}",
        "index.json": JSON.stringify({
          schemaVersion: 2,
          manifests: [
            { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: "sha256:../../x", size: 1 },
          ],
        }),
      },
      /not a sha256 or sha512 digest/,
    ],
    [
      "no image",
      { "oci-layout": "{}", "index.json": '{"schemaVersion":2,"manifests":[]}' },
      /has no such image/,
    ],
  ])("refuses %s", async (_, files, expected) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    expect((await rejection(importLayout(folder, [target()]))).message).toMatch(expected);
  });
});
