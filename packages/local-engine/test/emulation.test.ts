import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { emulationProblem, emulatorOf, hostPlatform } from "../src/emulation.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A stand-in for the mounted binfmt_misc. */
function binfmt(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tgo-binfmt-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe("emulation", () => {
  it("cannot be told where binfmt_misc is not mounted, which is not taken for missing emulation", () => {
    const folder = binfmt({});
    expect(emulationProblem("linux/imaginary", folder)).toMatchObject({
      code: "ENVIRONMENT",
      what: expect.stringContaining(
        "binfmt_misc, where the kernel lists its emulators, is not mounted",
      ) as string,
      where: folder,
      remedy: `mountpoint -q ${folder} || mount -t binfmt_misc binfmt_misc ${folder}`,
    });
  });

  it("that is disabled as a whole is enabled by one command", () => {
    // The kernel goes on to call each of them enabled.
    const qemu = "enabled\ninterpreter /usr/bin/qemu\nflags: F\noffset 0\nmagic 7f454c46imaginary\n";
    const folder = binfmt({ status: "disabled\n", qemu });
    expect(emulationProblem("linux/imaginary", folder)).toMatchObject({
      remedy: `echo 1 > ${folder}/status`,
    });
  });

  it("counts when it is enabled and loaded at its registration", () => {
    const entry = (state: string, flags: string): string =>
      `${state}\ninterpreter /usr/bin/qemu\nflags: ${flags}\noffset 0\nmagic 7f454c46imaginary\n`;
    for (const [state, flags, works] of [
      ["enabled", "OCF", true],
      ["disabled", "OCF", false],
      ["enabled", "OC", false],
    ] as const) {
      const folder = binfmt({ status: "enabled\n", qemu: entry(state, flags) });
      expect(emulationProblem("linux/imaginary", folder) === undefined).toBe(works);
    }
  });

  it("without the flag F is told, with its interpreter and how to register it again; without the fault it runs", () => {
    const entry = (flags: string): string =>
      `enabled\ninterpreter /usr/bin/qemu\nflags: ${flags}\noffset 0\nmagic 7f454c46imaginary\n`;
    const folder = binfmt({ status: "enabled\n", qemu: entry("OC") });
    expect(emulationProblem("linux/imaginary", folder)).toMatchObject({
      what: expect.stringContaining("without the flag F") as string,
      where: "/usr/bin/qemu",
      remedy: expect.stringContaining("update-binfmts --disable qemu-imaginary") as string,
    });
    expect(
      emulationProblem("linux/imaginary", binfmt({ status: "enabled\n", qemu: entry("F") })),
    ).toBeUndefined();
    expect(emulatorOf(hostPlatform(), folder)).toBeUndefined();
  });

  it("is not needed for this machine's platform", () => {
    expect(emulationProblem(hostPlatform())).toBeUndefined();
  });

  it("that is missing is reported with the commands that register it", () => {
    const problem = emulationProblem("linux/imaginary", binfmt({ status: "enabled\n" }));
    expect(problem).toMatchObject({
      code: "ENVIRONMENT",
      what: "this machine cannot run linux/imaginary programs: no emulation is registered",
    });
    expect(problem?.remedy).toContain("apt-get install -y qemu-user-static");
  });
});
