import {
  AARCH64,
  BOTH_PLATFORMS,
  elfObject,
  type ElfSpec,
  MemoryRegistry,
  stageImage,
  type TarEntry,
  X86_64,
} from "@tgo/testing";
import { describe, expect, it } from "vitest";
import { type Verification, verifyImage } from "../src/index.js";

const machineOf = (platform: string): number => (platform === "linux/arm64" ? AARCH64 : X86_64);

/** Verifies an image with these further files in its variants. */
async function verified(
  files: Readonly<Record<string, readonly TarEntry[]>>,
  allowDifferences: readonly string[] = [],
  onBytes: (done: number, total: number) => void = () => undefined,
): Promise<Verification> {
  const registry = new MemoryRegistry("ghcr.io");
  const variants = BOTH_PLATFORMS.map((platform) => ({
    platform,
    layers: [
      [{ path: "lib/ld.so", content: elfObject({ machine: machineOf(platform), soname: "ld.so" }) }],
      [{ path: "app/main.py", content: "print('hello')\n" }, ...(files[platform] ?? [])],
    ],
  }));
  await stageImage(registry.client(), "t/app", "v1", variants);
  return verifyImage({
    targets: [{ name: "ghcr", registry: registry.client(), repository: "t/app", reference: "v1" }],
    platforms: BOTH_PLATFORMS,
    elf: true,
    allowDifferences,
    onBytes,
    machines: {
      "linux/amd64": [{ name: "x86-64-v2", pageSize: 4096, x86Level: 2 }],
      "linux/arm64": [
        { name: "Raspberry Pi 4", pageSize: 4096 },
        { name: "Raspberry Pi 5", pageSize: 16384 },
      ],
    },
  });
}

const elf = (path: string, machine: number, spec: ElfSpec): TarEntry => ({
  path,
  content: elfObject({ machine, interpreter: "/lib/ld.so", ...spec }),
});
const problemsOf = ({ targets }: Verification): unknown[] =>
  targets.flatMap(({ problems }) => problems.map(({ code, what }) => `${code} ${what}`));

describe("verification reads in the layers", () => {
  it("which promised machines cannot load a file", async () => {
    const small = await verified({
      "linux/amd64": [elf("app/tool", X86_64, { properties: { 0xc0008002: 8 } })],
      "linux/arm64": [elf("app/tool", AARCH64, { alignment: 4096 })],
    });
    expect(problemsOf(small).sort()).toEqual([
      "CHECK linux/amd64 contains a file that cannot be loaded on x86-64-v2: /app/tool: it needs x86-64-v4",
      "CHECK linux/arm64 contains a file that cannot be loaded on Raspberry Pi 5: /app/tool: it is aligned for pages of 4 KiB",
    ]);
    const fits = await verified({
      "linux/amd64": [elf("app/tool", X86_64, { alignment: 4096, properties: { 0xc0008002: 2 } })],
      "linux/arm64": [elf("app/tool", AARCH64, { alignment: 16384 })],
    });
    expect(problemsOf(fits)).toEqual([]);
    expect(fits.differences).toEqual([]);
  });

  it("and says how much of them it has read, the shared one once", async () => {
    const told: [number, number][] = [];
    await verified({}, [], (done, total) => told.push([done, total]));
    const [first] = told;
    expect(told.length).toBeGreaterThan(0);
    for (const [done, total] of told) {
      expect(total).toBe(first?.[1]);
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThanOrEqual(total);
    }
  });

  it("what only one platform contains, with sizes and packages", async () => {
    const status = "Package: extra\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n";
    const files = {
      "linux/amd64": [
        { path: "big", content: Buffer.alloc(20 << 20) },
        { path: "var/lib/dpkg/status", content: status },
      ],
      "linux/arm64": [{ path: "var/lib/dpkg/status", content: "" }],
    };
    const { ok, differences } = await verified(files);
    expect(ok).toBe(true);
    expect(differences).toEqual([
      "only linux/amd64 has the Debian package extra 1.0",
      "only linux/amd64 has files: /big (20.0 MiB)",
      expect.stringMatching(/^the files' total sizes are far apart: 20\.0 MiB on linux\/amd64/),
    ]);
    expect((await verified(files, ["extra", "/big"])).differences).toEqual([]);
  });
});
