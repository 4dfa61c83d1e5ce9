import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exportCommit, readChanges } from "../src/index.js";
import { gitIn, Place } from "./support/repository.js";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await place.remove();
});

/** Runs what the product runs on a checkout. @returns whether it could be read */
async function readBoth(): Promise<boolean> {
  const results = [readChanges(place.options("repo")), exportCommit(place.options("repo"))];
  const [one, two] = await Promise.allSettled(results);
  expect(one?.status).toBe(two?.status);
  return one?.status === "fulfilled";
}

/** Git as anybody calls it; fails as the trap makes it fail. */
function plainGit(...args: string[]): void {
  try {
    gitIn(place.path("repo"), args);
  } catch {
    // The mark counts.
  }
}

interface Trick {
  readonly name: string;
  /** Sets the trap, and returns a git command that runs into it. */
  readonly set: (trap: string) => string[];
  /** Whether the commit is missing afterwards. */
  readonly isLost?: boolean;
}

const set = (...args: string[]): string => place.git("repo", "config", ...args);

const TRICKS: Trick[] = [
  {
    name: "core.fsmonitor",
    set: (trap) => {
      set("core.fsmonitor", trap);
      return ["status"];
    },
  },
  {
    name: "core.fsmonitor in an included file",
    set: (trap) => {
      place.file("included", `[core]\nfsmonitor = ${trap}\n`);
      set("include.path", place.path("included"));
      return ["status"];
    },
  },
  {
    name: "core.fsmonitor in a file that is included for this folder",
    set: (trap) => {
      place.file("included", `[core]\nfsmonitor = ${trap}\n`);
      set("includeIf.gitdir:**.path", place.path("included"));
      return ["status"];
    },
  },
  {
    name: "core.fsmonitor in a worktree's own configuration",
    set: (trap) => {
      set("extensions.worktreeConfig", "true");
      place.file("repo/.git/config.worktree", `[core]\nfsmonitor = ${trap}\n`);
      return ["status"];
    },
  },
  {
    name: "a clean filter",
    set: (trap) => {
      place.file("repo/.gitattributes", "* filter=own\n");
      place.commit("repo");
      set("filter.own.clean", trap);
      place.file("repo/main.py", "other");
      return ["status"];
    },
  },
  {
    name: "a filter process",
    set: (trap) => {
      place.file("repo/.gitattributes", "* filter=own\n");
      place.commit("repo");
      set("filter.own.process", trap);
      place.file("repo/main.py", "other");
      return ["diff", "HEAD"];
    },
  },
  {
    name: "a smudge filter",
    set: (trap) => {
      place.file("repo/.gitattributes", "* filter=own\n");
      place.commit("repo");
      set("filter.own.smudge", trap);
      place.git("repo", "update-index", "-q", "--refresh");
      rmSync(place.path("repo/main.py"));
      return ["archive", "-o", place.path("out.tar"), "HEAD"];
    },
  },
  {
    name: "textconv",
    set: (trap) => {
      place.file("repo/.git/info/attributes", "* diff=own\n");
      set("diff.own.textconv", trap);
      place.file("repo/main.py", "other");
      return ["diff"];
    },
  },
  {
    name: "an external diff",
    set: (trap) => {
      set("diff.external", trap);
      place.file("repo/main.py", "other");
      return ["diff"];
    },
  },
  {
    name: "gpg.program, with a signed commit and log.showSignature",
    set: (trap) => {
      signHead();
      set("gpg.program", trap);
      set("log.showSignature", "true");
      return ["log", "-1", "--format=%cI"];
    },
  },
  {
    name: "hooks",
    set: (trap) => {
      set("core.hooksPath", place.path("hooks"));
      for (const hook of ["post-index-change", "post-checkout", "fsmonitor-watchman"])
        place.file(`hooks/${hook}`, readFileSync(trap, "utf8"), 0o755);
      writeFileSync(place.path("repo/main.py"), readFileSync(place.path("repo/main.py")));
      return ["update-index", "--force-write-index"];
    },
  },
  {
    name: "uploadpack of a promisor remote that lacks the commit",
    isLost: true,
    set: (trap) => {
      promise("/nowhere");
      set("remote.origin.uploadpack", trap);
      const head = loseHead();
      return ["-c", "protocol.allow=always", "cat-file", "-p", head];
    },
  },
  {
    name: "core.sshCommand with a promisor remote that lacks the commit",
    isLost: true,
    set: (trap) => {
      promise("ssh://example.invalid/x");
      set("core.sshCommand", trap);
      return ["cat-file", "-p", loseHead()];
    },
  },
  {
    name: "core.gitProxy with a promisor remote that lacks the commit",
    isLost: true,
    set: (trap) => {
      promise("git://example.invalid/x");
      set("core.gitProxy", trap);
      return ["cat-file", "-p", loseHead()];
    },
  },
  {
    name: "url.insteadOf, which makes a program of a promisor remote's address",
    isLost: true,
    set: (trap) => {
      promise("https://example.invalid/x");
      set(`url.ext::${trap} .insteadOf`, "https://example.invalid/");
      set("protocol.ext.allow", "always");
      return ["cat-file", "-p", loseHead()];
    },
  },
  {
    name: "an ext:: remote with a promise",
    isLost: true,
    set: (trap) => {
      promise(`ext::${trap}`);
      set("protocol.ext.allow", "always");
      return ["cat-file", "-p", loseHead()];
    },
  },
  {
    name: "a submodule's core.fsmonitor",
    set: (trap) => {
      place.repository("other", { "lib.py": "" });
      place.git("repo", "submodule", "add", "-q", place.path("other"), "vendor");
      place.commit("repo");
      place.git("repo/vendor", "config", "core.fsmonitor", trap);
      return ["status"];
    },
  },
];

