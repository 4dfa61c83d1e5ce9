import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  conditionalWrites,
  laggingTags,
  stageImage,
  startRegistry,
  startTwin,
  type LocalRegistry,
  type Quirk,
} from "@tgo/testing";
import { digestOf, Registry, type Descriptor } from "../src/index.js";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let registry: LocalRegistry;
beforeAll(async () => {
  registry = await startRegistry({ auth: "none" });
});
afterAll(() => registry.stop());

let images = 0;
async function image(): Promise<{ repository: string; subject: Descriptor }> {
  const repository = `team/image${images++}`;
  const client = new Registry({ host: registry.host });
  await stageImage(client, repository, "v1", [{ platform: "linux/amd64" }]);
  const subject = await client.resolve(repository, "v1");
  if (subject === undefined) throw new Error("not staged");
  return { repository, subject };
}

async function withTwin<T>(quirks: readonly Quirk[], test: (host: string) => Promise<T>): Promise<T> {
  const twin = await startTwin(registry.url, ...quirks);
  try {
    return await test(twin.host);
  } finally {
    await twin.stop();
  }
}

/**
 * Another tool: pushes a referrer, reads the list, takes its time, and writes it without looking again.
 * @returns milliseconds from its read to its write
 */
async function attachNaively(
  host: string,
  name: string,
  of: Awaited<ReturnType<typeof image>>,
): Promise<number> {
  const { repository, subject } = of;
  const api = `http://${host}/v2/${repository}/manifests`;
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: digestOf(bytes("{}")),
    size: 2,
  };
  await new Registry({ host }).putBlob(repository, { ...config, open: () => bytes("{}") });
  const manifest = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: MANIFEST, artifactType: `application/x.${name}` },
    ...{ config, layers: [], subject },
  });
  const digest = digestOf(bytes(manifest));
  const put = async (reference: string, body: string, type: string): Promise<void> => {
    const headers = { "content-type": type };
    expect((await fetch(`${api}/${reference}`, { method: "PUT", body, headers })).status).toBe(201);
  };
  await put(digest, manifest, MANIFEST);
  const tag = subject.digest.replace(":", "-");
  const started = performance.now();
  const read = await fetch(`${api}/${tag}`, { headers: { accept: INDEX } });
  const { manifests } = (read.ok ? await read.json() : { manifests: [] }) as { manifests: object[] };
  await pause(20);
  const entry = {
    mediaType: MANIFEST,
    digest,
    size: manifest.length,
    artifactType: `application/x.${name}`,
    tool: "x",
  };
  await put(
    tag,
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [...manifests, entry] }),
    INDEX,
  );
  return performance.now() - started;
}

/** Artifact types in the list, sorted. */
async function listed({
  repository,
  subject,
}: Awaited<ReturnType<typeof image>>): Promise<(string | undefined)[]> {
  const { value } = await new Registry({ host: registry.host }).manifest(
    repository,
    subject.digest.replace(":", "-"),
  );
  if (!("manifests" in value)) throw new Error("no list");
  return value.manifests.map(({ artifactType }) => artifactType?.replace("application/x.", "")).sort();
}

const OURS = ["a", "b", "c", "d"];
const THEIRS = ["1", "2", "3", "4", "5", "6", "7", "8"];

/**
 * Four runs of ours attach at once, while another tool attaches one referrer after the other.
 * @returns the longest that the other tool took from a read to its write, in milliseconds
 */
async function race(host: string, of: Awaited<ReturnType<typeof image>>): Promise<number> {
  let slowest = 0;
  await Promise.all([
    (async () => {
      for (const name of THEIRS) slowest = Math.max(slowest, await attachNaively(host, name, of));
    })(),
    ...OURS.map((name) =>
      new Registry({ host }).attach(of.repository, of.subject, [
        { type: `application/x.${name}`, content: bytes(name) },
      ]),
    ),
  ]);
  return slowest;
}

describe("Two tools that write one list at the same time", () => {
  it("lose nothing where requests can be conditional", async () => {
    const of = await image();
    await withTwin([conditionalWrites()], (host) => race(host, of));
    expect(await listed(of)).toEqual([...THEIRS, ...OURS]);
  });

  it("lose nothing of ours where they cannot", async () => {
    let of = await image();
    // What takes longer than ours waits for it may overwrite it: a busy machine gets another try.
    for (let tries = 1; (await race(registry.host, of)) > 500 && tries < 4; tries += 1) of = await image();
    expect(await listed(of)).toEqual(expect.arrayContaining(OURS));
  });
});

it("A list that is read as it was, for seconds after a write, loses nothing", async () => {
  const of = await image();
  await withTwin([laggingTags(1500, /^sha256-/)], async (host) => {
    const client = new Registry({ host });
    for (const name of ["a", "b"]) {
      const [attached] = await client.attach(of.repository, of.subject, [
        { type: `application/x.${name}`, content: bytes(name) },
      ]);
      expect(attached?.state).toBe("done");
    }
  });
  expect(await listed(of)).toEqual(["a", "b"]);
});
