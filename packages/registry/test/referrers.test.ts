import { expect, test } from "vitest";
import { attachArtifact, digestOf, type AttachResult, type Descriptor } from "../src/index.js";
import { rejection, errorResponse, stageImage, MemoryRegistry } from "@tgo/testing";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function image(memory: MemoryRegistry): Promise<{
  subject: Descriptor;
  place: { registry: ReturnType<MemoryRegistry["client"]>; repository: string };
}> {
  const registry = memory.client();
  await stageImage(registry, "a/b", "v1", [{ platform: "linux/amd64" }]);
  const subject = await registry.resolve("a/b", "v1");
  if (subject === undefined) throw new Error("not staged");
  return { subject, place: { registry, repository: "a/b" } };
}

test("a document is attached to its image, and found by the image's digest", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  const { digest: first } = await attachArtifact(place, subject, {
    type: "application/x.one",
    content: bytes("1"),
  });
  const { digest: second } = await attachArtifact(place, subject, {
    type: "application/x.two",
    content: bytes("2"),
  });
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
  const attach = (): Promise<AttachResult> =>
    attachArtifact(place, subject, { type: "application/x", content: bytes("1") });
  const first = await attach();
  expect(first.state).toBe("done");
  const before = [...memory.manifests.keys()];
  memory.received.length = 0;
  expect(await attach()).toEqual({ digest: first.digest, state: "already there" });
  expect([...memory.manifests.keys()]).toEqual(before);
  expect([...memory.requests("PUT"), ...memory.requests("POST")]).toEqual([]);
});

test("a document that exists but is not listed, because the run was killed in between, gets listed", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  const artifact = { type: "application/x", content: bytes("1") };
  const tag = subject.digest.replace(":", "-");
  const { digest } = await attachArtifact(place, subject, artifact);
  memory.manifests.delete(`a/b ${tag}`);
  expect(await attachArtifact(place, subject, artifact)).toEqual({ digest, state: "done" });
  expect((await place.registry.manifest("a/b", tag)).value).toMatchObject({ manifests: [{ digest }] });
});

test("a registry that lists referrers itself gets no tag", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  memory.intercept = (request) => {
    if (request.method !== "PUT" || !request.url.pathname.includes("/manifests/")) return undefined;
    memory.respond(request);
    return new Response(null, { status: 201, headers: { "oci-subject": subject.digest } });
  };
  const attach = (): Promise<AttachResult> =>
    attachArtifact(place, subject, { type: "application/x", content: bytes("1") });
  expect((await attach()).state).toBe("done");
  expect((await attach()).state).toBe("already there");
  expect(memory.digestAt("a/b", subject.digest.replace(":", "-"))).toBeUndefined();
});

test("a registry that accepts no artifacts is an error", async () => {
  const memory = new MemoryRegistry("example.test");
  const { subject, place } = await image(memory);
  memory.intercept = ({ method, body }) =>
    method === "PUT" && body.includes("vnd.oci.empty")
      ? errorResponse(403, "DENIED", "unknown manifest class for application/vnd.oci.empty.v1+json")
      : undefined;
  const error = await rejection(
    attachArtifact(place, subject, { type: "application/x", content: bytes("1") }),
  );
  expect(error).toMatchObject({ code: "DENIED" });
});