describe("nothing that a repository names is run", () => {
  it.each(TRICKS)("$name", async (trick) => {
    place.repository("repo", { "main.py": "", ".gitignore": "*.log\n" });
    const command = trick.set(place.trap());
    place.isMarked();
    plainGit(...command);
    expect(place.isMarked(), "the trap works").toBe(true);
    expect(await readBoth()).toBe(trick.isLost !== true);
    expect(place.isMarked()).toBe(false);
  });

  it.each([
    ["GIT_CONFIG_COUNT", (trap: string) => ({ GIT_CONFIG_COUNT: "1", ...setting("core.fsmonitor", trap) })],
    ["GIT_CONFIG_PARAMETERS", (trap: string) => ({ GIT_CONFIG_PARAMETERS: `'core.fsmonitor'='${trap}'` })],
    [
      "HOME",
      (trap: string) => ({ HOME: dirname(place.file("home/.gitconfig", `[core]\nfsmonitor = ${trap}\n`)) }),
    ],
    [
      "GIT_CONFIG_GLOBAL",
      (trap: string) => ({ GIT_CONFIG_GLOBAL: place.file("config", `[core]\nfsmonitor = ${trap}\n`) }),
    ],
    [
      "GIT_CONFIG_SYSTEM",
      (trap: string) => ({ GIT_CONFIG_SYSTEM: place.file("config", `[core]\nfsmonitor = ${trap}\n`) }),
    ],
  ])("by the caller's environment: %s", async (_, variables) => {
    place.repository("repo", { "main.py": "" });
    place.file("repo/untracked.py", "");
    for (const [name, value] of Object.entries(variables(place.trap()))) vi.stubEnv(name, value);
    plainGit("status");
    expect(place.isMarked(), "the trap works").toBe(true);
    expect(await readBoth()).toBe(true);
    expect(place.isMarked()).toBe(false);
  });

  it.each([
    ["GIT_DIR", () => ({ GIT_DIR: place.path("other/.git") })],
    ["GIT_WORK_TREE", () => ({ GIT_WORK_TREE: place.path("other") })],
    ["GIT_INDEX_FILE", () => ({ GIT_INDEX_FILE: place.path("other/.git/index") })],
    ["GIT_OBJECT_DIRECTORY", () => ({ GIT_OBJECT_DIRECTORY: place.path("other/.git/objects") })],
    ["GIT_NAMESPACE", () => ({ GIT_NAMESPACE: "other" })],
    ["GIT_TRACE", () => ({ GIT_TRACE: place.path("marker") })],
    ["GIT_TRACE2_EVENT", () => ({ GIT_TRACE2_EVENT: place.path("marker") })],
  ])("nor does %s of the caller's environment change anything", async (_, variables) => {
    const head = place.repository("repo", { "main.py": "" });
    place.repository("other", { "other.py": "" });
    for (const [name, value] of Object.entries(variables())) vi.stubEnv(name, value);
    const { revision, changed } = await readChanges(place.options("repo"));
    expect({ revision, changed }).toEqual({ revision: head, changed: [] });
    expect(place.isMarked()).toBe(false);
  });
});

