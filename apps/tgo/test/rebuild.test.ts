import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rebuildIfStale } from "../bin/rebuild.mjs";

let folder: string;
let stamp: URL;
const built = (): boolean => existsSync(join(folder, "built"));
const rebuild = (): string | undefined => rebuildIfStale(pathToFileURL(`${folder}/`), stamp);

/** A repository with one source, whose build only leaves a mark. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-rebuild-"));
  await mkdir(join(folder, "scripts"));
  const mark = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(join(folder, "built"))}, process.argv[2]);`;
  await writeFile(join(folder, "scripts/build.mjs"), mark);
  await writeFile(join(folder, "a.ts"), "one");
  const { size, mtimeMs } = await stat(join(folder, "a.ts"));
  const sha256 = createHash("sha256").update("one").digest("hex");
  await writeFile(join(folder, "inputs.json"), JSON.stringify({ "a.ts": { size, mtimeMs, sha256 } }));
  stamp = pathToFileURL(join(folder, "inputs.json"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("the built command", () => {
  it("is used while its sources stay as they are", () => {
    expect(rebuild()).toBeUndefined();
    expect(built()).toBe(false);
  });

  it("is used when a source only got a new time, and is not compared again", async () => {
    await utimes(join(folder, "a.ts"), 1, 1);
    expect(rebuild()).toBeUndefined();
    expect(built()).toBe(false);
    expect(JSON.parse(readFileSync(stamp, "utf8"))).toMatchObject({ "a.ts": { mtimeMs: 1000 } });
  });

  it.each([
    ["edited", () => writeFile(join(folder, "a.ts"), "two")],
    ["removed", () => rm(join(folder, "a.ts"))],
  ])("is built again when a source was %s", async (_, change) => {
    await change();
    expect(rebuild()).toBeUndefined();
    expect(readFileSync(join(folder, "built"), "utf8")).toBe("cli");
  });

  it("is not used when it cannot be built again: the source and the reason are named", async () => {
    await writeFile(join(folder, "a.ts"), "two");
    await writeFile(join(folder, "scripts/build.mjs"), `console.error("no room"); process.exit(1);`);
    expect(rebuild()).toBe("the command is older than a.ts, and cannot be built again:\nno room");
  });
});
