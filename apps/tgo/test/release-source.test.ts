import { execFileSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { HostOptions } from "@tgo/functions";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { namesDifferences } from "../src/differences.js";
import { FunctionFailed, tgo, type Call, type Ran } from "./fixture.js";

let folder: string;
/** Where the command puts its temporary folders. */
let temporary: string;
let head: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tgo-release-")));
  temporary = join(folder, "tmp");
  mkdirSync(temporary);
  vi.stubEnv("TMPDIR", temporary);
  file("repo/repos/tgo-api/main.py", "committed");
  file("repo/repos/tgo-web/main.js", "committed");
  git("init", "-q");
  git("add", ".");
  git("commit", "-q", "-m", "m");
  head = git("rev-parse", "HEAD");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function file(path: string, content: string): void {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
}

function git(...args: string[]): string {
  const identity = ["-c", "user.name=n", "-c", "user.email=e@e"];
  return execFileSync("git", ["-C", join(folder, "repo"), ...identity, ...args], { encoding: "utf8" }).trim();
}

const ALL = { folder: "", ignored: [], kept: [] };
const SOURCE = 1;
const REVISION = 2;
const CREATED = 7;

interface Released extends Ran {
  /** The folder that the module got as its source. */
  readonly given: string;
  /** Its file, while the function ran. */
  readonly text: string | undefined;
  readonly differences: Awaited<ReturnType<NonNullable<HostOptions["differences"]>>>;
}

/** Runs a release, and looks at its source while the function runs. */
async function release(flags: string, path: string, cwd = join(folder, "repo")): Promise<Released> {
  const seen: { given: string; text?: string; differences?: Released["differences"] } = { given: "" };
  const ran = await tgo(`publish --service tgo-api --version 1.2.3 ${flags}`, {
    cwd,
    behave: async (call: Call, host) => {
      const source = (call.arguments[SOURCE] ?? call.constructorArguments[5]) as
        { directory: string } | undefined;
      seen.given = source?.directory ?? "";
      if (existsSync(join(seen.given, path))) seen.text = readFileSync(join(seen.given, path), "utf8");
      seen.differences = await host.differences?.(ALL);
      return "done";
    },
  });
  return { ...ran, given: seen.given, text: seen.text, differences: seen.differences };
}

describe("the source of a release", () => {
  it.each([
    ["around the current folder", "", "repos/tgo-api/main.py", "repo"],
    ["that is the current folder", "", "main.py", "repo/repos/tgo-api"],
    ["given by --source", "--source repo", "repos/tgo-api/main.py", "."],
    ["given by --repos", "--repos repo", "repos/tgo-api/main.py", "."],
  ])("of a checkout %s is the commit", async (_, flags, path, cwd) => {
    file("repo/repos/tgo-api/main.py", "changed");
    const { code, calls, host, given, text, differences } = await release(flags, path, join(folder, cwd));
    expect([code, text]).toEqual([0, "committed"]);
    expect(given.startsWith(temporary)).toBe(true);
    expect(calls[0]?.arguments[REVISION]).toBe(head);
    expect(Date.parse(String(calls[0]?.arguments[CREATED])) / 1000).toBe(
      Number(git("log", "-1", "--format=%ct")),
    );
    expect(host?.uncommitted).toBeUndefined();
    expect(differences).toEqual({
      differs: [`${path} (modified)`],
      remedy: expect.stringContaining("Commit the changes") as string,
    });
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("is the folder where no version is built", async () => {
    const { calls, host } = await tgo(`publish --service tgo-api --source ${join(folder, "repo")}`);
    expect(calls[0]?.arguments[SOURCE]).toEqual({ directory: join(folder, "repo") });
    expect(host?.differences).toBeUndefined();
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("is the folder where that is no checkout of its own, with the revision that was passed", async () => {
    const flags = "--source repo/repos/tgo-api --revision mine";
    const { given, calls, host } = await release(flags, "main.py", folder);
    expect(given).toBe(join(folder, "repo/repos/tgo-api"));
    expect(calls[0]?.arguments[REVISION]).toBe("mine");
    expect(host?.differences).toBeUndefined();
  });

  it("is the commit around a folder where --revision names that commit", async () => {
    file("repo/repos/tgo-api/secrets.env", "");
    const flags = `--source repo/repos/tgo-api --revision ${head}`;
    const { given, text, differences } = await release(flags, "main.py", folder);
    expect([given.startsWith(temporary), text]).toEqual([true, "committed"]);
    expect(differences).toMatchObject({ differs: ["secrets.env (not in the commit)"] });
  });

  it("is never taken as given where --revision names a commit that cannot be checked", async () => {
    writeFileSync(Buffer.from(join(folder, "repo/repos/tgo-api/caf\xe9"), "latin1"), "");
    git("add", "--all");
    git("commit", "-q", "-m", "m");
    const flags = `--source repo/repos/tgo-api --revision ${git("rev-parse", "HEAD").trim()}`;
    const { code, calls, stderr } = await release(flags, "main.py", folder);
    expect([code, calls]).toEqual([1, []]);
    expect(stderr).toContain("the name of a file in the commit is not UTF-8");
  });

  it("is the commit that --revision names", async () => {
    file("repo/repos/tgo-api/main.py", "second");
    git("commit", "-q", "-a", "-m", "m");
    const { calls, text, differences } = await release(
      `--source repo --revision ${head.slice(0, 12)}`,
      "repos/tgo-api/main.py",
      folder,
    );
    expect(calls[0]?.arguments[REVISION]).toBe(head);
    expect(text).toBe("committed");
    expect(differences).toMatchObject({ differs: ["repos/tgo-api/main.py (modified)"] });
  });

  it.each([
    ["--revision mine", "the checkout has no commit mine"],
    ["--revision 0123456789abcdef0123456789abcdef01234567", "is missing or damaged"],
  ])("is refused with %s", async (flags, words) => {
    const { code, stderr, calls } = await release(`--source repo ${flags}`, "", folder);
    expect([code, calls]).toEqual([1, []]);
    expect(stderr).toContain(words);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("is refused where none of its files is committed, or git cannot read the checkout", async () => {
    file("repo/repos/tgo-new/main.py", "");
    const line = "publish --version 1.2.3 --revision mine --service tgo-new";
    const uncommitted = await tgo(line.replace("--revision mine ", ""), { cwd: join(folder, "repo") });
    expect([uncommitted.code, uncommitted.stderr]).toEqual([
      1,
      expect.stringMatching(/no file of .*tgo-new is committed/),
    ]);
    rmSync(join(folder, "repo/.git/HEAD"));
    const unreadable = await tgo(`${line} --source ${join(folder, "repo")}`);
    expect([unreadable.code, unreadable.stderr]).toEqual([
      1,
      expect.stringContaining("git cannot read the repository"),
    ]);
  });
});

describe("the commit's files are removed", () => {
  const run = (options: Parameters<typeof tgo>[1]): Promise<Ran> =>
    tgo(`publish --service tgo-api --version 1.2.3 --source ${join(folder, "repo")}`, options);

  it("after a failure", async () => {
    const { code } = await run({ behave: () => Promise.reject(new FunctionFailed("no")) });
    expect([code, readdirSync(temporary)]).toEqual([1, []]);
  });

  it("when the engine does not start", async () => {
    const startLocalEngine = (): Promise<never> => Promise.reject(new Error("no engine"));
    const { code } = await run({ engines: { startLocalEngine } });
    expect([code, readdirSync(temporary)]).toEqual([1, []]);
  });

  it("after Ctrl-C", async () => {
    const signals = new EventEmitter();
    const { code } = await run({
      signals,
      behave: async (_call, { signal }) => {
        expect(readdirSync(temporary)).not.toEqual([]);
        setImmediate(() => signals.emit("SIGINT"));
        await once(signal ?? new EventTarget(), "abort");
        throw new FunctionFailed("stopped");
      },
    });
    expect([code, readdirSync(temporary)]).toEqual([130, []]);
  });

  it("when the process ends at once, after a second Ctrl-C", async () => {
    const signals = new EventEmitter();
    const left = new Promise<string[]>((resolve) => {
      void run({
        signals,
        // As Node does.
        exit: () => {
          signals.emit("exit");
          resolve(readdirSync(temporary));
        },
        behave: () => {
          setImmediate(() => {
            signals.emit("SIGINT");
            signals.emit("SIGINT");
          });
          return new Promise(() => undefined);
        },
      });
    });
    expect(await left).toEqual([]);
  });
});

describe("differences that a build sees", () => {
  const seen = async (
    view: Partial<Parameters<NonNullable<HostOptions["differences"]>>[0]>,
    ...paths: string[]
  ): Promise<string[]> => {
    const all = paths.map((path) => ({ path, kind: "untracked" as const }));
    const found = await namesDifferences(all)({ ...ALL, ...view });
    return found !== undefined && "differs" in found
      ? found.differs.map((text) => text.split(" ")[0] ?? "")
      : [];
  };

  it("are those in the service's folder", async () => {
    const paths = ["repos/a/x", "repos/ab/y", "z", "repos"];
    expect(await seen({ folder: "repos/a" }, ...paths)).toEqual(["repos/a/x", "repos"]);
    expect(await seen({ folder: "./repos/a/" }, ...paths)).toEqual(["repos/a/x", "repos"]);
    expect(await seen({ folder: "" }, ...paths)).toEqual(paths);
  });

  it("are those that its ignore file does not exclude, with its own rules", async () => {
    const ignored = ["**/*.env", "!keep.env", "docs", ".dockerignore", "Dockerfile"];
    const paths = [
      "a.env",
      "x/b.env",
      "keep.env",
      "docs/page.md",
      "mydocs/page.md",
      ".dockerignore",
      "Dockerfile",
    ];
    expect(await seen({ ignored }, ...paths)).toEqual(["keep.env", "mydocs/page.md"]);
    const kept = [".dockerignore", "Dockerfile"];
    expect(await seen({ ignored, kept }, ...paths)).toEqual([
      "keep.env",
      "mydocs/page.md",
      ".dockerignore",
      "Dockerfile",
    ]);
    expect(await seen({ ignored: ["**/*.env"], folder: "repos/a" }, "repos/a/a.env")).toEqual([]);
  });

  it.each([["vendor"], ["vendor/**"], ["vendor/lib"], ["**/lib/*"]])(
    "do not include a submodule that is not there and that %j excludes",
    async (pattern) => {
      const missing = namesDifferences([{ path: "vendor/lib", kind: "submodule-missing" }]);
      expect(await missing({ ...ALL, ignored: [pattern] })).toBeUndefined();
      expect(await missing(ALL)).toMatchObject({
        remedy: expect.stringContaining("git submodule update") as string,
      });
    },
  );

  it("come with a remedy for each kind", async () => {
    const found = await namesDifferences([
      { path: "model.bin", kind: "lfs-pointer" },
      { path: "secrets.env", kind: "untracked" },
    ])(ALL);
    expect(found).toEqual({
      differs: ["model.bin (a git LFS pointer without its content)", "secrets.env (not in the commit)"],
      remedy: expect.stringMatching(
        /^A release builds the commit.*\nGet the files of git LFS: git lfs pull\.$/,
      ) as string,
    });
  });
});
