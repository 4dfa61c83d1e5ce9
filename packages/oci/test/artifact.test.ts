import { expect, test } from "vitest";
import { attachArtifact, digestOf, type Descriptor } from "../src/index.js";
import { failure, refusal } from "./fake.js";
import { stage } from "./images.js";
import { MemoryRegistry } from "./memory-registry.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function image(memory: MemoryRegistry): Promise<{
  subject: Descriptor;
  place: { registry: ReturnType<MemoryRegistry["client"]>; repository: string };
}> {
  const registry = memory.client();
  await stage(registry, "a/b", "v1", [{ platform: "linux/amd64" }]);
  const subject = await registry.resolve("a/b", "v1");
  if (subject === undefined) throw new Error("not staged");
  return { subject, place: { registry, repository: "a/b" } };
}

test("a document is put beside its image, and found by the image's digest", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  const first = await attachArtifact(place, subject, { type: "application/x.one", content: bytes("1") });
  const second = await attachArtifact(place, subject, { type: "application/x.two", content: bytes("2") });
  const { value } = await place.registry.manifest("a/b", first);
  expect(value).toMatchObject({
    config: { mediaType: "application/vnd.oci.empty.v1+json", size: 2 },
    layers: [{ mediaType: "application/x.one", digest: digestOf(bytes("1")), size: 1 }],
  });
  const { value: list } = await place.registry.manifest("a/b", subject.digest.replace(":", "-"));
  expect(list).toMatchObject({
    manifests: [
      { digest: first, artifactType: "application/x.one" },
      { digest: second, artifactType: "application/x.two" },
    ],
  });
});

test("the same document again changes nothing", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  const attach = (): Promise<string> =>
    attachArtifact(place, subject, { type: "application/x", content: bytes("1") });
  const first = await attach();
  const before = [...memory.manifests.keys()];
  expect(await attach()).toBe(first);
  expect([...memory.manifests.keys()]).toEqual(before);
});

test("a registry that lists referrers itself gets no tag", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  memory.intercept = (asked) => {
    if (asked.method !== "PUT" || !asked.url.pathname.includes("/manifests/")) return undefined;
    memory.answer(asked);
    return new Response(null, { status: 201, headers: { "oci-subject": subject.digest } });
  };
  await attachArtifact(place, subject, { type: "application/x", content: bytes("1") });
  expect(memory.held("a/b", subject.digest.replace(":", "-"))).toBeUndefined();
});

test("a registry that takes no artifacts says so", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  memory.intercept = ({ method, body }) =>
    method === "PUT" && body.includes("vnd.oci.empty")
      ? refusal(403, "DENIED", "unknown manifest class for application/vnd.oci.empty.v1+json")
      : undefined;
  const error = await failure(attachArtifact(place, subject, { type: "application/x", content: bytes("1") }));
  expect(error).toMatchObject({ code: "DENIED" });
});