describe("a repository's own words about its commits do not count", () => {
  it.each([
    [
      "a replaced commit",
      (head: string) => {
        place.git("repo", "replace", head, otherCommit());
      },
    ],
    [
      "core.worktree",
      () => {
        place.file("elsewhere/main.py", "elsewhere");
        set("core.worktree", place.path("elsewhere"));
      },
    ],
    [
      "core.bare",
      () => {
        set("core.bare", "true");
      },
    ],
    [
      "core.excludesFile, and export attributes",
      () => {
        set("core.attributesFile", place.file("attributes", "* export-ignore export-subst text eol=crlf\n"));
        place.file("repo/.git/info/attributes", "* export-ignore export-subst text eol=crlf ident\n");
      },
    ],
  ])("%s", async (_, change) => {
    const head = place.repository("repo", { "main.py": "$Id$ $Format:%H$\n" });
    change(head);
    const { revision, directory, differences } = await exportCommit(place.options("repo"));
    expect([revision, differences]).toEqual([head, []]);
    expect(readFileSync(join(directory, "main.py"), "utf8")).toBe("$Id$ $Format:%H$\n");
  });

  it("an object that is not what its id says is refused", async () => {
    place.repository("repo", { "main.py": "good" });
    const evil = place.repository("evil", { "main.py": "evil" });
    const tree = place.git("repo", "rev-parse", "HEAD^{tree}");
    const other = place.git("evil", "rev-parse", `${evil}^{tree}`);
    const object = (repository: string, id: string): string =>
      place.path(repository, ".git/objects", id.slice(0, 2), id.slice(2));
    rmSync(object("repo", tree));
    place.file(`repo/.git/objects/${tree.slice(0, 2)}/${tree.slice(2)}`, readFileSync(object("evil", other)));
    await expect(exportCommit(place.options("repo"))).rejects.toThrow(/does not match its id|damaged/);
  });

  it("a signed commit has its time, whatever log.showSignature says", async () => {
    place.repository("repo", { "main.py": "" });
    signHead();
    set("log.showSignature", "true");
    const { created } = await readChanges(place.options("repo"));
    const seconds = place.git("repo", "log", "-1", "--no-show-signature", "--format=%ct");
    expect(Date.parse(created ?? "") / 1000).toBe(Number(seconds));
  });

  it.each(["../escape", "..", ".git", ".GIT", "a/b"])("a tree with the name %j is refused", async (name) => {
    place.repository("repo", { "main.py": "" });
    const blob = place.git("repo", "rev-parse", "HEAD:main.py");
    const entry = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, "hex")]);
    const tree = writeObject("tree", entry);
    commitTree(tree);
    await expect(exportCommit(place.options("repo"))).rejects.toThrow("does not check out");
  });

  it("a tree that has a link and a folder under one name is refused", async () => {
    place.repository("repo", { "main.py": "evil" });
    const tree = Buffer.from(place.git("repo", "rev-parse", "HEAD^{tree}"), "hex");
    const target = place.path("target");
    mkdirSync(target);
    const link = Buffer.from(writeObject("blob", Buffer.from(target)), "hex");
    const entries = [Buffer.from("120000 a\0"), link, Buffer.from("40000 a\0"), tree];
    commitTree(writeObject("tree", Buffer.concat(entries)));
    await expect(exportCommit(place.options("repo"))).rejects.toThrow("does not check out");
    expect(await readdir(target)).toEqual([]);
  });
});

it("a commit with more files than any disk holds is refused, with little on the disk", async () => {
  place.repository("repo", { "main.py": "x".repeat(1000) });
  const blob = Buffer.from(place.git("repo", "rev-parse", "HEAD:main.py"), "hex");
  const files = Array.from({ length: 1000 }, (_, i) => [Buffer.from(`100644 f${1000 + i}\0`), blob]);
  let tree = Buffer.from(writeObject("tree", Buffer.concat(files.flat())), "hex");
  for (let depth = 0; depth < 10; depth++) {
    const entries = Array.from("abcdefgh", (name) => [Buffer.from(`40000 ${name}\0`), tree]);
    tree = Buffer.from(writeObject("tree", Buffer.concat(entries.flat())), "hex");
  }
  commitTree(tree.toString("hex"));
  await expect(readChanges(place.options("repo"))).rejects.toThrow("the commit has more than 500000 files");
}, 60_000);

describe("names that are not UTF-8", () => {
  const repository = (): void => {
    place.repository("repo", { "service/main.py": "" });
    const blob = Buffer.from(place.git("repo", "rev-parse", "HEAD:service/main.py"), "hex");
    const service = Buffer.from(place.git("repo", "rev-parse", "HEAD:service"), "hex");
    const entries = [
      Buffer.from("100644 caf\xe9\0", "latin1"),
      blob,
      Buffer.from("40000 service\0"),
      service,
    ];
    commitTree(writeObject("tree", Buffer.concat(entries)));
  };

  it("are refused where they are built", async () => {
    repository();
    await expect(exportCommit(place.options("repo"))).rejects.toThrow("is not UTF-8");
  });

  it("do not matter elsewhere", async () => {
    repository();
    expect(await exportCommit(place.options("repo", ["service"]))).toMatchObject({ differences: [] });
  });
});

