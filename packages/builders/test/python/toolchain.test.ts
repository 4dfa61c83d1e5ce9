import { describe, expect, it } from "vitest";
import { combineToolchains, toolchain } from "../../src/python/toolchain.js";

describe("the compiler of a package", () => {
  it("is the native one for the host platform", () => {
    expect(toolchain("linux/arm64", "linux/arm64", ["c"], ["libpq-dev"])).toMatchObject({
      prefix: "",
      compilers: ["gcc", "libc6-dev", "libpq-dev"],
    });
  });

  it("is a cross compiler for another platform, in both directions", () => {
    expect(toolchain("linux/amd64", "linux/arm64", ["c"], [])).toMatchObject({
      prefix: "aarch64-linux-gnu-",
      compilers: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
    });
    expect(toolchain("linux/arm64", "linux/amd64", ["c", "c++"], [])).toMatchObject({
      prefix: "x86_64-linux-gnu-",
      compilers: ["gcc-x86-64-linux-gnu", "g++-x86-64-linux-gnu", "libc6-dev-amd64-cross"],
    });
  });

  it("is installed next to the native one if something is compiled for both platforms", () => {
    const chains = (["linux/amd64", "linux/arm64"] as const).map((target) =>
      toolchain("linux/amd64", target, ["c"], ["libpq-dev"]),
    );
    const compilers = ["gcc", "libc6-dev", "libpq-dev", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"];
    expect(combineToolchains(chains)).toMatchObject([
      { target: "linux/amd64", prefix: "", compilers, hostHeaders: true },
      { target: "linux/arm64", prefix: "aarch64-linux-gnu-", compilers, hostHeaders: true },
    ]);
    expect(combineToolchains(chains.slice(1))).toMatchObject([{ hostHeaders: false }]);
  });
});
