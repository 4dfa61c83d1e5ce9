import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BuildContext } from "@tgo/builders";
import { applyOverride, type Catalog, type Service } from "@tgo/catalog";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ProofStore, type VariantProof } from "../src/index.js";

const execute = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-proofs-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** An engine whose containers run their commands on this machine, with the folder as the cache volume. */
function fakeContext(machines: Catalog["machines"]): BuildContext {
  const container = {
    withNewFile: () => container,
    withMountedCache: () => container,
    withEnvVariable: () => container,
    withExec: ([program = "", flag = "", script = "", , ...args]: string[]) => ({
      stdout: async () => (await execute(program, [flag, script, folder, ...args])).stdout,
    }),
  };
  const context = {
    bases: { container: () => Promise.resolve(container) },
    client: { cacheVolume: () => undefined },
    catalog: { machines },
    native: "linux/amd64",
  };
  return context as unknown as BuildContext;
}

function serviceOf(fields: object): Service {
  const { service } = applyOverride({
    services: { service: { title: "X", build: { strategy: "python" }, ...fields } },
  }).services;
  if (service === undefined) throw new Error("no service");
  return service;
}

const { machines } = applyOverride({ services: {} });
const context = fakeContext(machines);
const service = serviceOf({});
const manifest = `sha256:${"a".repeat(64)}`;
const proof: VariantProof = { platform: "linux/amd64", files: 10, elf: 2 };

it("runs the README's example", async () => {
  const store = new ProofStore(context);
  await store.write(service, new Map([[manifest, proof]]));
  const { proofs } = await store.read(service, [manifest]);

  expect(proofs).toEqual(new Map([[manifest, proof]]));
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});

it("returns no proof for another manifest, or for a definition with other tests", async () => {
  const store = new ProofStore(context);
  await store.write(service, new Map([[manifest, proof]]));
  const nothing = { proofs: new Map(), built: undefined };
  expect(await store.read(service, [`sha256:${"b".repeat(64)}`])).toEqual(nothing);
  expect(await store.read(serviceOf({ smoke: { exec: [["true"]] } }), [manifest])).toEqual(nothing);
});

it("returns no proof where other machines are promised", async () => {
  await new ProofStore(context).write(service, new Map([[manifest, proof]]));
  const fewer = new ProofStore(fakeContext({ ...machines, "linux/arm64": [] }));
  expect((await fewer.read(service, [manifest])).proofs).toEqual(new Map());
});

it("knows what it built for a candidate, whatever the tests, and nothing of another candidate", async () => {
  const store = new ProofStore(context);
  const index = `sha256:${"c".repeat(64)}`;
  await store.write(service, new Map([[manifest, proof]]), { candidate: "candidate-1", index });
  const other = serviceOf({ smoke: { exec: [["true"]] } });
  expect(await store.read(other, [manifest], "candidate-1")).toEqual({ proofs: new Map(), built: index });
  expect((await store.read(service, [], "candidate-2")).built).toBeUndefined();
});
