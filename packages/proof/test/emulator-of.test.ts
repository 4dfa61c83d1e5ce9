import { expect, it } from "vitest";
import { emulatorOf } from "../src/machines/emulator-of.js";

const QEMU =
  "qemu-aarch64 version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1)\nCopyright (c) 2003-2023 Fabrice Bellard\n";

it.each([
  ["a processor of the platform", { exitCode: 32 + 12, stdout: "", stderr: "" }, undefined],
  ["an emulator that tells its version", { exitCode: 0, stdout: QEMU, stderr: "" }, "QEMU 8.2.2"],
  ["an emulator that tells none", { exitCode: 0, stdout: "", stderr: "" }, "QEMU"],
  ["nothing", { exitCode: 126, stdout: "", stderr: "exec format error" }, undefined],
])("what runs on %s is told", async (_, answer, emulator) => {
  const asked: unknown[] = [];
  const probe = (platform: string, env: object): Promise<typeof answer> => {
    asked.push([platform, env]);
    return Promise.resolve(answer);
  };
  expect(await emulatorOf(probe, "linux/arm64")).toBe(emulator);
  expect(asked).toEqual([["linux/arm64", { QEMU_VERSION: "1" }]]);
});
