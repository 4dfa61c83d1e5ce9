import { TgoError } from "@tgo/errors";
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { tgo } from "./fixture.js";

const PASSWORD = "correct-horse-battery";
const AUTH = Buffer.from(`robot:${PASSWORD}`).toString("base64");
const CONFIG = JSON.stringify({ auths: { "ghcr.io": { auth: AUTH } } });

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tgo-cli-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("credentials", () => {
  it.each([
    "file:config.json",
    "file://config.json",
    "config.json",
    "env:CONFIG",
    "env://CONFIG",
    "cmd:cat config.json",
  ])("come from %s as a secret of the session", async (source) => {
    file("config.json", CONFIG);
    const { calls } = await tgo(["smoke", "--docker-config", source], {
      cwd: folder,
      env: { CONFIG, PATH: process.env.PATH ?? "" },
    });
    expect(calls[0]?.constructorArguments[4]).toEqual({ secret: "dockerConfig", plaintext: CONFIG });
  });

  it("come from ~/.docker when none are named", async () => {
    file(".docker/config.json", CONFIG);
    const { host, calls } = await tgo("smoke", { home: folder });
    expect(await host?.credentials?.("ghcr.io")).toEqual({ username: "robot", password: PASSWORD });
    expect(await host?.credentials?.("docker.io")).toBeUndefined();
    expect(calls[0]?.constructorArguments[4]).toBeUndefined();
  });

  it("come from $DOCKER_CONFIG rather than ~/.docker", async () => {
    file(".docker/config.json", "{}");
    file("other/config.json", CONFIG);
    const { host } = await tgo("smoke", { home: folder, env: { DOCKER_CONFIG: join(folder, "other") } });
    expect(await host?.credentials?.("ghcr.io")).toMatchObject({ username: "robot" });
  });

  it("are not looked up without a Docker config", async () => {
    expect((await tgo("smoke", { home: folder })).host?.credentials).toBeUndefined();
  });

  it.each(["--docker-config config.json", ""])(
    "come from a credential helper, run on this machine (%s)",
    async (flag) => {
      const config = JSON.stringify({ auths: { "ghcr.io": {} }, credsStore: "box" });
      file(flag === "" ? ".docker/config.json" : "config.json", config);
      file(
        "docker-credential-box",
        `#!/bin/sh\nread host\necho "{\\"Username\\":\\"u-$host\\",\\"Secret\\":\\"${PASSWORD}\\"}"\n`,
        0o755,
      );
      const { host, calls } = await tgo(`smoke ${flag}`, {
        cwd: folder,
        home: folder,
        env: { PATH: `${folder}:${process.env.PATH ?? ""}` },
      });
      expect(await host?.credentials?.("ghcr.io")).toEqual({ username: "u-ghcr.io", password: PASSWORD });
      expect(calls[0]?.constructorArguments[4]).toBeUndefined();
    },
  );

  it("in a malformed default config are an error naming the file", async () => {
    const path = file(".docker/config.json", "{");
    const { code, stderr } = await tgo("smoke", { home: folder });
    expect(code).not.toBe(0);
    expect(stderr).toContain(path);
  });
});

describe("no credential is ever printed:", () => {
  it.each([
    ["the password", PASSWORD],
    ["its base64", AUTH],
    ["its URL spelling", encodeURIComponent(PASSWORD)],
  ])("%s, in a result, an error, a progress line or a stack", async (_, secret) => {
    file("config.json", CONFIG);
    const { stdout, stderr } = await tgo("smoke --format json --verbose --docker-config config.json", {
      cwd: folder,
      behave: (_call, host) => {
        host.progress?.({ kind: "note", id: "1", step: "upload", detail: `sent ${secret}` });
        return Promise.reject(new TgoError("UNAUTHORIZED", `refused ${secret}`, { remedy: `not ${secret}` }));
      },
    });
    expect(stdout).toContain("refused ***");
    expect(stderr).toContain("refused ***");
    expect(stderr).toContain("sent ***");
    expect(stdout + stderr).not.toContain(secret);
  });

  it("one from a helper", async () => {
    file(".docker/config.json", JSON.stringify({ credHelpers: { "ghcr.io": "box" } }));
    file("docker-credential-box", `#!/bin/sh\necho '{"Username":"u","Secret":"${PASSWORD}"}'\n`, 0o755);
    const { stdout } = await tgo("smoke", {
      home: folder,
      env: { PATH: `${folder}:${process.env.PATH ?? ""}` },
      behave: async (_call, host) => JSON.stringify(await host.credentials?.("ghcr.io")),
    });
    expect(stdout).toBe('{"username":"u","password":"***"}\n');
  });
});

