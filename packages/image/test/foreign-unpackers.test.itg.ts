import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inParallel, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from "@tgo/registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ELF_HEADER_BYTES } from "../src/elf/elf-header.js";
import { readElfHeader } from "../src/index.js";
import { ACCEPTED, type Planted, REFUSED } from "./planted-layers.js";

const run = promisify(execFile);
const DRIVERS = ["overlay", "vfs"] as const;
const AT_ONCE = 4;
let work = "";

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "tgo-unpack-"));
});

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Writes the image as an OCI layout; returns its folder. */
function layoutOf({ layers }: Planted, folder: string): string {
  const blobs = join(folder, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, content: Buffer | object): object => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    writeFileSync(join(blobs, digest(bytes)), bytes);
    return { mediaType, digest: `sha256:${digest(bytes)}`, size: bytes.length };
  };
  const config = {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map((bytes) => `sha256:${digest(bytes)}`) },
  };
  const manifest = put(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: put(OCI_CONFIG, config),
    layers: layers.map((bytes) => put(OCI_LAYER, bytes)),
  });
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [manifest] }),
  );
  return folder;
}

/** Every regular file below the folder, as {@link ACCEPTED} lists them. */
function filesBelow(root: string): string[] {
  const head = Buffer.alloc(ELF_HEADER_BYTES);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const file = openSync(path, "r");
      const length = readSync(file, head, 0, head.length, 0);
      closeSync(file);
      const isElf = readElfHeader(head.subarray(0, length)) !== undefined;
      return `${path.slice(root.length)}${isElf ? " ELF" : ""}`;
    })
    .sort();
}

/** The layers in a store of one image, the uppermost first. */
function layersIn(store: string, driver: string): string[] {
  const layers = JSON.parse(readFileSync(join(store, `${driver}-layers/layers.json`), "utf8")) as {
    id: string;
    parent?: string;
  }[];
  const chain: string[] = [];
  let top = layers.find(({ id }) => layers.every(({ parent }) => parent !== id));
  for (; top !== undefined; top = layers.find(({ id }) => id === top?.parent)) chain.push(top.id);
  return chain;
}

/** What containers-storage makes of an image: the library of skopeo, Podman and CRI-O, a descendant of Docker's. */
async function unpackedBy(driver: (typeof DRIVERS)[number], planted: Planted): Promise<string[]> {
  const folder = mkdtempSync(join(work, `${driver}-`));
  const root = join(folder, "root");
  try {
    const layout = layoutOf(planted, join(folder, "layout"));
    const store = `[${driver}@${root}+${join(folder, "run")}]`;
    await run("skopeo", ["copy", "-q", `oci:${layout}`, `containers-storage:${store}localhost/planted:1`]);
    const layers = layersIn(root, driver);
    if (driver === "vfs") return filesBelow(join(root, "vfs/dir", layers[0] ?? ""));
    const [merged, empty] = [join(folder, "merged"), join(folder, "empty")];
    for (const path of [merged, empty]) mkdirSync(path);
    const lower = [...layers.map((id) => join(root, "overlay", id, "diff")), empty].join(":");
    await run("mount", ["-t", "overlay", "overlay", "-o", `ro,lowerdir=${lower}`, merged]);
    try {
      return filesBelow(merged);
    } finally {
      await run("umount", [merged]);
    }
  } finally {
    // Containers-storage leaves its home mounted.
    await run("umount", [join(root, driver)]).catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("what we accept has the same files for us and for others", () => {
  const unpacked = new Map<string, Promise<string[]>>();
  const planted = ACCEPTED.filter(({ layers }) => layers.length > 0);

  beforeAll(async () => {
    const all = planted.flatMap((one) => DRIVERS.map((driver) => ({ driver, one })));
    await inParallel(AT_ONCE, all, async ({ driver, one }) => {
      const files = unpackedBy(driver, one);
      unpacked.set(`${driver} ${one.name}`, files);
      await files.catch(() => undefined);
    });
  });

  test.each(planted)("$name", async ({ name, files }) => {
    for (const driver of DRIVERS)
      expect([driver, await unpacked.get(`${driver} ${name}`)]).toEqual([driver, files]);
  });
});

/** Skopeo takes these for the same everywhere; other programs do not, or no builder writes them. */
const ALIKE = [
  // Not so with fuse-overlayfs, in rootless engines.
  "a file in a directory that fuse-overlayfs takes for a whiteout",
  "the same after the whiteout",
  "another type for rootless engines",
  "fuse-overlayfs's own opaque mark",
  "a file twice, spelled differently",
  // Docker and newer skopeos know skippable frames.
  "a first name that begins as 502a4d18",
  "a hard link through a symbolic link",
  "a name for all",
  "a path through a symbolic link",
  "a sparse file of pax",
  // They cost us time, and no builder writes them.
  "a thousand records and one",
  "seventeen extended headers",
  "a whiteout of AUFS's",
  "overlayfs's own whiteout",
].sort();

test("what we refuse is refused by skopeo, or depends on how it stores layers", async () => {
  const found = await inParallel(AT_ONCE, REFUSED, async (planted) => {
    const overlay = await unpackedBy("overlay", planted).catch(() => undefined);
    if (overlay === undefined) return [];
    const vfs = await unpackedBy("vfs", planted).catch(() => undefined);
    return vfs?.join() === overlay.join() ? [planted.name] : [];
  });
  expect(found.flat().sort()).toEqual(ALIKE);
});
