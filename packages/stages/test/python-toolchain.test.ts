import { describe, expect, it } from "vitest";
import { toolchain } from "../src/build/python/toolchain.js";

describe("the compiler of a package", () => {
  it("is the machine's own for its own platform", () => {
    expect(toolchain("linux/arm64", "linux/arm64", ["c"], ["libpq-dev"])).toMatchObject({
      prefix: "",
      compilers: ["gcc", "libc6-dev", "libpq-dev"],
    });
  });

  it("is a cross compiler for the other one, in both directions", () => {
    expect(toolchain("linux/amd64", "linux/arm64", ["c"], [])).toMatchObject({
      prefix: "aarch64-linux-gnu-",
      compilers: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
    });
    expect(toolchain("linux/arm64", "linux/amd64", ["c", "c++"], [])).toMatchObject({
      prefix: "x86_64-linux-gnu-",
      compilers: ["gcc-x86-64-linux-gnu", "g++-x86-64-linux-gnu", "libc6-dev-amd64-cross"],
    });
  });
});
