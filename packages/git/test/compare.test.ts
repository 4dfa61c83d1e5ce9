import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exportCommit, readChanges, TemporaryFolders, type Difference } from "../src/index.js";
import { Place } from "./support/repository.js";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await place.remove();
});

const FILES = { "main.py": "main", "data/one.txt": "one\n", ".gitignore": "secrets.env\nbuild/\n" };

async function differences(folder = "repo", paths?: string[]): Promise<string[]> {
  const found = await exportCommit(place.options(folder, paths));
  return found.differences.map(({ path, kind }: Difference) => `${kind} ${path}`);
}

async function changed(folder = "repo"): Promise<readonly string[]> {
  return (await readChanges(place.options(folder))).changed;
}

interface Case {
  readonly name: string;
  readonly change: () => void;
  readonly differs: readonly string[];
  /** Without a release: what git status would list, read without trusting the index. */
  readonly changed: readonly string[];
}

const set = (...args: string[]): string => place.git("repo", "config", ...args);

const CASES: Case[] = [
  { name: "nothing", change: () => undefined, differs: [], changed: [] },
  {
    name: "a changed file",
    change: () => place.file("repo/main.py", "niam"),
    differs: ["modified main.py"],
    changed: ["main.py"],
  },
  {
    name: "a new file",
    change: () => place.file("repo/data/new.py", ""),
    differs: ["untracked data/new.py"],
    changed: ["data/new.py"],
  },
  {
    name: "a new file that is added but not committed",
    change: () => {
      place.file("repo/new.py", "");
      place.git("repo", "add", "new.py");
    },
    differs: ["untracked new.py"],
    changed: ["new.py"],
  },
  {
    name: "a deleted file",
    change: () => {
      rmSync(place.path("repo/main.py"));
    },
    differs: ["missing main.py"],
    changed: ["main.py"],
  },
  {
    name: "an ignored file",
    change: () => place.file("repo/secrets.env", "PASSWORD=x"),
    differs: ["untracked secrets.env"],
    changed: [],
  },
  {
    name: "a file in an ignored folder",
    change: () => place.file("repo/build/out.js", ""),
    differs: ["untracked build/out.js"],
    changed: [],
  },
  {
    name: "a file that .git/info/exclude hides",
    change: () => {
      place.file("repo/hidden.env", "");
      appendFileSync(place.path("repo/.git/info/exclude"), "hidden.env\n");
    },
    differs: ["untracked hidden.env"],
    changed: [],
  },
  {
    name: "names that mean more to git",
    change: () => {
      for (const name of [":(top)x", "*", "[a]", "-x", "new\nline"]) place.file(`repo/${name}`, "");
    },
    differs: ["untracked *", "untracked -x", "untracked :(top)x", "untracked [a]", "untracked new\nline"],
    changed: ["*", "-x", ":(top)x", "[a]", "new\nline"],
  },
  {
    name: "status.showUntrackedFiles=no",
    change: () => {
      place.file("repo/new.py", "");
      set("status.showUntrackedFiles", "no");
    },
    differs: ["untracked new.py"],
    changed: ["new.py"],
  },
  {
    name: "assume-unchanged",
    change: () => {
      place.git("repo", "update-index", "--assume-unchanged", "main.py");
      place.file("repo/main.py", "niam");
    },
    differs: ["modified main.py"],
    changed: ["main.py"],
  },
  {
    name: "skip-worktree, changed",
    change: () => {
      place.git("repo", "update-index", "--skip-worktree", "main.py");
      place.file("repo/main.py", "niam");
    },
    differs: ["modified main.py"],
    changed: ["main.py"],
  },
  {
    name: "skip-worktree, missing as in a sparse checkout",
    change: () => {
      place.git("repo", "update-index", "--skip-worktree", "main.py");
      rmSync(place.path("repo/main.py"));
    },
    differs: ["missing main.py"],
    changed: [],
  },
  {
    name: "an executable bit",
    change: () => {
      chmodSync(place.path("repo/main.py"), 0o755);
    },
    differs: ["mode main.py"],
    changed: ["main.py"],
  },
  {
    name: "an executable bit with core.fileMode=false",
    change: () => {
      set("core.fileMode", "false");
      chmodSync(place.path("repo/main.py"), 0o755);
    },
    differs: ["mode main.py"],
    changed: [],
  },
  {
    name: "modes of a strict umask",
    change: () => {
      chmodSync(place.path("repo/main.py"), 0o600);
      chmodSync(place.path("repo/data"), 0o700);
    },
    differs: [],
    changed: [],
  },
  {
    name: "a link in place of a file, with the same content",
    change: () => {
      place.file("elsewhere", "main");
      rmSync(place.path("repo/main.py"));
      symlinkSync(place.path("elsewhere"), place.path("repo/main.py"));
    },
    differs: ["type main.py"],
    changed: ["main.py"],
  },
  {
    name: "a link in place of a folder, with the same contents",
    change: () => {
      place.file("elsewhere/one.txt", "one\n");
      rmSync(place.path("repo/data"), { recursive: true });
      symlinkSync(place.path("elsewhere"), place.path("repo/data"));
    },
    differs: ["missing data/one.txt", "type data"],
    changed: ["data", "data/one.txt"],
  },
  {
    name: "a folder in place of a file",
    change: () => {
      rmSync(place.path("repo/main.py"));
      place.file("repo/main.py/inner", "main");
    },
    differs: ["type main.py", "untracked main.py/inner"],
    changed: ["main.py", "main.py/inner"],
  },
  {
    name: "another case of a name",
    change: () => {
      rmSync(place.path("repo/main.py"));
      place.file("repo/Main.py", "main");
    },
    differs: ["missing main.py", "untracked Main.py"],
    changed: ["Main.py", "main.py"],
  },
  {
    name: "an empty folder, which no commit can hold",
    change: () => {
      mkdirSync(place.path("repo/empty"));
    },
    differs: [],
    changed: [],
  },
  {
    name: "line endings that a checkout wrote",
    change: () => place.file("repo/data/one.txt", "one\r\n"),
    differs: [],
    changed: [],
  },
  {
    name: "a text with a line more",
    change: () => place.file("repo/data/one.txt", "one\r\n\r\n"),
    differs: ["modified data/one.txt"],
    changed: ["data/one.txt"],
  },
  {
    name: "files of a build's own kind",
    change: () => place.file("repo/node_modules/x/index.js", ""),
    differs: [],
    changed: [],
  },
];