describe("where git does not read", () => {
  const isRoot = process.getuid?.() === 0;

  it.skipIf(!isRoot)("a repository of another user is told, unless the caller trusts it", async () => {
    const head = place.repository("repo", { "main.py": "" });
    for (const path of ["repo", "repo/.git"]) chownSync(place.path(path), 4321, 4321);
    const home = place.path("home");
    mkdirSync(home);
    vi.stubEnv("HOME", home);
    vi.stubEnv("XDG_CONFIG_HOME", undefined);
    vi.stubEnv("GIT_CONFIG_GLOBAL", undefined);
    await expect(readChanges(place.options("repo"))).rejects.toMatchObject({
      code: "SOURCE",
      what: "the git repository belongs to another user, and git does not read it",
      where: place.path("repo"),
      remedy: `If you trust it: git config --global --add safe.directory ${place.path("repo")}`,
    });
    place.git("repo", "config", "--global", "--add", "safe.directory", place.path("repo"));
    expect(await readChanges(place.options("repo"))).toMatchObject({ revision: head, changed: [] });
  });

  it("a named pipe in the .git ends after the limit", async () => {
    place.repository("repo", { "main.py": "" });
    rmSync(place.path("repo/.git/config"));
    execFileSync("mkfifo", [place.path("repo/.git/config")]);
    const options = { ...place.options("repo"), limitMs: 300 };
    await expect(readChanges(options)).rejects.toThrow("git did not finish within 0.3 s and was stopped");
  });

  it("a .git that is none does not make it the repository around it", async () => {
    place.repository("repo", { "inner/main.py": "" });
    mkdirSync(place.path("repo/inner/.git"));
    await expect(readChanges(place.options("repo/inner"))).rejects.toThrow("git cannot read the repository");
  });

  it("a folder that is a bare repository itself is not read as one", async () => {
    place.repository("repo", { "main.py": "" });
    place.git("repo", "clone", "-q", "--bare", ".", place.path("bare"));
    mkdirSync(place.path("bare/.git"));
    await expect(readChanges(place.options("bare"))).rejects.toThrow("git cannot read the repository");
  });

  it("a commit that a partial clone lacks is told", async () => {
    place.repository("repo", { "main.py": "" });
    promise("/nowhere");
    loseHead();
    await expect(readChanges(place.options("repo"))).rejects.toThrow(/commit \w+ is missing or damaged/);
  });

  it("a caller's stop ends it", async () => {
    place.repository("repo", { "main.py": "" });
    const options = { ...place.options("repo"), signal: AbortSignal.abort() };
    await expect(readChanges(options)).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  it("a link to a checkout is that checkout", async () => {
    const head = place.repository("repo", { "main.py": "" });
    symlinkSync(place.path("repo"), place.path("link"));
    expect(await readChanges(place.options("link"))).toMatchObject({ revision: head, changed: [] });
  });
});

function setting(name: string, value: string): Record<string, string> {
  return { GIT_CONFIG_KEY_0: name, GIT_CONFIG_VALUE_0: value };
}

/** Makes origin a remote that has promised every missing object. */
function promise(url: string): void {
  set("remote.origin.url", url);
  set("remote.origin.promisor", "true");
  set("remote.origin.partialclonefilter", "blob:none");
  set("core.repositoryFormatVersion", "1");
  set("extensions.partialClone", "origin");
}

/** Points the branch to a commit that the repository lacks. */
function loseHead(): string {
  const lost = "1234567890123456789012345678901234567890";
  place.file("repo/.git/HEAD", `${lost}\n`);
  return lost;
}

function otherCommit(): string {
  const tree = place.git("repo", "mktree", "--missing");
  return place.git("repo", "commit-tree", "-m", "other", tree);
}

function writeObject(type: string, content: Buffer): string {
  const args = ["-C", place.path("repo"), "hash-object", "-t", type, "-w", "--literally", "--stdin"];
  return execFileSync("git", args, { input: content, encoding: "utf8" }).trim();
}

function commitTree(tree: string): void {
  place.git("repo", "update-ref", "HEAD", place.git("repo", "commit-tree", "-m", "m", tree));
}

/** Gives the commit a signature that any gpg is asked about. */
function signHead(): void {
  const lines = execFileSync("git", ["-C", place.path("repo"), "cat-file", "commit", "HEAD"], {
    encoding: "utf8",
  });
  const [headers, ...message] = lines.split("\n\n");
  const signature = ["-----BEGIN PGP SIGNATURE-----", "", "iQ==", "-----END PGP SIGNATURE-----"];
  const signed = `${headers ?? ""}\ngpgsig ${signature.join("\n ")}\n\n${message.join("\n\n")}`;
  place.git("repo", "update-ref", "HEAD", writeObject("commit", Buffer.from(signed)));
}