describe("the password of a proxy, mirror or index", () => {
  it.each([
    ["from HTTPS_PROXY", [], { HTTPS_PROXY: "http://me:pr0xy-pass@proxy:3128" }],
    ["from http_proxy", [], { http_proxy: "http://me:pr0xy-pass@proxy:3128" }],
    ["from ALL_PROXY", [], { ALL_PROXY: "socks5h://me:pr0xy-pass@proxy:1080" }],
    [
      "from PIP_EXTRA_INDEX_URL",
      [],
      { PIP_EXTRA_INDEX_URL: "https://me:pr0xy-pass@pypi.example.com/simple" },
    ],
    ["from a build value", ["--value", "HTTP_PROXY=http://me:pr0xy-pass@proxy:3128"], {}],
  ])("%s is masked wherever it is printed", async (_, flags, env) => {
    const basic = Buffer.from("me:pr0xy-pass").toString("base64");
    const { stdout, stderr } = await tgo(["publish", "--service", "tgo-api", "--format", "json", ...flags], {
      env,
      behave: (_call, host) => {
        host.progress?.({ kind: "note", id: "1", step: "build", detail: "using me and pr0xy-pass" });
        const remedy = host.invocation ?? "";
        return Promise.reject(new TgoError("BUILD", `refused pr0xy-pass, ${basic}`, { remedy }));
      },
    });
    expect(stderr).toContain("using me and ***");
    expect(stdout).toContain("refused ***");
    expect(stdout + stderr).not.toContain("pr0xy-pass");
    expect(stdout + stderr).not.toContain(basic.slice(4, 12));
  });
});

