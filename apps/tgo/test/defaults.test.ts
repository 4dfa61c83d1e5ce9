import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tgo } from "./fixture.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-defaults-"));
  await mkdir(join(folder, "inner"));
  await writeFile(join(folder, "mine.json"), "{}");
  await writeFile(join(folder, "inner", "flag.json"), "{}");
  // Whatever the umask is.
  await writeFile(join(folder, ".env"), "", { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

const CATALOG = 0;
const REGISTRY = 1;
const REGISTRY_SERVICE = 2;
const PLATFORM = 3;
const DOCKER_CONFIG = 4;

describe("TGO_ variables of the environment", () => {
  it("are defaults of the flags that every function has, lists separated by commas", async () => {
    const env = {
      TGO_CATALOG: "mine.json",
      TGO_REGISTRY: "a.example/x, b.example/y",
      TGO_PLATFORM: "linux/arm64",
    };
    const { calls } = await tgo("publish --service a", { cwd: folder, env });
    const args = calls[0]?.constructorArguments ?? [];
    expect(args[CATALOG]).toEqual({ file: join(folder, "mine.json") });
    expect(args[REGISTRY]).toEqual(["a.example/x", "b.example/y"]);
    expect(args[PLATFORM]).toEqual(["linux/arm64"]);
  });

  it.each(["TGO_DOCKERCONFIG", "TGO_DOCKER_CONFIG"])(
    "may be named with or without underscores: %s",
    async (name) => {
      const config = '{"auths":{}}';
      const { calls } = await tgo("smoke", { cwd: folder, env: { [name]: "env:CONFIG", CONFIG: config } });
      expect(calls[0]?.constructorArguments[DOCKER_CONFIG]).toEqual({
        secret: "dockerConfig",
        plaintext: config,
      });
    },
  );

  it.each([
    ["TGO_REGISTRIES", "TGO_REGISTRY"],
    ["TGO_REGISTY", "TGO_REGISTRY"],
    ["TGO_DOCKER_CONFG", "TGO_DOCKERCONFIG"],
    ["tgo_catalgo", "TGO_CATALOG"],
    ["TGO_PLATFORMS", "TGO_PLATFORM"],
  ])("are suggested for a misspelt one: %s", async (name, meant) => {
    const { code, stderr, calls } = await tgo("smoke", { cwd: folder, env: { [name]: "x" } });
    expect(code).toBe(0);
    expect(stderr).toContain(`tgo: warning: ignored ${name}; did you mean ${meant}?\n`);
    expect(calls[0]?.constructorArguments[REGISTRY]).toBeUndefined();
  });

  it("of TGO itself are ignored without a word", async () => {
    const names = [
      "TGO_API_PORT",
      "TGO_TOKEN",
      "TGO_PLATFORM_URL",
      "TGO_PLATFORM_ID",
      "TGO_REDIS",
      "TGO_ENV",
      "TGO",
    ];
    const env = Object.fromEntries(names.map((name) => [name, "x"]));
    const { code, stderr } = await tgo("services", { cwd: folder, env });
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("are overridden by the flag", async () => {
    const { calls } = await tgo("smoke --catalog flag.json", {
      cwd: join(folder, "inner"),
      env: { TGO_CATALOG: "missing.json" },
    });
    expect(calls[0]?.constructorArguments[CATALOG]).toEqual({ file: join(folder, "inner", "flag.json") });
  });

  it("are named in errors, instead of the flag", async () => {
    const { code, stderr } = await tgo("smoke", { cwd: folder, env: { TGO_CATALOG: "missing.json" } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no such file \(TGO_CATALOG\)/);
  });

  it.each(["TGO_REGISTRY", "TGO_PLATFORM", "TGO_CATALOG", "TGO_DOCKER_CONFIG"])(
    "that are empty are refused, like the flag: %s",
    async (name) => {
      for (const empty of ["", " "]) {
        const { code, stderr, calls } = await tgo("services", { cwd: folder, env: { [name]: empty } });
        expect({ code, calls }).toEqual({ code: 2, calls: [] });
        expect(stderr).toContain(`tgo: ${name} is empty\n`);
      }
    },
  );

  it("that are empty do not matter beside the flag", async () => {
    const line = "services --platform linux/arm64";
    expect((await tgo(line, { cwd: folder, env: { TGO_PLATFORM: "" } })).code).toBe(0);
  });

  it("without a flag of that name are ignored", async () => {
    expect((await tgo("smoke", { cwd: folder, env: { TGO_VERSION: "1", TGO_SERVICE: "x" } })).code).toBe(0);
  });
});

describe("a .env file", () => {
  it("is found above the current folder, expands variables, and is overridden by the environment", async () => {
    await writeFile(
      join(folder, ".env"),
      "# of another program\nDATABASE=postgres://$x\nexport TGO_CATALOG=$WHERE/mine.json\nTGO_PLATFORM='linux/arm64'\n",
    );
    const env = { WHERE: folder, TGO_PLATFORM: "linux/amd64" };
    const { calls } = await tgo("smoke", { cwd: join(folder, "inner"), env });
    expect(calls[0]?.constructorArguments[CATALOG]).toEqual({ file: join(folder, "mine.json") });
    expect(calls[0]?.constructorArguments[PLATFORM]).toEqual(["linux/amd64"]);
  });

  it("is read as a shell reads it, and other lines are ignored", async () => {
    await writeFile(
      join(folder, ".env"),
      'not a line of ours\nTGO_REGISTRY="a.example/x" # ours\nTGO_PLATFORM=linux/arm64 # and this\n',
    );
    const { calls } = await tgo("publish --service a", { cwd: folder });
    expect(calls[0]?.constructorArguments[REGISTRY]).toEqual(["a.example/x"]);
    expect(calls[0]?.constructorArguments[PLATFORM]).toEqual(["linux/arm64"]);
  });

  it("that sets a variable to nothing is refused, and the file named", async () => {
    await writeFile(join(folder, ".env"), "TGO_REGISTRY=$NOT_SET\n");
    const { code, stderr, calls } = await tgo("services", { cwd: folder });
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(stderr).toContain(`tgo: TGO_REGISTRY in ${join(folder, ".env")} is empty\n`);
  });

  it("expands nothing in single quotes, and does not treat a # inside a word as a comment, like a shell", async () => {
    await writeFile(
      join(folder, ".env"),
      "TGO_PLATFORM='$WHERE'\nTGO_REGISTRY=a.example/x#1,${WHERE} # one\nTGO_CATALOG=\"$WHERE/mine.json\"\n",
    );
    const { calls } = await tgo("smoke", { cwd: folder, env: { WHERE: folder } });
    expect(calls[0]?.constructorArguments[PLATFORM]).toEqual(["$WHERE"]);
    expect(calls[0]?.constructorArguments[REGISTRY]).toEqual(["a.example/x#1", folder]);
    expect(calls[0]?.constructorArguments[CATALOG]).toEqual({ file: join(folder, "mine.json") });
  });
});

describe("a .env file is not believed", () => {
  let outer: string;
  let inner: string;
  let file: string;
  const ours = "TGO_REGISTRY=inner.example/x\nDATABASE=1\n";
  const registry = async (): Promise<{ used: unknown; stderr: string; code: number }> => {
    const { calls, stderr, code } = await tgo("smoke", { cwd: inner });
    return { used: calls[0]?.constructorArguments[REGISTRY], stderr, code };
  };
  const outside = ["outer.example/x"];
  beforeEach(async () => {
    outer = await mkdtemp(join(tmpdir(), "tgo-trust-"));
    inner = join(outer, "inner");
    file = join(inner, ".env");
    await mkdir(inner, { mode: 0o755 });
    await writeFile(join(outer, ".env"), "TGO_REGISTRY=outer.example/x\n", { mode: 0o644 });
    await writeFile(file, ours, { mode: 0o644 });
  });
  afterEach(() => rm(outer, { recursive: true }));
  // Only root can give files away.
  const asRoot = it.skipIf(process.geteuid?.() !== 0);

  it("if others can write it: the next one above counts, and the variables are named once", async () => {
    await chmod(file, 0o666);
    const { used, stderr, code } = await registry();
    expect(used).toEqual(outside);
    expect(code).toBe(0);
    expect(stderr).toContain(`tgo: ${file}: ignored TGO_REGISTRY: others can write ${file}\n`);
    expect(stderr).toContain(`chmod go-w ${file}\n`);
    expect(stderr.split("ignored")).toHaveLength(2);
    expect(stderr).not.toMatch(/inner\.example|DATABASE/);
  });

  it("if others can replace it", async () => {
    await chmod(inner, 0o777);
    const { used, stderr } = await registry();
    expect(used).toEqual(outside);
    expect(stderr).toContain(`ignored TGO_REGISTRY: others can write ${inner}\n`);
  });

  asRoot("if it, its folder or a link to it belongs to somebody else", async () => {
    await chown(file, 4711, 4711);
    expect(await registry()).toMatchObject({ used: outside });
    expect((await registry()).stderr).toContain(`ignored TGO_REGISTRY: ${file} belongs to user 4711`);
    await chown(file, 0, 0);
    await chown(inner, 4711, 4711);
    expect((await registry()).stderr).toContain(`ignored TGO_REGISTRY: ${inner} belongs to user 4711`);
  });

  asRoot("of somebody else, and nothing is said if no variable in it is ours", async () => {
    await writeFile(file, "DATABASE=1\nTGO_VERSION=1\n");
    await chown(file, 4711, 4711);
    const { used, stderr } = await registry();
    expect(used).toEqual(outside);
    expect(stderr).not.toContain("ignored");
  });

  it.each([
    ["a pipe", (path: string) => execFileSync("mkfifo", [path])],
    ["a device", (path: string) => symlink("/dev/zero", path)],
  ])("if it is %s", async (_, make) => {
    await rm(file);
    await make(file);
    const { used, stderr } = await registry();
    expect(used).toEqual(outside);
    expect(stderr).toContain(`tgo: ${file}: ignored: it is not a regular file\n`);
  });

  it("if it has no end", async () => {
    await truncate(file, 2 ** 40);
    const { used, stderr } = await registry();
    expect(used).toEqual(outside);
    expect(stderr).toContain(`tgo: ${file}: ignored: it is larger than 1 MiB\n`);
  });

  it("if it is a folder, silently: a virtual environment of Python", async () => {
    await rm(file);
    await mkdir(file);
    const { used, stderr } = await registry();
    expect(used).toEqual(outside);
    expect(stderr).not.toContain("ignored");
  });

  it("through the escapes of its folder's name", async () => {
    const odd = join(inner, "\u001B[2Jodd");
    await mkdir(odd);
    await writeFile(join(odd, ".env"), ours);
    await chmod(join(odd, ".env"), 0o666);
    const { stderr } = await tgo("smoke", { cwd: odd });
    expect(stderr).toContain(String.raw`\u001b[2Jodd/.env: ignored TGO_REGISTRY`);
    expect(stderr).not.toContain("\u001B");
  });

  it.each([
    "cmd:touch MARK",
    "cmd://touch MARK",
    "CMD:touch MARK",
    "$COMMAND",
    "op://vault/item",
    "vault://a.b",
    "aws+sm://name",
  ])("for a secret from %s", async (value) => {
    const mark = join(outer, "mark");
    await writeFile(file, `TGO_DOCKERCONFIG="${value.replace("MARK", mark)}"\nTGO_PLATFORM=linux/arm64\n`);
    const env = { COMMAND: `cmd:touch ${mark}` };
    const { code, calls, stderr } = await tgo("smoke", { cwd: inner, env });
    expect(code).toBe(0);
    expect(calls[0]?.constructorArguments[DOCKER_CONFIG]).toBeUndefined();
    expect(calls[0]?.constructorArguments[PLATFORM]).toEqual(["linux/arm64"]);
    expect(stderr).toContain(`tgo: ${file}: ignored TGO_DOCKERCONFIG: a .env file can name a secret only by`);
    expect(stderr).toContain("pass --docker-config");
    expect(stderr).not.toMatch(/touch|vault|name\b.*sm/);
    expect(existsSync(mark)).toBe(false);
  });

  it("for a connection of a registry to another machine, which would get its credentials", async () => {
    await writeFile(file, "TGO_REGISTRYSERVICE=tcp://localhost:5000,tcp://evil.example:443\n");
    const { calls, stderr } = await tgo("smoke", { cwd: inner });
    expect(calls[0]?.constructorArguments[REGISTRY_SERVICE]).toBeUndefined();
    expect(stderr).toContain("ignored TGO_REGISTRYSERVICE: a .env file can connect a registry");
    expect(stderr).not.toContain("evil");
  });
});

describe("a .env file may name", () => {
  let cwd: string;
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), "tgo-names-"));
    await writeFile(join(cwd, "config.json"), '{"auths":{}}');
  });
  afterEach(() => rm(cwd, { recursive: true }));

  it.each(["file:config.json", "file:$HERE/config.json", "config.json", "env:CONFIG"])(
    "a secret by %s",
    async (value) => {
      await writeFile(join(cwd, ".env"), `TGO_DOCKER_CONFIG=${value}\n`, { mode: 0o600 });
      const env = { HERE: cwd, CONFIG: '{"auths":{}}' };
      const { calls, stderr } = await tgo("smoke", { cwd, env });
      expect(stderr).not.toContain("ignored");
      expect(calls[0]?.constructorArguments[DOCKER_CONFIG]).toMatchObject({ plaintext: '{"auths":{}}' });
    },
  );

  it("a registry's connection on this machine", async () => {
    await writeFile(join(cwd, ".env"), "TGO_REGISTRYSERVICE=tcp://localhost:5000,127.0.0.1:5001\n", {
      mode: 0o600,
    });
    const { calls } = await tgo("smoke", { cwd });
    expect(calls[0]?.constructorArguments[REGISTRY_SERVICE]).toHaveLength(2);
  });

  it("nothing more than the environment, which may also name commands", async () => {
    await writeFile(join(cwd, ".env"), "TGO_DOCKERCONFIG=cmd:false\n", { mode: 0o600 });
    const env = { TGO_DOCKERCONFIG: `cmd:cat ${cwd}/config.json`, PATH: process.env.PATH ?? "" };
    const { calls, stderr } = await tgo("smoke", { cwd, env });
    expect(calls[0]?.constructorArguments[DOCKER_CONFIG]).toMatchObject({ plaintext: '{"auths":{}}' });
    expect(stderr).not.toContain("ignored");
  });
});
