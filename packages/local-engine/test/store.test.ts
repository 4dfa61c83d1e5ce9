import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { digestOf } from "@tgo/registry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { damaged, isOfStore } from "../src/errors.js";
import { Store } from "../src/store/store.js";

let home: string;
let store: Store;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "tgo-store-"));
  store = await Store.open(home);
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

/** What may happen to a file. */
const DAMAGES: readonly [string, (path: string) => void][] = [
  [
    "cut to a half",
    (path) => {
      truncateSync(path, readFileSync(path).length >> 1);
    },
  ],
  [
    "empty",
    (path) => {
      truncateSync(path);
    },
  ],
  [
    "zeros",
    (path) => {
      writeFileSync(path, Buffer.alloc(readFileSync(path).length));
    },
  ],
  [
    "with one other bit",
    (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  ],
  [
    "longer",
    (path) => {
      writeFileSync(path, " ", { flag: "a" });
    },
  ],
  [
    "a folder",
    (path) => {
      rmSync(path);
      mkdirSync(join(path, "x"), { recursive: true });
    },
  ],
];

describe.each(DAMAGES)("a file of the store that is %s", (_, damage) => {
  it("is missing if it is an entry, and can be written again", async () => {
    await store.writeJson("meta/a.json", { digest: "sha256:1234" });
    damage(join(home, "meta/a.json"));
    expect(await store.readJson("meta/a.json")).toBeUndefined();
    await store.writeJson("meta/a.json", { digest: "sha256:5678" });
    expect(await store.readJson("meta/a.json")).toEqual({ digest: "sha256:5678" });
  });

  it("is missing if it is a blob, and can be written again", async () => {
    const data = Buffer.from("a layer of an image");
    const digest = digestOf(data);
    await store.writeBlob(data);
    damage(store.blobPath(digest));
    const next = await Store.open(home);
    expect(await next.hasBlob(digest)).toBe(false);
    await next.writeBlob(data);
    expect(await next.hasBlob(digest)).toBe(true);
    expect(readdirSync(join(home, "w"))).toEqual([]);
  });
});

describe("the store", () => {
  const layer = (name: string): string => {
    mkdirSync(join(home, "s", name, "fs"), { recursive: true });
    return `${name}/fs`;
  };

  it("has no layer whose folder lost its files", () => {
    const layers = [layer("one"), layer("two")];
    expect(store.isComplete({ layers })).toBe(true);
    rmSync(join(home, "s/two/fs"), { recursive: true });
    expect(store.isComplete({ layers })).toBe(false);
    writeFileSync(join(home, "s/two/fs"), "");
    expect(store.isComplete({ layers })).toBe(false);
  });

  it("removes a layer with other files than it was made with, and knows a layer of earlier versions", async () => {
    const layers = [layer("one"), layer("two")];
    for (const name of ["one", "two"]) writeFileSync(join(home, "s", name, "fs/file"), "whole");
    await store.seal("s/one");
    await store.checkLayers(layers);
    for (const name of ["one", "two"]) truncateSync(join(home, "s", name, "fs/file"), 2);
    // Once per process.
    await store.checkLayers(layers);
    const next = await Store.open(home);
    await expect(next.checkLayers(["one/fs"])).rejects.toMatchObject({ code: "ENVIRONMENT", where: home });
    await expect(next.checkLayers(["two/fs"])).rejects.toMatchObject({ code: "ENVIRONMENT", where: home });
    expect(next.isComplete({ layers: ["one/fs"] })).toBe(false);
    await next.checkLayers(layers.slice(0, 0));
    expect(readdirSync(join(home, "s"))).toEqual([]);
  });

  it("drops what was made shortly before the machine stopped, and nothing while it runs", async () => {
    const layers = [layer("one")];
    expect((await Store.open(home)).isComplete({ layers })).toBe(true);
    await store.writeJson("boot.json", "an earlier one");
    expect((await Store.open(home)).isComplete({ layers })).toBe(false);
  });

  it("is named when a file of it cannot be read", () => {
    const error = Object.assign(new Error("EIO: i/o error, open 'x'"), {
      syscall: "open",
      path: join(home, "s/x"),
    });
    expect(isOfStore(error, home)).toBe(true);
    expect(isOfStore({ syscall: "open", path: dirname(home) }, home)).toBe(false);
    expect(damaged(error, home)).toMatchObject({
      code: "ENVIRONMENT",
      where: home,
      remedy: expect.stringContaining(`rm -rf ${home}`) as string,
    });
  });
});