describe("the source", () => {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", folder, "-c", "user.name=n", "-c", "user.email=e@e", ...args], {
      encoding: "utf8",
    }).trim();
  const commit = (): string => {
    git("init", "-q");
    git("add", ".");
    git("commit", "-q", "-m", "m");
    return git("rev-parse", "HEAD");
  };

  it("is the checkout around the current folder, with its commit", async () => {
    file("repos/tgo-api/main.py", "");
    const head = commit();
    const { calls } = await tgo("publish --service tgo-api", { cwd: join(folder, "repos") });
    const [, source, revision] = calls[0]?.arguments ?? [];
    const repos = calls[0]?.constructorArguments[5];
    expect(source).toBeUndefined();
    expect(repos).toMatchObject({ directory: `${folder}/` });
    expect(revision).toBe(head);
    // The last matching pattern decides.
    const { exclude } = repos as { exclude: string[] };
    expect(exclude.slice(0, 2)).toEqual(["**", "!repos/**"]);
    expect(exclude.slice(2)).toContain("**/node_modules");
  });

  it("is another repository when one is named, wherever the command runs", async () => {
    file("one/repos/tgo-api/main.py", "");
    const head = commit();
    const { calls } = await tgo("publish --service all --repos one", { cwd: folder });
    expect(calls[0]?.constructorArguments[5]).toMatchObject({ directory: `${join(folder, "one")}/` });
    expect(calls[0]?.arguments[2]).toBe(head);
    expect((await tgo("publish --service all --repos two", { cwd: folder })).stderr).toContain(
      "no such folder (--repos)",
    );
  });

  it("is the folder itself when it is named like the service", async () => {
    file("tgo-api/main.py", "");
    const { calls } = await tgo("publish --service tgo-api", { cwd: join(folder, "tgo-api") });
    expect(calls[0]?.arguments[1]).toMatchObject({ directory: join(folder, "tgo-api") });
  });

  it.each([
    ["a changed file", "main.py"],
    ["a new file", "new.py"],
  ])("with %s has no commit", async (_, name) => {
    file("repos/tgo-api/main.py", "");
    commit();
    file(`repos/tgo-api/${name}`, "changed");
    const { calls, host } = await tgo("publish --service tgo-api", { cwd: folder });
    expect(calls[0]?.arguments[2]).toBeUndefined();
    expect(host?.uncommitted).toEqual({ changed: [`repos/tgo-api/${name}`] });
  });

  it("that is in no commit says why", async () => {
    file("repos/tgo-api/main.py", "");
    const line = "publish --service tgo-api";
    const why = async (flags = ""): Promise<unknown> =>
      (await tgo(`${line} ${flags}`, { cwd: folder })).host?.uncommitted;
    expect(await why()).toEqual({
      why: `${folder} is not a git checkout: neither it nor a parent folder has a .git`,
    });
    expect(await why("--source repos")).toEqual({ why: "repos is not a git checkout: it has no .git" });
    git("init", "-q");
    expect(await why()).toEqual({ why: expect.stringContaining("does not have any commits yet") as string });
    file("README.md", "");
    git("add", "README.md");
    git("commit", "-q", "-m", "m");
    expect(await why()).toEqual({ why: `no file of ${folder}/repos/tgo-api is committed` });
  });

  it("keeps its commit when only another service has changed", async () => {
    file("repos/tgo-api/main.py", "");
    file("repos/tgo-web/main.js", "");
    const head = commit();
    file("repos/tgo-web/main.js", "changed");
    const { calls } = await tgo("publish --service tgo-api", { cwd: folder });
    expect(calls[0]?.arguments[2]).toBe(head);
  });

  it("given as a folder of another repository does not use that repository's commit", async () => {
    file("some/main.py", "");
    commit();
    const { calls, host } = await tgo("publish --service tgo-api --source some", { cwd: folder });
    expect(calls[0]?.arguments[1]).toEqual({ directory: join(folder, "some") });
    expect(calls[0]?.arguments[2]).toBeUndefined();
    expect(host?.uncommitted).toEqual({
      why: "some has no .git of its own, and the commit of the checkout around it is not used",
    });
  });

  it("given as a checkout has its commit, unless --revision names another", async () => {
    file("main.py", "");
    const head = commit();
    const { calls } = await tgo(`publish --service tgo-api --source ${folder}`);
    expect(calls[0]?.arguments[2]).toBe(head);
    const other = await tgo(`publish --service tgo-api --source ${folder} --revision mine`);
    expect(other.calls[0]?.arguments[2]).toBe("mine");
  });

  it("has its commit's time also where --revision names that commit, and lists what differs from it", async () => {
    const CREATED = 7;
    file("main.py", "");
    const head = commit();
    file("generated.py", "");
    const line = `publish --service tgo-api --source ${folder}`;
    const { calls, host } = await tgo(`${line} --revision ${head}`);
    const created = Date.parse(String(calls[0]?.arguments[CREATED]));
    expect(created / 1000).toBe(Number(git("log", "-1", "--format=%ct")));
    expect(host?.uncommitted).toEqual({ changed: ["generated.py"] });
    const other = await tgo(`${line} --revision mine`);
    expect(other.calls[0]?.arguments[CREATED]).toBeUndefined();
  });
});

