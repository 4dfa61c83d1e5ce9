import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, it } from "vitest";
import { extractTar } from "../src/images/extract-tar.js";

const folder = mkdtempSync(join(tmpdir(), "tgo-extract-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

writeFileSync(join(folder, "file"), "content\n".repeat(100_000));
const tar = execFileSync("tar", ["-C", folder, "-cf", "-", "file"], { maxBuffer: 1 << 24 });

function target(name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

it("extracts archives, compressed or not; many at once, since tar may end before the stream to it does", async () => {
  writeFileSync(join(folder, "plain.tar"), tar);
  writeFileSync(join(folder, "zipped.tar.gz"), gzipSync(tar));
  const targets = ["plain.tar", ...Array<string>(20).fill("zipped.tar.gz")].map((name, at) => ({
    name,
    to: target(`out-${at}`),
  }));
  await Promise.all(targets.map(({ name, to }) => extractTar(join(folder, name), to)));
  for (const { to } of targets) expect(readFileSync(join(to, "file"), "utf8")).toHaveLength(800_000);
});

it.each([
  ["is cut off", gzipSync(tar).subarray(0, -2000)],
  ["is no archive", Buffer.from("neither gzip nor tar")],
  ["has other bytes", Buffer.concat([gzipSync(tar).subarray(0, 60), Buffer.alloc(4000, 7)])],
])("fails for a file that %s", async (name, bytes) => {
  const file = join(folder, `${name}.bad`);
  writeFileSync(file, bytes);
  await expect(extractTar(file, target(name))).rejects.toThrow(/tar -C .* failed/);
});
