import type { BuildContext, Variant } from "@tgo/builders";
import { describe, expect, it } from "vitest";
import { checkVariant } from "../src/check-variant.js";

type Foreign = readonly { readonly path: string; readonly machine: string; readonly package?: string }[];

/** Checks a variant in which the container tools find these files. */
function check(foreign: Foreign): Promise<unknown> {
  const tools = {
    withNewFile: () => tools,
    withMountedDirectory: () => tools,
    withExec: () => tools,
    stdout: () => Promise.resolve(JSON.stringify({ files: 9, elf: 3, foreign })),
  };
  const context = {
    bases: { container: () => Promise.resolve(tools) },
    catalog: { machines: { "linux/arm64": [] } },
  } as unknown as BuildContext;
  const container = {
    platform: () => Promise.resolve("linux/arm64"),
    envVariable: () => Promise.resolve(undefined),
    rootfs: () => ({}),
  };
  return checkVariant(context, "py", { platform: "linux/arm64", container } as unknown as Variant, []);
}

const OWN = { path: "/app/own.so", machine: "x86-64" };
const WHEEL = { path: "/site-packages/np/_f.so", machine: "x86-64", package: "np 1.0.0 (python)" };
const DATA = "If they are only data, list them in allowForeign of the service in tgo.catalog.json.";
const SOURCE = "Remove them from the source, or build them for each platform.";
const LOCK =
  "Choose another version of np 1.0.0 (python), or one that is built for linux/arm64: a package for every machine must not have programs for one.";

describe("files for another machine", () => {
  it.each<[string, Foreign, string]>([
    ["of the source", [OWN], `${SOURCE} ${DATA}`],
    ["of a package", [WHEEL, { ...WHEEL, path: "/site-packages/np/_g.so" }], `${LOCK} ${DATA}`],
    ["of both", [OWN, WHEEL], `${LOCK} ${SOURCE} ${DATA}`],
  ])("%s are named, with the remedy for them", async (_, foreign, remedy) => {
    await expect(check(foreign)).rejects.toMatchObject({ code: "CHECK", remedy });
  });

  it("are listed with their package", async () => {
    await expect(check([OWN, WHEEL])).rejects.toMatchObject({
      what: [
        "2 files of the linux/arm64 variant of py are for another architecture:",
        "  /app/own.so (x86-64)",
        "  /site-packages/np/_f.so (x86-64) of np 1.0.0 (python)",
      ].join("\n"),
    });
  });
});
