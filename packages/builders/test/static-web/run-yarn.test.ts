import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../src/static-web/run-yarn.sh");

const folder = mkdtempSync(join(tmpdir(), "tgo-run-yarn-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let cache: string;
beforeEach(() => {
  cache = join(mkdtempSync(join(folder, "cache-")), "yarn");
});

const fileOf = (name: string): string =>
  join(cache, "v6", `npm-${name}-1.0.0`, "node_modules", name, "index.js");

/** Takes the place of yarn: puts what is missing of two packages into the cache, and prints which. */
const YARN = `pwd; for name in left right; do
  at="$0/v6/npm-$name-1.0.0/node_modules/$name"
  [ -e "$at" ] || { echo "fetch $name"; mkdir -p "$at" && echo "module of $name" > "$at/index.js"; }
done; exit "$1"`;

function install(code = 0): { readonly fetched: string[]; readonly code: number | null } {
  const args = [SCRIPT, cache, "sh", "-c", YARN, cache, `${code}`];
  const { stdout, status } = spawnSync("sh", args, { cwd: folder, encoding: "utf8" });
  const [where, ...fetched] = stdout.trim().split("\n");
  expect(where).toBe(folder);
  return { fetched, code: status };
}

describe("yarn's cache", () => {
  it("is kept between runs, whether yarn succeeds or fails", () => {
    expect(install(3)).toEqual({ fetched: ["fetch left", "fetch right"], code: 3 });
    expect(install()).toEqual({ fetched: [], code: 0 });
  });

  it.each<[string, (path: string) => void]>([
    [
      "cut",
      (path) => {
        truncateSync(path, 3);
      },
    ],
    [
      "empty",
      (path) => {
        truncateSync(path);
      },
    ],
    [
      "gone",
      (path) => {
        rmSync(path);
      },
    ],
    [
      "joined by another",
      (path) => {
        writeFileSync(join(dirname(path), "more.js"), "x");
      },
    ],
  ])("loses a package with a file that is %s, and no other", (_, damage) => {
    install();
    damage(fileOf("left"));
    expect(install().fetched).toEqual(["fetch left"]);
    expect(readFileSync(fileOf("left"), "utf8")).toBe("module of left\n");
    expect(install().fetched).toEqual([]);
  });

  it("loses what a run that was killed has left", () => {
    install();
    mkdirSync(dirname(fileOf("half")), { recursive: true });
    writeFileSync(fileOf("half"), "x");
    expect(install().fetched).toEqual([]);
    expect(existsSync(fileOf("half"))).toBe(false);
  });

  it("is rebuilt without its list of sizes", () => {
    install();
    truncateSync(join(cache, ".sizes"));
    expect(install().fetched).toEqual(["fetch left", "fetch right"]);
  });

  it("is used by one yarn at a time", () => {
    const slow = `echo "begin $1"; sleep 0.2; echo "end $1"`;
    const run = (name: string): string => `sh ${SCRIPT} ${cache} sh -c '${slow}' x ${name} &`;
    const lines = execFileSync("sh", ["-c", `${run("a")} ${run("b")} wait`], { encoding: "utf8" }).split(
      "\n",
    );
    for (const at of [0, 2]) expect(lines[at + 1]).toBe(lines[at]?.replace("begin", "end"));
  });
});
