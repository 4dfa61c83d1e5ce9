import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import {
  addQuirks,
  aroundWrites,
  conditionalWrites,
  IMMUTABLE_TAG_REFUSALS,
  immutableTags,
  laggingTags,
  listTagIsDigest,
  listTagType,
  MemoryRegistry,
  referrersAnswer,
  referrersApi,
  REFERRERS_PAGE,
  REFERRERS_REDIRECT,
  slow,
  subjectHeader,
  type Quirk,
} from "../src/index.js";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const IMAGE = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] });
const SUBJECT = digestOf(IMAGE);
const LIST_TAG = SUBJECT.replace(":", "-");

/** An artifact's manifest; without a subject, an image's. */
const artifact = (name: string, subject: string | undefined = SUBJECT): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: `application/x.${name}`,
    layers: [],
    annotations: { name },
    ...(subject === "" ? {} : { subject: { digest: subject } }),
  });

let memory: MemoryRegistry;

function registryWith(...quirks: readonly Quirk[]): void {
  memory = new MemoryRegistry("example.test");
  addQuirks(memory, ...quirks);
}
beforeEach(() => {
  registryWith();
});

function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  return memory.fetch(`https://example.test/v2/a/b/${path}`, { method, ...init });
}
const put = (reference: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  send("PUT", `manifests/${reference}`, { body, headers: { "content-type": MANIFEST, ...headers } });
const get = async (reference: string): Promise<string> =>
  (await send("GET", `manifests/${reference}`)).text();
const attach = (name: string): Promise<Response> => put(digestOf(artifact(name)), artifact(name));

async function listed(path = `referrers/${SUBJECT}`): Promise<{ names: string[]; next: string | undefined }> {
  const response = await send("GET", path);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, INDEX]);
  const { manifests } = (await response.json()) as { manifests: { artifactType: string }[] };
  const [, next] = /^<\/v2\/a\/b\/(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "") ?? [];
  return { names: manifests.map(({ artifactType }) => artifactType.slice("application/x.".length)), next };
}

describe("An immutable tag", () => {
  it.each(Object.entries(IMMUTABLE_TAG_REFUSALS))(
    "is refused in the words of %s",
    async (name, { status, code, message }) => {
      registryWith(immutableTags(name as keyof typeof IMMUTABLE_TAG_REFUSALS));
      expect((await put("v1", artifact("x"))).status).toBe(201);
      const refused = await put("v1", artifact("y"));
      expect([refused.status, await refused.json()]).toEqual([status, { errors: [{ code, message }] }]);
      // Not even the same again: Docker Hub.
      expect((await put("v1", artifact("x"))).status).toBe(status);
      expect(await get("v1")).toBe(artifact("x"));
    },
  );

  it("is one that matches; digests are none", async () => {
    registryWith(immutableTags("acr", /^v/));
    for (const reference of ["latest", digestOf(artifact("x"))]) {
      expect((await put(reference, artifact("x"))).status).toBe(201);
      expect((await put(reference, artifact("x"))).status).toBe(201);
    }
  });
});

describe("A lagging tag", () => {
  it("is read as it was before its last write, for a while", async () => {
    registryWith(laggingTags(80, /^v/));
    await put("v1", artifact("x"));
    expect((await send("GET", "manifests/v1")).status).toBe(404);
    expect((await send("HEAD", "manifests/v1")).status).toBe(404);
    await pause(90);
    expect(await get("v1")).toBe(artifact("x"));
    await put("v1", artifact("y"));
    expect(await get("v1")).toBe(artifact("x"));
    const head = await send("HEAD", "manifests/v1");
    expect(head.headers.get("docker-content-digest")).toBe(digestOf(artifact("x")));
    await pause(90);
    expect(await get("v1")).toBe(artifact("y"));
  });

  it("is one that matches; digests are none", async () => {
    registryWith(laggingTags(60_000, /^v/));
    for (const reference of ["latest", digestOf(artifact("x"))]) {
      await put(reference, artifact("x"));
      expect(await get(reference)).toBe(artifact("x"));
    }
  });
});

describe("OCI-Subject", () => {
  it("is said without a referrers API", async () => {
    registryWith(subjectHeader());
    expect((await attach("x")).headers.get("oci-subject")).toBe(SUBJECT);
    expect((await put("v1", artifact("x", ""))).headers.has("oci-subject")).toBe(false);
    expect((await send("GET", `referrers/${SUBJECT}`)).status).toBe(404);
  });

  it("is not said when the manifest is refused", async () => {
    registryWith(subjectHeader());
    const refused = await put(digestOf("other"), artifact("x"));
    expect([refused.status, refused.headers.has("oci-subject")]).toEqual([400, false]);
  });
});