describe("a folder is compared with the commit by content", () => {
  it.each(CASES)("$name", async (each) => {
    place.repository("repo", FILES);
    each.change();
    expect((await differences()).sort()).toEqual(each.differs);
    expect([...(await changed())].sort()).toEqual(each.changed);
  });

  it.each(CASES)("with objects named by SHA-256: $name", async (each) => {
    place.repository("repo", FILES, "--object-format=sha256");
    each.change();
    expect((await differences()).sort()).toEqual(each.differs);
  });

  it("but without a release, the caller's own list of ignored files counts", async () => {
    place.repository("repo", FILES);
    place.file("repo/editor.swp", "");
    place.file("home/.gitconfig", `[core]\nexcludesFile = ~/own-list\n`);
    place.file("home/own-list", "*.swp\n");
    vi.stubEnv("HOME", place.path("home"));
    vi.stubEnv("XDG_CONFIG_HOME", undefined);
    vi.stubEnv("GIT_CONFIG_GLOBAL", undefined);
    expect(await changed()).toEqual([]);
    expect(await differences()).toEqual(["untracked editor.swp"]);
    place.git("repo", "config", "core.excludesFile", place.file("list-of-the-repository", "*.swp\n*.py\n"));
    place.file("home/own-list", "");
    expect(await changed()).toEqual(["editor.swp"]);
  });

  it("but only what is asked for", async () => {
    place.repository("repo", { "repos/a/one": "1", "repos/b/two": "2" });
    place.file("repo/repos/b/two", "3");
    place.file("repo/more", "");
    expect(await differences("repo", ["repos/a"])).toEqual([]);
    expect(await differences("repo", ["repos"])).toEqual(["modified repos/b/two"]);
    expect(await differences("repo/repos", ["a", "b"])).toEqual(["modified b/two"]);
    expect((await exportCommit(place.options("repo", ["repos/c"]))).found).toBe(false);
  });
});

