import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyOverride, type Machine, type Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { describe, expect, it } from "vitest";
import { TimedOut } from "../src/limited-run.js";
import { levelName, machineProofs } from "../src/machines/machine-proof.js";
import { probeProgram, seenMachine } from "../src/machines/probe-program.js";
import { runMachine, weakestMachine, type Probe, type Variables } from "../src/machines/run-machine.js";
import { weakMachineFailure } from "../src/machines/weak-machine-failure.js";

const { machines } = applyOverride({ services: {} });
const ARM = machines["linux/arm64"];
const EMULATED = { platform: "linux/arm64", emulated: true } as const;
const ALL = { QEMU_CPU: "cortex-a72", QEMU_PAGESIZE: "16384" };

/** An emulator: the level and the page size that programs see, by its variables. */
function emulator(see: (env: Variables) => { level: number; pageSize: number } | string): Probe {
  return (_, env) => {
    const seen = see(env);
    return Promise.resolve(
      typeof seen === "string"
        ? { exitCode: 1, stderr: `warning\n${seen}\n` }
        : { exitCode: Math.log2(seen.pageSize) + 32 * seen.level, stderr: "" },
    );
  };
}

const stateOf = (
  platform: Platform,
  promised: readonly Machine[],
  run: Parameters<typeof machineProofs>[2],
): string[] =>
  machineProofs(platform, promised, run).map(({ name, state, told }) =>
    [name, state, told].filter(Boolean).join(" | "),
  );

