import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { buildHash } from "../../../scripts/bundle.mjs";
import { BUILD_HASH } from "../lib/core.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The hash after an edit of one file. */
async function edited(path: string, before: string | RegExp, after: string): Promise<string> {
  const text = await readFile(`${ROOT}${path}`, "utf8");
  const contents = text.replace(before, after);
  if (contents === text) throw new Error(`${path} has no ${String(before)}`);
  return buildHash({ [path]: contents });
}

describe("the hash in a candidate's key", () => {
  let hash: string;
  beforeAll(async () => {
    hash = await buildHash();
  });

  it("is the one of this bundle", () => {
    expect(BUILD_HASH).toBe(hash);
  });

  it.each([
    ["a report's style", "packages/report/src/html/style.ts", /#[0-9a-f]{6}/, "#123456"],
    [
      "an error text of the registry client",
      "packages/registry/src/failures/failure-rules.ts",
      / the /,
      " a ",
    ],
    ["the error class", "packages/errors/src/error.ts", '.join("\\n")', '.join(" ")'],
    ["a release rule", "packages/release-rules/src/gate.ts", /never changes/, "stays"],
    ["a smoke test", "packages/proof/src/smoke-plan.ts", /status: 200/, "status: 204"],
    ["a comment of a builder", "packages/builders/src/build-variants.ts", /^/, "// Edited.\n"],
  ])("stays when %s is edited", async (_, path, before, after) => {
    expect(await edited(path, before, after)).toBe(hash);
  });

  it.each([
    ["a builder", "packages/builders/src/build-request.ts", "315_532_800", "315_532_801"],
    ["a build script", "packages/builders/src/debian/unpack-packages.sh", /$/, "\ntrue\n"],
    ["a container tool", "packages/builders/src/container-tools/hash-tree.ts", '"sha256"', '"sha512"'],
    ["finalising", "packages/image/src/finalise.ts", "schemaVersion: 2", "schemaVersion: 3"],
    ["an annotation", "packages/publishing/src/candidate/annotations.ts", "pipelines.candidate", "candidate"],
  ])("changes when %s is edited", async (_, path, before, after) => {
    expect(await edited(path, before, after)).not.toBe(hash);
  });
});
