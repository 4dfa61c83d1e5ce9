import { OCI_LAYER } from "@tgo/registry";
import { streamOf } from "@tgo/testing";
import { expect, test } from "vitest";
import { Directory, filesOf, stackLayer, TreeBudget } from "../src/layers/layer-tree.js";
import { readLayer } from "../src/layers/read-layer.js";
import { ACCEPTED, REFUSED } from "./planted-layers.js";
import { tarEntry } from "./tar-header.js";

/** Every regular file, as {@link ACCEPTED} lists them. */
async function unpack(layers: readonly Buffer[]): Promise<string[]> {
  let merged = new Directory();
  for (const bytes of layers) {
    const { root } = await readLayer({ mediaType: OCI_LAYER, open: () => streamOf(bytes) }, new TreeBudget());
    merged = stackLayer(merged, root);
  }
  return [...filesOf(merged)].map(([path, header]) => (header === undefined ? path : `${path} ELF`)).sort();
}

test.each(ACCEPTED)("$name", async ({ layers, files }) => {
  expect(await unpack(layers)).toEqual(files);
});

test.each(REFUSED)("$name is refused", async ({ layers, why }) => {
  await expect(unpack(layers)).rejects.toThrow(why);
});

test("variants share layers: stacking changes none of them", async () => {
  const read = async (planted: (typeof ACCEPTED)[number]): Promise<Directory[]> =>
    Promise.all(
      planted.layers.map(async (bytes) => {
        const source = { mediaType: OCI_LAYER, open: () => streamOf(bytes) };
        return (await readLayer(source, new TreeBudget())).root;
      }),
    );
  for (const planted of ACCEPTED) {
    const roots = await read(planted);
    const stack = (): string[] =>
      [...filesOf(roots.reduce<Directory>((lower, root) => stackLayer(lower, root), new Directory()))].map(
        ([path]) => path,
      );
    expect(stack()).toEqual(stack());
  }
});

test("the bytes that a layer unpacks to are bounded, for all layers together", async () => {
  const budget = new TreeBudget();
  budget.unpack(64 * 1024 ** 3 - 4096);
  const read = async (): Promise<unknown> =>
    readLayer({ mediaType: OCI_LAYER, open: () => streamOf(Buffer.alloc(2048)) }, budget);
  await read();
  await read();
  await expect(read()).rejects.toThrow("unpacks to more than");
});

test("the memory of a layer is bounded, whether it has many files or long paths", async () => {
  const files = (count: number, prefix: string): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, at) => tarEntry({ name: `${prefix}${at}` })));
  const read = async (bytes: Buffer, budget: number): Promise<unknown> =>
    readLayer({ mediaType: OCI_LAYER, open: () => streamOf(bytes) }, new TreeBudget(budget));
  await expect(read(files(100, ""), 20_000)).resolves.toBeDefined();
  await expect(read(files(200, ""), 20_000)).rejects.toThrow("more files than this program can check");
  await expect(read(files(100, "d/".repeat(40)), 20_000)).rejects.toThrow("more files than");
  await expect(read(files(100, "n".repeat(90)), 20_000)).rejects.toThrow("more files than");
});