describe("the machine probe", () => {
  it("tells this machine's page size and its processor's level", () => {
    const platform: Platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
    const folder = mkdtempSync(join(tmpdir(), "tgo-probe-"));
    try {
      const file = join(folder, "probe");
      writeFileSync(file, probeProgram(platform), { mode: 0o755 });
      const { status } = spawnSync(file);
      const pages = spawnSync("getconf", ["PAGESIZE"], { encoding: "utf8" }).stdout.trim();
      expect(seenMachine(platform, status ?? -1)).toMatchObject({ pageSize: Number(pages) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each<[Platform, number, unknown]>([
    ["linux/arm64", 12, { level: 0, pageSize: 4096 }],
    ["linux/arm64", 32 + 14, { level: 1, pageSize: 16384 }],
    ["linux/arm64", 64 + 16, { level: 2, pageSize: 65536 }],
    ["linux/amd64", 12, { level: 1, pageSize: 4096 }],
    ["linux/amd64", 96 + 12, { level: 4, pageSize: 4096 }],
    ["linux/arm64", 0, undefined],
    ["linux/arm64", 1, undefined],
    ["linux/arm64", 126, undefined],
    ["linux/arm64", 127, undefined],
    ["linux/arm64", 132, undefined],
    ["linux/arm64", 139, undefined],
  ])("%s: exit code %d", (platform, exitCode, seen) => {
    expect(seenMachine(platform, exitCode)).toEqual(seen);
  });
});

describe("the machine of a smoke run", () => {
  it("is the weakest under emulation: fewest instructions, largest pages", async () => {
    expect(weakestMachine("linux/arm64", ARM)).toEqual({ level: 0, qemu: "cortex-a72", pageSize: 16384 });
    const probe = emulator((env) =>
      env.QEMU_CPU === "cortex-a72"
        ? { level: 0, pageSize: Number(env.QEMU_PAGESIZE) }
        : { level: 2, pageSize: 4096 },
    );
    const run = await runMachine(probe, EMULATED, ARM);
    expect(run).toEqual({ env: ALL, seen: { level: 0, pageSize: 16384 } });
    expect(stateOf("linux/arm64", ARM, run)).toEqual([
      "Raspberry Pi 4 | ok",
      "Raspberry Pi 5 (16 KiB pages) | ok",
      "AWS Graviton2 | ok",
      "Apple silicon | ok",
    ]);
  });

  it("has no variable natively, and proves what is not weaker than itself", async () => {
    const asked: Variables[] = [];
    const probe: Probe = (_, env) => {
      asked.push(env);
      return Promise.resolve({ exitCode: 12 + 64, stderr: "" });
    };
    const run = await runMachine(probe, { platform: "linux/arm64", emulated: false }, ARM);
    expect(asked).toEqual([{}]);
    expect(run.env).toEqual({});
    expect(stateOf("linux/arm64", ARM, run)).toEqual([
      "Raspberry Pi 4 | not proven | it ran on a stronger processor, Armv8.2",
      "Raspberry Pi 5 (16 KiB pages) | not proven | it ran with pages of 4 KiB",
      "AWS Graviton2 | ok",
      "Apple silicon | ok",
    ]);
    const x86 = { env: {}, seen: { level: 4, pageSize: 4096 } };
    expect(stateOf("linux/amd64", machines["linux/amd64"], x86)).toEqual([
      "x86-64-v2 PCs and servers | not proven | it ran on a stronger processor, x86-64-v4",
    ]);
    expect(levelName("linux/arm64", 0)).toBe("Armv8.0");
  });

  it("is the emulator's own where it does not know the processor, which is told and no failure", async () => {
    const probe = emulator((env) =>
      env.QEMU_CPU === undefined
        ? { level: 2, pageSize: 4096 }
        : "qemu: unable to find CPU model 'cortex-a72'",
    );
    const run = await runMachine(probe, EMULATED, ARM);
    expect(run.env).toEqual({});
    expect(stateOf("linux/arm64", ARM, run)).toContain(
      "Raspberry Pi 4 | not proven | the emulator takes no QEMU_CPU=cortex-a72 (qemu: unable to find CPU model 'cortex-a72')",
    );
    expect(stateOf("linux/arm64", ARM, run)).toContain("AWS Graviton2 | ok");
  });

  it("leaves out what an emulator ignores: newer QEMU has one page size, Rosetta one processor", async () => {
    const pages = await runMachine(
      emulator((env) => ({ level: env.QEMU_CPU === undefined ? 2 : 0, pageSize: 4096 })),
      EMULATED,
      ARM,
    );
    expect(pages.env).toEqual({ QEMU_CPU: "cortex-a72" });
    expect(stateOf("linux/arm64", ARM, pages)).toEqual([
      "Raspberry Pi 4 | ok",
      "Raspberry Pi 5 (16 KiB pages) | not proven | the emulator does not set the page size (QEMU_PAGESIZE)",
      "AWS Graviton2 | ok",
      "Apple silicon | ok",
    ]);
    const none = await runMachine(
      emulator(() => ({ level: 2, pageSize: 4096 })),
      EMULATED,
      ARM,
    );
    expect(none.env).toEqual({});
    expect(stateOf("linux/arm64", ARM, none)[0]).toContain(
      "the emulator does not set the processor (QEMU_CPU) nor the page size",
    );
  });

  it("is unknown where the probe does not run", async () => {
    const run = await runMachine(() => Promise.reject(new Error("exec format error")), EMULATED, ARM);
    expect(run).toMatchObject({ env: {}, seen: undefined });
    expect(stateOf("linux/arm64", ARM, run)[3]).toContain("Apple silicon | not proven");
  });

  it("of no promised machine is as the engine has it", async () => {
    const probe = emulator((env) => ({ level: "QEMU_CPU" in env ? 0 : 2, pageSize: 4096 }));
    expect(await runMachine(probe, EMULATED, [])).toEqual({ env: {}, seen: { level: 2, pageSize: 4096 } });
  });
});

describe("a smoke run that fails on the weakest machine", () => {
  const failed = (what: string): TgoError =>
    new TgoError("SMOKE", what, { where: "api linux/arm64", remedy: "x" });

  /** Fails where `needs` says so. @returns the thrown error, and the variables of the further runs */
  async function diagnose(
    fails: (env: Variables) => boolean,
    error: unknown = failed("./app failed\n  | Illegal instruction"),
  ): Promise<{ error: unknown; runs: Variables[] }> {
    const runs: Variables[] = [];
    const again = (env: Variables): Promise<unknown> => {
      runs.push(env);
      return fails(env) ? Promise.reject(failed("it fails everywhere")) : Promise.resolve();
    };
    return {
      error: await weakMachineFailure({ platform: "linux/arm64", machines: ARM, env: ALL, again }, error),
      runs,
    };
  }

  it("for its instructions names the machines that lack them, what failed, and what to build", async () => {
    const { error, runs } = await diagnose((env) => "QEMU_CPU" in env);
    expect(error).toMatchObject({
      code: "SMOKE",
      where: "api linux/arm64",
      what: "does not run on Raspberry Pi 4: it uses instructions that Armv8.0 lacks. ./app failed\n  | Illegal instruction",
      remedy: expect.stringMatching(/-march=armv8-a[^]*leave it out of machines\["linux\/arm64"\]/) as string,
    });
    expect(runs).toEqual([{}, { QEMU_CPU: "cortex-a72" }]);
  });

  it("for its pages names the machines with larger ones", async () => {
    const { error } = await diagnose((env) => "QEMU_PAGESIZE" in env);
    expect(error).toMatchObject({
      what: expect.stringMatching(
        /^does not run on Raspberry Pi 5 \(16 KiB pages\): it does not run with pages of 16 KiB\./,
      ) as string,
      remedy: expect.stringContaining("max-page-size=65536") as string,
    });
  });

  it("and on any other is the image's own failure", async () => {
    const { error, runs } = await diagnose(() => true);
    expect(error).toMatchObject({ what: "it fails everywhere" });
    expect(runs).toEqual([{}]);
  });

  it.each([
    ["took all its time", new TgoError("SMOKE", "sleep did not end", { cause: new TimedOut(undefined) })],
    ["is the machine's own lack", new TgoError("ENVIRONMENT", "the disk is full")],
    ["was interrupted", new Error("aborted")],
  ])("is not repeated when it %s", async (_, original) => {
    expect(await diagnose(() => false, original)).toEqual({ error: original, runs: [] });
  });
});