describe("The referrers API", () => {
  it("lists what was pushed with this subject, once", async () => {
    registryWith(referrersApi());
    expect(await listed()).toEqual({ names: [], next: undefined });
    for (const name of ["x", "y", "x"]) expect((await attach(name)).headers.get("oci-subject")).toBe(SUBJECT);
    await put("v1", artifact("z", digestOf("other")));
    expect((await listed()).names).toEqual(["y", "x"]);
    expect((await listed(`referrers/${digestOf("other")}`)).names).toEqual(["z"]);
    const response = await send("GET", `referrers/${SUBJECT}`);
    expect(((await response.json()) as { manifests: object[] }).manifests[1]).toEqual({
      mediaType: MANIFEST,
      digest: digestOf(artifact("x")),
      size: artifact("x").length,
      artifactType: "application/x.x",
      annotations: { name: "x" },
    });
  });

  it("has pages", async () => {
    registryWith(referrersApi({ pageSize: 2 }));
    for (const name of ["1", "2", "3", "4", "5"]) await attach(name);
    const first = await listed();
    const second = await listed(first.next);
    const third = await listed(second.next);
    expect([first.names, second.names, third]).toEqual([
      ["1", "2"],
      ["3", "4"],
      { names: ["5"], next: undefined },
    ]);
  });

  it("lists late, or nothing, or under a wrong type, or says no OCI-Subject", async () => {
    registryWith(referrersApi({ lagMs: 50 }));
    await attach("x");
    expect((await listed()).names).toEqual([]);
    await pause(60);
    expect((await listed()).names).toEqual(["x"]);

    registryWith(referrersApi({ lists: "nothing", header: false }));
    expect((await attach("x")).headers.has("oci-subject")).toBe(false);
    expect((await listed()).names).toEqual([]);

    registryWith(referrersApi({ contentType: "application/json" }));
    const { status, headers } = await send("GET", `referrers/${SUBJECT}`);
    expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
  });

  it.each([
    { answer: REFERRERS_PAGE, type: "text/html", location: null },
    { answer: REFERRERS_REDIRECT, type: null, location: REFERRERS_REDIRECT.headers.location },
  ])("that is none answers $answer.status", async ({ answer, type, location }) => {
    registryWith(referrersAnswer(answer));
    const response = await send("GET", `referrers/${SUBJECT}`);
    expect(response.status).toBe(answer.status);
    expect([response.headers.get("content-type"), response.headers.get("location")]).toEqual([
      type,
      location,
    ]);
    expect((await put("v1", artifact("x"))).status).toBe(201);
  });
});

describe("The list's tag", () => {
  it("is read as the digest, and written as a tag", async () => {
    registryWith(listTagIsDigest());
    await put(SUBJECT, IMAGE);
    expect(await get(LIST_TAG)).toBe(IMAGE);
    expect((await put(LIST_TAG, artifact("x"))).status).toBe(201);
    expect(await get(LIST_TAG)).toBe(IMAGE);
    expect(memory.digestAt("a/b", LIST_TAG)).toBe(digestOf(artifact("x")));
  });

  it("is sent with a wrong type; other tags are not", async () => {
    registryWith(listTagType("text/plain"));
    for (const tag of [LIST_TAG, "v1"]) await put(tag, IMAGE);
    const types = [LIST_TAG, "v1"].map(async (tag) =>
      (await send("GET", `manifests/${tag}`)).headers.get("content-type"),
    );
    expect(await Promise.all(types)).toEqual(["text/plain", MANIFEST]);
  });
});

describe("A conditional write", () => {
  it("takes place when the tag is as it was read", async () => {
    registryWith(conditionalWrites());
    expect((await put("v1", artifact("x"), { "if-none-match": "*" })).status).toBe(201);
    expect((await put("v1", artifact("y"), { "if-none-match": "*" })).status).toBe(412);
    const etag = (await send("GET", "manifests/v1")).headers.get("etag") ?? "";
    expect(etag).toBe(`"${digestOf(artifact("x"))}"`);
    expect((await put("v1", artifact("y"), { "if-match": etag })).status).toBe(201);
    expect((await put("v1", artifact("z"), { "if-match": etag })).status).toBe(412);
    expect(await get("v1")).toBe(artifact("y"));
    expect((await put("v1", artifact("z"))).status).toBe(201);
    expect((await put("v2", artifact("z"), { "if-match": etag })).status).toBe(412);
  });

  it("is one of many at once that takes place", async () => {
    registryWith(conditionalWrites(), slow(5));
    const all = await Promise.all(
      ["1", "2", "3"].map((name) => put("v1", artifact(name), { "if-none-match": "*" })),
    );
    expect(all.map(({ status }) => status)).toEqual([201, 412, 412]);
  });
});

it("something happens right before and after a write", async () => {
  const seen: (string | undefined)[] = [];
  const look = (): Promise<void> => {
    seen.push(memory.digestAt("a/b", "v1"));
    return Promise.resolve();
  };
  registryWith(aroundWrites(/^v/, { before: look, after: look }));
  await put("v1", artifact("x"));
  await put("latest", artifact("x"));
  expect(seen).toEqual([undefined, digestOf(artifact("x"))]);
});
