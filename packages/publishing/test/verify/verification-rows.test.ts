import { applyOverride } from "@tgo/catalog";
import type { Verification } from "@tgo/image";
import { expect, it } from "vitest";
import { variantRows } from "../../src/verify/verification-rows.js";

const { machines } = applyOverride({ services: {} });
const context = { platforms: ["linux/arm64"] as const, catalog: { machines } };
const PI_5 = "Raspberry Pi 5 (16 KiB pages)";

/** @param loaded whether something loads the library with small pages; undefined without such a library */
function verification(loaded?: boolean): Verification {
  const misfit = {
    path: "/usr/lib/libsmall.so.1",
    machines: [PI_5],
    why: "it is aligned for pages of 4 KiB",
    package: "libsmall1 1.0-1 (dpkg)",
  };
  const elf = {
    files: 2,
    elf: 2,
    machines: { aarch64: 2 },
    foreign: [],
    links: { roots: 1, libraries: 1, failures: [], notes: [] },
    misfits: loaded === undefined ? [] : [{ ...misfit, loaded }],
  };
  const variant = { platform: "linux/arm64", digest: "sha256:1", configDigest: "sha256:2", size: 3 };
  return {
    ok: true,
    digest: "sha256:0",
    targets: [],
    checks: [],
    variants: [{ ...variant, architecture: "arm64", labels: {}, elf }],
    annotations: {},
  };
}

const proof = {
  platform: "linux/arm64",
  files: 2,
  elf: 2,
  machines: [
    { name: "Raspberry Pi 4", state: "ok" },
    { name: PI_5, state: "ok" },
  ],
} as const;

it("shows the promised machines of a proof, and which the verified image's own files keep out", () => {
  const rowsOf = (loaded?: boolean): unknown =>
    variantRows(context, verification(loaded), () => ({ proof, recorded: true }))[0]?.machines;
  expect(rowsOf()).toEqual(proof.machines);
  expect(rowsOf(false)).toEqual(proof.machines);
  expect(rowsOf(true)).toEqual([
    { name: "Raspberry Pi 4", state: "ok" },
    {
      name: PI_5,
      state: "failed",
      told: "/usr/lib/libsmall.so.1 of libsmall1 1.0-1 (dpkg): it is aligned for pages of 4 KiB",
    },
  ]);
});

it("without a proof says that no machine is proven, but not of an image whose files were not read", () => {
  const states = (verified: Verification): unknown =>
    variantRows(context, verified, () => undefined)[0]?.machines?.map(({ state }) => state);
  expect(states(verification(true))).toEqual(["not proven", "failed", "not proven", "not proven"]);
  const [variant] = verification().variants;
  if (variant === undefined) throw new Error("one variant");
  const { elf, ...unread } = variant;
  expect(elf).toBeDefined();
  expect(states({ ...verification(), variants: [unread] })).toBeUndefined();
});
