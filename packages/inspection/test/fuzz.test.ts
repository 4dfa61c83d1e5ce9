import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isTgoError } from "@tgo/errors";
import { isIndex, parseManifestOrIndex } from "@tgo/registry";
import { fuzz, FUZZ_TIMEOUT_MS, MemoryRegistry } from "@tgo/testing";
import { expect, test } from "vitest";
import { importLayout } from "../src/index.js";
import { writeLayout } from "./layout-text.js";

const CORPUS = join(import.meta.dirname, "corpus/layout");
const TAG = { repository: "t/app", tag: "nightly" };

/** All that a layout is refused for is known before the first write; what is imported is whole. */
async function importChanged(text: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-fuzz-"));
  const registry = new MemoryRegistry("ghcr.io");
  try {
    await writeLayout(folder, text);
    const { digest, targets } = await importLayout(folder, [{ registry: registry.client(), ...TAG }]);
    const state = targets[0]?.state;
    if (state !== "done") return state;
    expect(registry.digestAt(TAG.repository, TAG.tag)).toBe(digest);
    const image = parseManifestOrIndex(
      registry.manifests.get(`${TAG.repository} ${TAG.tag}`)?.bytes ?? Buffer.alloc(0),
      "the image",
    );
    for (const child of isIndex(image) ? image.manifests : [])
      expect(registry.manifests.has(`${TAG.repository} ${child.digest}`)).toBe(true);
    return state;
  } catch (error) {
    if (isTgoError(error)) expect(registry.manifests.size + registry.blobs.size).toBe(0);
    throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.each(["image", "single"])("the layout %s can be imported", async (name) => {
  expect(await importChanged(await readFile(join(CORPUS, name), "latin1"))).toBe("done");
});

test(
  "image layout: fuzz",
  () =>
    fuzz({
      name: "image layout",
      corpus: CORPUS,
      words: ['"subject":', '"urls":["https://a/b"],', "@index", "#index", "\n## ", '"size":0', "sha512:"],
      parse: (input) => importChanged(input.toString("latin1")),
    }),
  FUZZ_TIMEOUT_MS,
);
