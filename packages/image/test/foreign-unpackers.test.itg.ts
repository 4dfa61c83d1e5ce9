import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from "@tgo/registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ELF_HEADER_BYTES } from "../src/elf/elf-header.js";
import { readElfHeader } from "../src/index.js";
import { ACCEPTED, type Planted, REFUSED } from "./planted-layers.js";

const run = promisify(execFile);
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

/** What Buildah's storage makes of an image: the library of skopeo, Podman and CRI-O, a descendant of Docker's. */
async function unpackedBy(driver: string, planted: Planted, name: string): Promise<string[]> {
  const folder = join(work, `${driver}-${name}`);
  const layout = layoutOf(planted, join(folder, "layout"));
  const buildah = async (...args: string[]): Promise<string> => {
    const store = [
      "--root",
      join(folder, "root"),
      "--runroot",
      join(folder, "run"),
      "--storage-driver",
      driver,
    ];
    return (await run("buildah", [...store, ...args])).stdout.trim();
  };
  try {
    const store = `[${driver}@${join(folder, "root")}+${join(folder, "run")}]`;
    await run("skopeo", [
      "copy",
      "--quiet",
      `oci:${layout}`,
      `containers-storage:${store}localhost/planted:1`,
    ]);
    const container = await buildah("from", "--quiet", "--pull-never", "localhost/planted:1");
    const files = filesBelow(await buildah("mount", container));
    await buildah("umount", container);
    return files;
  } finally {
    await buildah("rm", "--all").catch(() => "");
    rmSync(folder, { recursive: true, force: true });
  }
}

const name = (planted: Planted): string => digest(Buffer.from(planted.name)).slice(0, 12);

describe("what we accept has the same files for us and for others", () => {
  test.each(ACCEPTED.filter(({ layers }) => layers.length > 0))("$name", async (planted) => {
    for (const driver of ["overlay", "vfs"])
      expect([driver, await unpackedBy(driver, planted, name(planted))]).toEqual([driver, planted.files]);
  });
});

/** Skopeo takes these for the same everywhere; other programs do not, or no builder writes them. */
const ALIKE = [
  "a file twice, spelled differently",
  "a hard link through a symbolic link",
  "a name for all",
  "a path through a symbolic link",
  "a sparse file of pax",
  "a whiteout of AUFS's",
  "overlayfs's own whiteout",
];

test("what we refuse is refused by skopeo, or depends on how it stores layers", async () => {
  const alike: string[] = [];
  for (const planted of REFUSED) {
    const results = await Promise.all(
      ["overlay", "vfs"].map((driver) =>
        unpackedBy(driver, planted, name(planted)).then(
          (files) => files.join(),
          () => undefined,
        ),
      ),
    );
    if (results[0] !== undefined && results[0] === results[1]) alike.push(planted.name);
  }
  expect(alike.sort()).toEqual(ALIKE);
});