describe("what is exported", () => {
  it("is the commit's bytes, with modes and times of its own", async () => {
    place.repository("repo", { ...FILES, "run.sh": "#!/bin/sh\n" });
    chmodSync(place.path("repo/run.sh"), 0o700);
    symlinkSync("../main.py", place.path("repo/data/link"));
    place.commit("repo");
    place.file("repo/main.py", "niam", 0o600);
    place.file("repo/data/one.txt", "one\r\n", 0o640);
    rmSync(place.path("repo/.gitignore"));
    const previous = process.umask(0o077);
    const { directory, created } = await exportCommit(place.options("repo")).finally(() =>
      process.umask(previous),
    );
    const mode = (path: string): string => (lstatSync(join(directory, path)).mode & 0o7777).toString(8);
    expect((await readdir(directory, { recursive: true })).sort()).toEqual([
      ...[".gitignore", "data", "data/link", "data/one.txt", "main.py", "run.sh"],
    ]);
    const text = (path: string): string => readFileSync(join(directory, path), "utf8");
    expect([text("main.py"), text("data/one.txt"), text(".gitignore")]).toEqual(Object.values(FILES));
    expect(readlinkSync(join(directory, "data/link"))).toBe("../main.py");
    expect(["main.py", "run.sh", "data", "data/one.txt"].map(mode)).toEqual(["644", "755", "755", "644"]);
    for (const path of ["main.py", "data", "data/link", "data/one.txt", ".gitignore"])
      expect(lstatSync(join(directory, path)).mtimeMs).toBe(Date.parse(created ?? ""));
  });

  it("is another commit of the checkout where one is named, by its tag too", async () => {
    const first = place.repository("repo", { "main.py": "1" });
    place.git("repo", "tag", "-a", "-m", "m", "v1.0.0");
    place.file("repo/main.py", "2");
    place.commit("repo");
    for (const name of [first, first.slice(0, 10), "v1.0.0"]) {
      const { revision, directory, differences: found } = await exportCommit(place.options("repo"), name);
      expect(revision).toBe(first);
      expect(found).toEqual([{ path: "main.py", kind: "modified" }]);
      expect(readFileSync(join(directory, "main.py"), "utf8")).toBe("1");
    }
  });

  it.each(["mine", "--all", "HEAD@{1}", ":/m", "HEAD..HEAD", "0123456789012345678901234567890123456789"])(
    "is refused for %j, which is no commit of it",
    async (name) => {
      place.repository("repo", { "main.py": "1" });
      await expect(exportCommit(place.options("repo"), name)).rejects.toMatchObject({ code: "SOURCE" });
    },
  );

  it("is complete in a shallow clone and in a worktree, and with alternates", async () => {
    place.repository("repo", FILES);
    place.file("repo/main.py", "2");
    const head = place.commit("repo");
    place.git("repo", "clone", "-q", "--depth=1", `file://${place.path("repo")}`, place.path("shallow"));
    place.git("repo", "worktree", "add", "-q", "--detach", place.path("tree"), "HEAD~1");
    place.git("repo", "clone", "-q", "--shared", ".", place.path("shared"));
    for (const folder of ["shallow", "shared"]) {
      expect(await exportCommit(place.options(folder))).toMatchObject({ revision: head, differences: [] });
      expect(await readChanges(place.options(folder))).toMatchObject({ revision: head, changed: [] });
    }
    const tree = await exportCommit(place.options("tree"));
    expect([tree.revision, tree.differences]).toEqual([place.git("repo", "rev-parse", "HEAD~1"), []]);
    expect(readFileSync(join(tree.directory, "main.py"), "utf8")).toBe("main");
    place.file("tree/main.py", "2");
    expect(await differences("tree")).toEqual(["modified main.py"]);
  });

  it("is complete where a packed repository has its objects", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`f${i % 7}/n${i}`, `text ${i}\n`]),
    );
    place.repository("repo", files);
    place.git("repo", "gc", "-q", "--prune=now");
    place.git("repo", "pack-refs", "--all");
    expect(await differences()).toEqual([]);
  });

  it("has large files too", async () => {
    const large = Buffer.alloc(5 << 20, "0123456789\n");
    place.repository("repo", { large });
    const { directory, differences: found } = await exportCommit(place.options("repo"));
    expect(found).toEqual([]);
    expect(readFileSync(join(directory, "large")).equals(large)).toBe(true);
  });
});

describe("git LFS", () => {
  const CONTENT = "x".repeat(3000);
  const pointer = (content: string): string =>
    [
      "version https://git-lfs.github.com/spec/v1",
      `oid sha256:${createHash("sha256").update(content).digest("hex")}`,
      `size ${content.length}\n`,
    ].join("\n");
  /** As after a clone without git LFS: the pointer is in the folder. */
  const repository = (attributes: string): void => {
    place.repository("repo", { ".gitattributes": attributes, "model.bin": pointer(CONTENT) });
  };
  const LFS = "*.bin filter=lfs diff=lfs merge=lfs -text\n";

  it("content is what its pointer says, and is exported", async () => {
    repository(LFS);
    place.file("repo/model.bin", CONTENT);
    const { directory, differences: found } = await exportCommit(place.options("repo"));
    expect(found).toEqual([]);
    expect(readFileSync(join(directory, "model.bin"), "utf8")).toBe(CONTENT);
    expect(await changed()).toEqual([]);
  });

  it.each([
    ["other content", `y${CONTENT.slice(1)}`],
    ["longer content", `${CONTENT}x`],
    ["the pointer of other content", pointer("other")],
  ])("with %s is a change", async (_, content) => {
    repository(LFS);
    place.file("repo/model.bin", content);
    expect(await differences()).toEqual(["modified model.bin"]);
    expect(await changed()).toEqual(["model.bin"]);
  });

  it("a pointer without its content is named in a release", async () => {
    repository(LFS);
    expect(await differences()).toEqual(["lfs-pointer model.bin"]);
    expect(await changed()).toEqual([]);
  });

  it("attributes in the .git or in the folder alone do not count", async () => {
    repository("");
    place.file("repo/.git/info/attributes", LFS);
    expect(await differences()).toEqual([]);
    place.file("repo/model.bin", CONTENT);
    expect(await differences()).toEqual(["modified model.bin"]);
    place.file("repo/.gitattributes", LFS);
    expect(await differences()).toEqual(["modified .gitattributes", "modified model.bin"]);
  });
});

