import { spawn, spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BOTH_PLATFORMS, MemoryRegistry, serveMemory, stageImage, type RegistryTwin } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const PACKAGE = dirname(fileURLToPath(new URL(".", import.meta.url)));
const NOBODY = 65_534;

let folder: string;
let registry: RegistryTwin;

/** A copy of the command alone, as npm installs it, and a registry with one image. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-without-engine-"));
  await chmod(folder, 0o755);
  // Builds the command if its sources have changed.
  const built = spawnSync(process.execPath, [join(PACKAGE, "bin/tgo.js"), "--version"], { encoding: "utf8" });
  expect(built.stderr).toBe("");
  for (const part of ["bin/tgo.js", "dist", "package.json"])
    await cp(join(PACKAGE, part), join(folder, "command", part), { recursive: true });
  await rm(join(folder, "command/dist/inputs.json"));
  await mkdir(join(folder, "work"));
  await mkdir(join(folder, "path"));
  // As su and setpriv leave it: the home of somebody else.
  await mkdir(join(folder, "home"), { mode: 0o700 });
  for (const name of ["docker", "dagger", "buildah", "git", "ip"])
    await writeFile(join(folder, "path", name), `#!/bin/sh\necho ${name} was started >&2\nexit 1\n`, {
      mode: 0o755,
    });
  const memory = new MemoryRegistry("localhost");
  await stageImage(
    memory.client(),
    "tgoai/tgo-api",
    "1.2.3",
    BOTH_PLATFORMS.map((platform) => ({ platform })),
  );
  registry = await serveMemory(memory);
}, 60_000);

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true });
});

/** Runs it as a user who may write nothing, with programs that only tell that they were started. */
function tgo(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(folder, "command/bin/tgo.js"), ...args], {
    cwd: join(folder, "work"),
    env: { PATH: join(folder, "path"), HOME: join(folder, "home"), NO_COLOR: "1" },
    ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, ...output });
    });
  });
}

const registryFlag = (): string[] => ["--registry", `here=${registry.host}/tgoai/{service}`];

describe("as a user without rights, a home, Docker or an engine", () => {
  it.each([
    ["services", [], /tgo-api/],
    ["plan", ["--service", "tgo-api"], /tgo-api/],
    ["status", ["--service", "tgo-api"], /1\.2\.3/],
    ["prune", ["--service", "tgo-api"], /No registry has candidate/],
    ["verify", ["--service", "tgo-api", "--tag", "1.2.3"], /verified/],
    ["verify", ["--service", "tgo-api", "--tag", "1.2.3", "--elf=false"], /verified/],
  ])("%s %j works", async (name, args, printed) => {
    const { code, stdout, stderr } = await tgo(name, ...registryFlag(), ...args, "--progress", "quiet");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(printed);
  });

  it.each([
    ["verify", ["IMAGE"], /verify ok/],
    ["verify", ["--fast", "IMAGE"], /verify ok/],
    ["inspect", ["IMAGE"], /linux\/arm64/],
    ["tags", ["IMAGE"], /1\.2\.3/],
    ["diff", ["IMAGE", "IMAGE"], /the same/],
    ["combine", ["IMAGE", "--to", "COPY", "--dry-run"], /planned/],
  ])("%s %j works on any reference", async (name, args, printed) => {
    const image = `${registry.host}/tgoai/tgo-api:1.2.3`;
    const given = args.map((arg) => arg.replace("IMAGE", image).replace("COPY", `${registry.host}/copy:1`));
    const { code, stdout, stderr } = await tgo(name, ...given, "--progress", "quiet");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(printed);
  });

  it("verify says that no engine's results are shown", async () => {
    const { stdout } = await tgo(
      ...["verify", "--service", "tgo-api", "--tag", "1.2.3", "--format", "json", ...registryFlag()],
    );
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, engine: "no engine" });
  });

  it("what does need an engine says what is missing", async () => {
    const { code, stderr } = await tgo("smoke", "--service", "tgo-api", ...registryFlag());
    expect(code).toBe(1);
    expect(stderr).toMatch(/local engine's requirements|needs root/);
  });
});