describe("what takes too long or has no end", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const helper = (script: string): Promise<{ stderr: string; credentials: unknown }> => {
    file(".docker/config.json", JSON.stringify({ credsStore: "box" }));
    file("docker-credential-box", `#!/bin/sh\n${script}\n`, 0o755);
    return tgo("smoke", {
      home: folder,
      env: { PATH: `${folder}:${process.env.PATH ?? ""}` },
      behave: async (_call, host) => {
        await host.credentials?.("ghcr.io");
        return "done";
      },
    }).then(({ stderr, code }) => ({ stderr, credentials: code }));
  };

  it("is stopped: a credential helper that hangs, with what it started", async () => {
    const run = helper(`echo ${PASSWORD}; sleep 4712 & echo $! > ${folder}/pid; wait`);
    await halfAMinuteAfter(join(folder, "pid"));
    const { stderr } = await run;
    expect(stderr).toContain("ghcr.io: docker-credential-box did not finish within 30 s and was stopped");
    expect(stderr).toContain("echo ghcr.io | docker-credential-box get");
    expect(stderr).not.toContain(PASSWORD);
    await expectGone(join(folder, "pid"));
  });

  it("is stopped: a credential helper that prints without end", async () => {
    const { stderr } = await helper("exec cat /dev/zero");
    expect(stderr).toContain("docker-credential-box printed more than 1 MiB and was stopped");
  });

  it("is stopped: a secret's command that hangs", async () => {
    const command = `echo $$ > ${folder}/pid; sleep 4713`;
    const run = tgo(["smoke", "--docker-config", `cmd:${command}`], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "" },
    });
    await halfAMinuteAfter(join(folder, "pid"));
    const { code, stderr } = await run;
    expect(code).toBe(2);
    expect(stderr).toContain(`the command failed: ${command}: it did not finish within 30 s and was stopped`);
    await expectGone(join(folder, "pid"));
  });

  it("is not read: a secret from a device, a folder or a file without end", async () => {
    const sparse = file("sparse", "");
    truncateSync(sparse, 2 ** 40);
    for (const [path, reason] of [
      ["/dev/zero", "it is neither a regular file nor a pipe"],
      [folder, "it is a folder"],
      [sparse, "it is larger than 16 MiB"],
    ] as const) {
      const { code, stderr } = await tgo(["smoke", "--docker-config", path]);
      expect(code).toBe(2);
      expect(stderr).toContain(`the file cannot be read (--docker-config): ${reason}`);
    }
  });

  it("is not read: a catalog from a pipe, a device or a file without end", async () => {
    const sparse = file("sparse.json", "");
    truncateSync(sparse, 2 ** 40);
    execFileSync("mkfifo", [join(folder, "pipe")]);
    for (const [path, reason] of [
      ["/dev/zero", "this is not a file (--catalog)"],
      [join(folder, "pipe"), "this is not a file (--catalog)"],
      [sparse, "the file is larger than 16 MiB (--catalog)"],
    ] as const) {
      const { code, stderr } = await tgo(["smoke", "--catalog", path]);
      expect(code).toBe(2);
      expect(stderr).toContain(reason);
    }
  });

  it("is not read: a default Docker config that is a pipe", async () => {
    mkdirSync(join(folder, ".docker"));
    execFileSync("mkfifo", [join(folder, ".docker/config.json")]);
    const { code, stderr } = await tgo("smoke", { home: folder });
    expect(code).toBe(1);
    expect(stderr).toContain("the Docker config cannot be read: it is not a regular file");
  });

  it("is read: a secret from a shell's <(command)", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    spawn("sh", ["-c", `sleep 0.2; printf '%s' '${CONFIG}' > ${pipe}`]);
    const { calls } = await tgo(["smoke", "--docker-config", pipe]);
    expect(calls[0]?.constructorArguments[4]).toMatchObject({ plaintext: CONFIG });
  });
});

/** Waits for the file, and then lets half a minute pass at once. */
async function halfAMinuteAfter(path: string): Promise<void> {
  await expect.poll(() => existsSync(path) && readFileSync(path, "utf8") !== "").toBe(true);
  vi.advanceTimersByTime(30_000);
}

/** Waits until the process is gone or a zombie. */
async function expectGone(pidFile: string): Promise<void> {
  const pid = readFileSync(pidFile, "utf8").trim();
  expect(pid).toMatch(/^\d+$/);
  const state = async (): Promise<string> =>
    (await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State: X")).match(/State:\s+(\S)/)?.[1] ?? "";
  await expect.poll(state).toMatch(/[XZ]/);
}