describe("submodules", () => {
  const repository = (): string => {
    const recorded = place.repository("library", { "lib.py": "1", "deep/more.py": "" });
    place.repository("repo", { "main.py": "" });
    place.git("repo", "submodule", "add", "-q", place.path("library"), "vendor/library");
    place.commit("repo");
    return recorded;
  };

  it("come from their own repository, at the recorded commit", async () => {
    repository();
    const { directory, differences: found } = await exportCommit(place.options("repo"));
    expect(found).toEqual([]);
    expect(readFileSync(join(directory, "vendor/library/lib.py"), "utf8")).toBe("1");
    expect(await readdir(join(directory, "vendor/library"))).toEqual(["deep", "lib.py"]);
    expect(await changed()).toEqual([]);
  });

  it("may be all that is asked for", async () => {
    repository();
    place.file("repo/main.py", "2");
    expect(await differences("repo", ["vendor/library"])).toEqual([]);
    expect(await differences("repo", ["vendor/library/deep"])).toEqual([]);
  });

  it.each([
    ["a changed file", () => place.file("repo/vendor/library/lib.py", "2"), "modified vendor/library/lib.py"],
    ["a new file", () => place.file("repo/vendor/library/deep/new", ""), "untracked vendor/library/deep/new"],
  ])("with %s differ", async (_, change, difference) => {
    repository();
    change();
    expect(await differences()).toEqual([difference]);
    expect(await changed()).toEqual([difference.split(" ")[1]]);
  });

  it("at another commit differ, whatever the superproject's index says", async () => {
    repository();
    place.file("repo/vendor/library/lib.py", "2");
    place.commit("repo/vendor/library");
    const expected = ["submodule-commit vendor/library", "modified vendor/library/lib.py"];
    expect(await differences()).toEqual(expected);
    set("submodule.vendor/library.ignore", "all");
    expect(await differences()).toEqual(expected);
    expect(await changed()).toEqual(["vendor/library", "vendor/library/lib.py"]);
  });

  it("that are not initialised are named in a release", async () => {
    repository();
    place.git("repo", "clone", "-q", ".", place.path("clone"));
    expect(await differences("clone")).toEqual(["submodule-missing vendor/library"]);
    expect(await changed("clone")).toEqual([]);
  });

  it("without the recorded commit are named", async () => {
    repository();
    rmSync(place.path("repo/vendor/library"), { recursive: true });
    place.repository("repo/vendor/library", { "lib.py": "1" });
    expect(await differences()).toContain("submodule-missing vendor/library");
  });

  it("have submodules of their own", async () => {
    repository();
    place.repository("outer", { "outer.py": "" });
    place.git("outer", "submodule", "add", "-q", place.path("repo"), "inner");
    place.git("outer", "submodule", "update", "-q", "--init", "--recursive");
    place.commit("outer");
    expect(await differences("outer")).toEqual([]);
    place.file("outer/inner/vendor/library/lib.py", "2");
    expect(await differences("outer")).toEqual(["modified inner/vendor/library/lib.py"]);
  });
});

describe("temporary folders", () => {
  it("are removed, and those of killed runs by the next run", async () => {
    const folders = new TemporaryFolders(place.folder);
    mkdirSync(place.path("tgo-source-999999999.1-abc/x"), { recursive: true });
    mkdirSync(place.path("tgo-source-mine"));
    const made = await folders.make();
    writeFileSync(join(made, "file"), "");
    const second = new TemporaryFolders(place.folder);
    await second.make();
    const left = await readdir(place.folder);
    expect(left).toHaveLength(3);
    expect(left).toContain("tgo-source-mine");
    await folders.remove();
    second.removeNow();
    expect(await readdir(place.folder)).toEqual(["tgo-source-mine"]);
  });

  it("of an export can be read by their user only", async () => {
    place.repository("repo", FILES);
    const { directory } = await exportCommit(place.options("repo"));
    expect(lstatSync(directory).mode & 0o777).toBe(0o700);
  });
});
