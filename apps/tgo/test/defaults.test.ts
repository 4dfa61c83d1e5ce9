import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tgo } from "./fixture.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-defaults-"));
  await mkdir(join(folder, "inner"));
  await writeFile(join(folder, "mine.json"), "{}");
  await writeFile(join(folder, "inner", "flag.json"), "{}");
});
afterAll(() => rm(folder, { recursive: true }));

const CATALOG = 0;
const REGISTRY = 1;
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
      const { calls } = await tgo("services", { cwd: folder, env: { [name]: "env:CONFIG", CONFIG: config } });
      expect(calls[0]?.constructorArguments[DOCKER_CONFIG]).toEqual({
        secret: "dockerConfig",
        plaintext: config,
      });
    },
  );

  it("are overridden by the flag", async () => {
    const { calls } = await tgo("services --catalog flag.json", {
      cwd: join(folder, "inner"),
      env: { TGO_CATALOG: "missing.json" },
    });
    expect(calls[0]?.constructorArguments[CATALOG]).toEqual({ file: join(folder, "inner", "flag.json") });
  });

  it("are named in errors, instead of the flag", async () => {
    const { code, stderr } = await tgo("services", { cwd: folder, env: { TGO_CATALOG: "missing.json" } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no such file \(TGO_CATALOG\)/);
  });

  it("without a flag of that name are ignored", async () => {
    expect((await tgo("services", { cwd: folder, env: { TGO_VERSION: "1", TGO_SERVICE: "x" } })).code).toBe(
      0,
    );
  });
});

describe("a .env file", () => {
  it("is found above the current folder, expands variables, and is overridden by the environment", async () => {
    await writeFile(
      join(folder, ".env"),
      "# of another program\nDATABASE=postgres://$x\nexport TGO_CATALOG=$WHERE/mine.json\nTGO_PLATFORM='linux/arm64'\n",
    );
    const env = { WHERE: folder, TGO_PLATFORM: "linux/amd64" };
    const { calls } = await tgo("services", { cwd: join(folder, "inner"), env });
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

  it("expands nothing in single quotes, and does not treat a # inside a word as a comment, like a shell", async () => {
    await writeFile(
      join(folder, ".env"),
      "TGO_PLATFORM='$WHERE'\nTGO_REGISTRY=a.example/x#1,${WHERE} # one\nTGO_CATALOG=\"$WHERE/mine.json\"\n",
    );
    const { calls } = await tgo("services", { cwd: folder, env: { WHERE: folder } });
    expect(calls[0]?.constructorArguments[PLATFORM]).toEqual(["$WHERE"]);
    expect(calls[0]?.constructorArguments[REGISTRY]).toEqual(["a.example/x#1", folder]);
    expect(calls[0]?.constructorArguments[CATALOG]).toEqual({ file: join(folder, "mine.json") });
  });
});
