import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, test } from "vitest";
import {
  addQuirks,
  aroundWrites,
  conditionalWrites,
  errorResponse,
  immutableTags,
  laggingTags,
  listTagIsDigest,
  listTagType,
  MemoryRegistry,
  referrersAnswer,
  referrersApi,
  REFERRERS_PAGE,
  REFERRERS_REDIRECT,
  rejection,
  stageImage,
  subjectHeader,
  type Quirk,
} from "@tgo/testing";
import type { Registry } from "../src/index.js";
import { digestOf, type AttachResult, type Descriptor } from "../src/index.js";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** An image in a registry with these quirks, and clients of it. */
class Scene {
  readonly memory: MemoryRegistry;
  readonly registry: Registry;
  private constructor(
    readonly subject: Descriptor,
    memory: MemoryRegistry,
  ) {
    this.memory = memory;
    this.registry = memory.client();
  }

  static async create(
    quirks: readonly Quirk[] = [],
    options: ConstructorParameters<typeof MemoryRegistry>[1] = {},
  ): Promise<Scene> {
    const memory = new MemoryRegistry("example.test", options);
    await stageImage(memory.client(), "a/b", "v1", [
      { platform: "linux/amd64" },
      { platform: "linux/arm64" },
    ]);
    const subject = await memory.client().resolve("a/b", "v1");
    if (subject === undefined) throw new Error("not staged");
    addQuirks(memory, ...quirks);
    memory.received.length = 0;
    return new Scene(subject, memory);
  }

  get tag(): string {
    return this.subject.digest.replace(":", "-");
  }

  async attach(names: string | readonly string[], registry = this.registry): Promise<AttachResult[]> {
    return registry.attach(
      "a/b",
      this.subject,
      [names].flat().map((name) => ({ type: `application/x.${name}`, content: bytes(name) })),
    );
  }

  /** The text under the list's tag. */
  get list(): string {
    return Buffer.from(this.memory.manifests.get(`a/b ${this.tag}`)?.bytes ?? []).toString();
  }

  /** Artifact types in the list. */
  get listed(): (string | undefined)[] {
    const { manifests } = JSON.parse(this.list || '{"manifests":[]}') as { manifests: Descriptor[] };
    return manifests.map(({ artifactType }) => artifactType?.replace("application/x.", ""));
  }

  putList(text: string, mediaType = INDEX): void {
    const entry = { mediaType, bytes: Buffer.from(text) };
    this.memory.manifests.set(`a/b ${this.tag}`, entry).set(`a/b ${digestOf(entry.bytes)}`, entry);
  }

  /** Another tool's referrer, pushed past all quirks: its descriptor's text. */
  putForeign(name: string, subject = this.subject.digest): string {
    const manifest = bytes(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: `application/x.${name}`, digest: digestOf(bytes("{}")), size: 2 },
        layers: [],
        subject: { mediaType: INDEX, digest: subject, size: this.subject.size },
      }),
    );
    const digest = digestOf(manifest);
    this.memory.manifests.set(`a/b ${digest}`, { mediaType: MANIFEST, bytes: manifest });
    return `{"size":${manifest.length},"digest":"${digest}","mediaType":"${MANIFEST}","artifactType":"application/x.${name}"}`;
  }

  /** Reads the list, takes its time, and writes it without looking again: what cosign does. */
  async writeNaively(name: string, before = (): Promise<unknown> => Promise.resolve()): Promise<void> {
    const entry = JSON.parse(this.putForeign(name)) as Descriptor;
    const { manifests } = JSON.parse(this.list || '{"manifests":[]}') as { manifests: Descriptor[] };
    await before();
    this.putList(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [...manifests, entry] }));
  }
}

test("a document is attached to its image, and found by the image's digest", async () => {
  const scene = await Scene.create();
  const [first, second] = [...(await scene.attach("one")), ...(await scene.attach("two"))];
  const { value } = await scene.registry.manifest("a/b", first?.digest ?? "");
  expect(value).toMatchObject({
    config: { mediaType: "application/vnd.oci.empty.v1+json", size: 2 },
    layers: [{ mediaType: "application/x.one", digest: digestOf(bytes("one")), size: 3 }],
  });
  const { value: list } = await scene.registry.manifest("a/b", scene.tag);
  expect(list).toMatchObject({
    manifests: [
      { digest: first?.digest, artifactType: "application/x.one" },
      { digest: second?.digest, artifactType: "application/x.two" },
    ],
  });
});

test("the same document again changes nothing", async () => {
  const scene = await Scene.create();
  const [first] = await scene.attach("one");
  expect(first?.state).toBe("done");
  const before = [...scene.memory.manifests.keys()];
  scene.memory.received.length = 0;
  expect(await scene.attach("one")).toEqual([{ digest: first?.digest, state: "already there" }]);
  expect([...scene.memory.manifests.keys()]).toEqual(before);
  expect([...scene.memory.requests("PUT"), ...scene.memory.requests("POST")]).toEqual([]);
});

test("a document that exists but is not listed, because the run was killed in between, gets listed", async () => {
  const scene = await Scene.create();
  const [first] = await scene.attach("one");
  scene.memory.manifests.delete(`a/b ${scene.tag}`);
  expect(await scene.attach("one")).toEqual([{ digest: first?.digest, state: "done" }]);
  expect(scene.listed).toEqual(["one"]);
});

test("all documents of an image are listed in one write", async () => {
  const scene = await Scene.create();
  await scene.attach("one");
  scene.memory.received.length = 0;
  const states = (await scene.attach(["one", "two", "three"])).map(({ state }) => state);
  expect(states).toEqual(["already there", "done", "done"]);
  expect(scene.memory.requests("PUT").filter((put) => put.endsWith(scene.tag))).toHaveLength(1);
  expect(scene.listed).toEqual(["one", "two", "three"]);
});

test("a registry that accepts no artifacts is an error", async () => {
  const scene = await Scene.create();
  scene.memory.intercept = ({ method, body }) =>
    method === "PUT" && body.includes("vnd.oci.empty")
      ? errorResponse(403, "DENIED", "unknown manifest class for application/vnd.oci.empty.v1+json")
      : undefined;
  expect(await rejection(scene.attach("one"))).toMatchObject({ code: "DENIED" });
});

describe("A registry with a referrers API", () => {
  it("gets no list under a tag", async () => {
    const scene = await Scene.create([referrersApi()]);
    expect((await scene.attach("one"))[0]?.state).toBe("done");
    expect((await scene.attach("one"))[0]?.state).toBe("already there");
    expect(scene.list).toBe("");
  });

  it("is read page by page", async () => {
    const scene = await Scene.create([referrersApi({ pageSize: 1 })]);
    const names = ["one", "two", "three", "four"];
    for (const name of names) expect((await scene.attach(name))[0]?.state).toBe("done");
    expect((await scene.attach(names)).map(({ state }) => state)).toEqual(names.map(() => "already there"));
    expect(scene.list).toBe("");
  });

  it("may list late", async () => {
    const scene = await Scene.create([referrersApi({ lagMs: 60 })]);
    const registry = scene.memory.client({ sleep: () => pause(20) });
    expect((await scene.attach("one", registry))[0]?.state).toBe("done");
    expect(scene.list).toBe("");
  });

  it.each([
    { size: 0, pages: 100 },
    { size: 3 * 1024 * 1024, pages: 11 },
  ])("that ends no list is given up after $pages pages of $size bytes", async ({ size, pages }) => {
    const scene = await Scene.create([
      async (request, pass) => {
        const [path, page = "0"] = request.path.split("?page=");
        if (!request.path.includes("/referrers/")) return pass(request);
        const headers = { "content-type": INDEX, link: `<${path}?page=${Number(page) + 1}>; rel="next"` };
        const body = Buffer.from(`{"schemaVersion":2,"manifests":[]}${" ".repeat(size)}`);
        return Promise.resolve({ status: 200, headers, body });
      },
    ]);
    expect(await rejection(scene.attach("one"))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: `the list of referrers has no end: ${pages} pages were read`,
    });
    expect(scene.memory.received).toHaveLength(pages + 1);
  });

  it.each([true, false])("that lists nothing is told apart (OCI-Subject: %s)", async (header) => {
    const scene = await Scene.create([referrersApi({ lists: "nothing", header })]);
    const { state, tag } = (await scene.attach("one"))[0] ?? {};
    expect([state, tag]).toEqual(["by tag", scene.tag]);
    // For those clients that look there.
    expect(scene.listed).toEqual(["one"]);
    expect((await scene.attach(["one", "two"])).map((result) => result.state)).toEqual(["by tag", "by tag"]);
    expect(scene.listed).toEqual(["one", "two"]);
  });

  it("that lists nothing, with other artifacts' list under the tag: it stays byte for byte", async () => {
    const scene = await Scene.create([referrersApi({ lists: "nothing" })]);
    const start = ` {"schemaVersion":2, "x" : 1, "manifests":[ ${scene.putForeign("x")}`;
    scene.putList(`${start}]}`);
    expect((await scene.attach("one"))[0]?.state).toBe("by tag");
    expect(scene.list.startsWith(`${start},{`)).toBe(true);
    expect(scene.listed).toEqual(["x", "one"]);
  });

  it("that lists nothing, where the tag returns the image: nobody can list it", async () => {
    const scene = await Scene.create([referrersApi({ lists: "nothing" }), listTagIsDigest()]);
    expect(await rejection(scene.attach("one"))).toMatchObject({ code: "CONFLICT" });
  });

  it("that fails is no reason to use the tag", async () => {
    const scene = await Scene.create([referrersAnswer({ status: 503 })]);
    expect(await rejection(scene.attach("one"))).toMatchObject({ code: "UNAVAILABLE" });
    expect(scene.memory.requests("PUT")).toEqual([]);
  });
});

describe("A registry without a referrers API gets a list under a tag", () => {
  it.each<{ what: string; quirk: Quirk }>([
    { what: "says OCI-Subject", quirk: subjectHeader() },
    { what: "answers with a page", quirk: referrersAnswer(REFERRERS_PAGE) },
    { what: "answers with a page and 200", quirk: referrersAnswer({ ...REFERRERS_PAGE, status: 200 }) },
    { what: "redirects", quirk: referrersAnswer(REFERRERS_REDIRECT) },
    { what: "forbids to ask", quirk: referrersAnswer({ status: 403 }) },
    { what: "does not implement it", quirk: referrersAnswer({ status: 501 }) },
    { what: "answers with another media type", quirk: referrersApi({ contentType: "application/json" }) },
  ])("when it $what", async ({ quirk }) => {
    const scene = await Scene.create([quirk]);
    expect((await scene.attach("one"))[0]?.state).toBe("done");
    expect(scene.listed).toEqual(["one"]);
    expect((await scene.attach("one"))[0]?.state).toBe("already there");
  });

  it("whatever media type it gives the list when it is read", async () => {
    const scene = await Scene.create([listTagType("application/json")]);
    await scene.attach("one");
    expect((await scene.attach(["one", "two"])).map(({ state }) => state)).toEqual(["already there", "done"]);
    expect(scene.listed).toEqual(["one", "two"]);
  });
});

describe("The list's tag is left alone", () => {
  it("when the registry takes it for the image's digest", async () => {
    const scene = await Scene.create([listTagIsDigest()]);
    const error = await rejection(scene.attach("one"));
    expect(error).toMatchObject({
      code: "CONFLICT",
      what: "the registry returns the image itself under the tag of its referrers",
    });
    expect(scene.memory.requests("PUT")).toEqual([]);
  });

  const descriptor = `{"mediaType":"${MANIFEST}","digest":"${digestOf(bytes("gone"))}","size":4}`;
  it.each<{ what: string; text: (scene: Scene) => string; type?: string }>([
    {
      what: "an image's index, under another digest",
      text: ({ memory }) => `${Buffer.from(memory.manifests.get("a/b v1")?.bytes ?? []).toString()} `,
    },
    {
      what: "an image's index whose images were deleted",
      text: () =>
        `{"schemaVersion":2,"manifests":[${descriptor.replace("}", ',"platform":{"os":"linux","architecture":"amd64"}}')}]}`,
    },
    {
      what: "a list of another image's referrers",
      text: (scene) => `{"schemaVersion":2,"manifests":[${scene.putForeign("x", digestOf(bytes("y")))}]}`,
    },
    {
      what: "a manifest",
      text: (scene) =>
        Buffer.from(
          scene.memory.manifests.get(`a/b ${(JSON.parse(scene.putForeign("x")) as Descriptor).digest}`)
            ?.bytes ?? [],
        ).toString(),
      type: MANIFEST,
    },
    {
      what: "Docker's manifest list",
      text: () =>
        `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]}`,
    },
    { what: "an index and a manifest at once", text: () => `{"schemaVersion":2,"manifests":[],"layers":[]}` },
    {
      what: "an index that Go reads in another way",
      text: (scene) => `{"schemaVersion":2,"manifests":[${scene.putForeign("x")}],"Manife\\u017fts":[]}`,
    },
    { what: "an index with two lists", text: () => `{"schemaVersion":2,"manifests":[],"manifests":[]}` },
    {
      what: "brackets",
      text: () => `{"schemaVersion":2,"manifests":[${"[".repeat(1000)}${"]".repeat(1000)}]}`,
    },
    { what: "broken off", text: () => '{"schemaVersion":2,"manifests":[],"x' },
    { what: "no JSON", text: () => "<html>", type: "text/html" },
  ])("when it is $what", async ({ text, type }) => {
    const scene = await Scene.create();
    const before = text(scene);
    scene.putList(before, type);
    expect(await rejection(scene.attach("one"))).toMatchObject({
      code: "CONFLICT",
      what: "the tag that should list the image's referrers is something else",
      where: `example.test/a/b:${scene.tag}`,
    });
    expect(scene.list).toBe(before);
    expect(scene.memory.requests("PUT")).toEqual([]);
  });

  it.each(["dockerHub", "artifactRegistry", "harbor", "acr"] as const)(
    "when it is immutable in the words of %s, and the report says what to exempt",
    async (words) => {
      const scene = await Scene.create([immutableTags(words)]);
      await scene.attach("one");
      expect(await rejection(scene.attach("two"))).toMatchObject({
        code: "DENIED",
        what: expect.stringContaining("does not allow overwriting it") as string,
        remedy: expect.stringContaining('exempt tags that begin with "sha256-"') as string,
      });
      expect(scene.listed).toEqual(["one"]);
    },
  );

  it("when the list would be longer than a registry accepts", async () => {
    const scene = await Scene.create();
    const long = scene.putForeign("x").replace("{", `{"data":"${"x".repeat(4 * 1024 * 1024 - 300)}",`);
    scene.putList(`{"schemaVersion":2,"manifests":[${long}]}`);
    expect(await rejection(scene.attach("one"))).toMatchObject({
      code: "DENIED",
      what: "the list of referrers would be longer than 4194304 bytes",
    });
  });
});

describe("What other tools have put into the list", () => {
  it("stays byte for byte", async () => {
    const scene = await Scene.create();
    const entry = scene
      .putForeign("x")
      .replace("{", '{ "zeta" : 1.50e+2, "annotations": {"é\\u00e9": "\\/]}\\"[{", "b":"", "a":""},\n\t');
    const start = `\n{\n  "subject" : null,\t"manifests": [\n    ${entry}`;
    const end = `\n  ],\n  "x": [1.0, {"manifests": [[]]}],\n "schemaVersion": 2.0e0 }\n`;
    scene.putList(start + end);
    await scene.attach("one");
    expect(scene.list.startsWith(`${start},{`)).toBe(true);
    expect(scene.list.endsWith(`}${end}`)).toBe(true);
    expect(scene.listed).toEqual(["x", "one"]);
  });

  it("may be no UTF-8, and stays", async () => {
    const scene = await Scene.create();
    const list = Buffer.from(`{"schemaVersion":2,"x":"\xff\xfe","manifests":[]}`, "latin1");
    scene.memory.manifests.set(`a/b ${scene.tag}`, { mediaType: INDEX, bytes: list });
    await scene.attach("one");
    const after = Buffer.from(scene.memory.manifests.get(`a/b ${scene.tag}`)?.bytes ?? []);
    expect(after.toString("latin1").startsWith(`{"schemaVersion":2,"x":"\xff\xfe","manifests":[{`)).toBe(
      true,
    );
  });

  it("may be deleted, or nonsense, and stays", async () => {
    const scene = await Scene.create();
    const gone = `{"mediaType":"${MANIFEST}","digest":"${digestOf(bytes("gone"))}","size":4}`;
    const entries = [gone, `{"digest":"sha256:nonsense"}`, "[]", "null", '"{"', "7", '{"digest":8}', "[{}]"];
    const start = `{"schemaVersion":2,"manifests":[${entries.join(", ")}`;
    scene.putList(`${start}]}`);
    await scene.attach("one");
    expect(scene.list.startsWith(`${start},{"annotations"`)).toBe(true);
  });

  it("is not added twice", async () => {
    const scene = await Scene.create();
    await scene.attach("one");
    const [ours = ""] = /\{"annotations.*?\}(?=\])/.exec(scene.list) ?? [];
    const list = `{"schemaVersion":2,"manifests":[${scene.putForeign("x")},${ours.replace("{", '{"y":1,')}]}`;
    scene.putList(list);
    expect((await scene.attach("one"))[0]?.state).toBe("already there");
    expect(scene.list).toBe(list);
  });
});

describe("Other clients that write the list at the same time", () => {
  it("lose nothing, and take nothing away, when they write after us", async () => {
    const scene: Scene = await Scene.create([
      aroundWrites(/^sha256-/, { before: () => start(), after: () => finish() }),
    ]);
    let finish = (): Promise<void> => Promise.resolve();
    let start = async (): Promise<void> => {
      // It has read the list before our write, and writes after it.
      start = () => Promise.resolve();
      let go: () => void = () => undefined;
      const written = scene.writeNaively("naive", () => new Promise<void>((resolve) => (go = resolve)));
      finish = () => {
        finish = () => Promise.resolve();
        go();
        return written;
      };
      return Promise.resolve();
    };
    await scene.attach("one");
    expect(scene.listed).toEqual(["naive", "one"]);
  });

  it("take nothing away when they write after we have read our list back", async () => {
    const scene: Scene = await Scene.create();
    let overwrite: () => void = () => undefined;
    const overwritten = new Promise<void>((resolve) => (overwrite = resolve));
    const old = scene.writeNaively("naive", () => overwritten);
    const registry = scene.memory.client({
      sleep: async (ms) => {
        if (ms !== 1000) return;
        overwrite();
        await old;
      },
    });
    await scene.attach("one", registry);
    expect(scene.listed).toEqual(["naive", "one"]);
  });

  it("lose nothing when they write between our read and our write, where requests can be conditional", async () => {
    const scene: Scene = await Scene.create([
      aroundWrites(/^sha256-/, { before: () => interfere() }),
      conditionalWrites(),
    ]);
    const names = ["first", "second", "third"];
    const interfere = async (): Promise<void> => {
      const name = names.shift();
      if (name !== undefined) await scene.writeNaively(name);
    };
    await scene.attach("one");
    expect(scene.listed).toEqual(["first", "second", "third", "one"]);
    await scene.attach("two");
    expect(scene.listed).toEqual(["first", "second", "third", "one", "two"]);
  });

  it("may be us: ten at once, in one process or in many", async () => {
    const scene = await Scene.create([], { delayMs: 1 });
    const names = "a b c d e f g h i j".split(" ");
    await Promise.all(
      names.map((name, index) => scene.attach(name, index % 2 ? scene.registry : scene.memory.client())),
    );
    expect(scene.listed.sort()).toEqual(names);
  });

  it("that never stop are reported", async () => {
    const scene: Scene = await Scene.create([
      aroundWrites(/^sha256-/, {
        after: () => {
          scene.putList(`{"schemaVersion":2,"manifests":[${scene.putForeign(`x${n++}`)}]}`);
          return Promise.resolve();
        },
      }),
    ]);
    let n = 0;
    expect(await rejection(scene.attach("one"))).toMatchObject({
      code: "UNAVAILABLE",
      what: "the artifact was pushed, but the list of referrers lacks it",
    });
    expect(n).toBe(10);
  });
});

describe("A list that is read as it was", () => {
  it("loses no entry when two documents are attached in a row", async () => {
    const scene = await Scene.create([laggingTags(60, /^sha256-/)]);
    const registry = scene.memory.client({ sleep: () => pause(20) });
    await scene.attach("one", registry);
    await scene.attach("two", registry);
    expect(scene.listed).toEqual(["one", "two"]);
  });

  it("now and then, loses no entry either", async () => {
    const scene = await Scene.create();
    await scene.attach("one");
    const { intercept } = scene.memory;
    let reads = 0;
    scene.memory.intercept = (request) =>
      request.method === "GET" && request.url.pathname.endsWith(scene.tag) && reads++ < 2
        ? errorResponse(404, "MANIFEST_UNKNOWN", "manifest unknown")
        : intercept(request);
    await scene.attach("two");
    expect(reads).toBeGreaterThan(2);
    expect(scene.listed.sort()).toEqual(["one", "two"]);
  });

  it("for ever, is reported", async () => {
    const scene = await Scene.create([laggingTags(60_000, /^sha256-/)]);
    expect(await rejection(scene.attach("one"))).toMatchObject({ code: "UNAVAILABLE" });
  });
});

it("a registry that refuses every condition gets the list without one", async () => {
  const scene = await Scene.create([
    (request, pass) =>
      request.headers["if-match"] === undefined && request.headers["if-none-match"] === undefined
        ? pass(request)
        : Promise.resolve({ status: 412, headers: {}, body: Buffer.alloc(0) }),
  ]);
  await scene.attach("one");
  await scene.attach("two");
  expect(scene.listed).toEqual(["one", "two"]);
});

describe("Clients without credentials", () => {
  it.each([
    { what: "the list's tag", quirks: [], states: ["done", "already there"] },
    { what: "the referrers API", quirks: [referrersApi()], states: ["done", "already there"] },
    {
      what: "the list's tag, beside an API that lists nothing",
      quirks: [referrersApi({ lists: "nothing" })],
      states: ["by tag", "by tag"],
    },
  ])("are asked whether they find it in $what", async ({ quirks, states }) => {
    const scene = await Scene.create(quirks, { auth: "public" });
    const artifacts = [{ type: "application/x.one", content: bytes("one") }];
    const attach = (): Promise<AttachResult[]> =>
      scene.registry.attach("a/b", scene.subject, artifacts, scene.memory.anonymous());
    for (const state of states) expect((await attach())[0]?.state).toBe(state);

    const { intercept } = scene.memory;
    scene.memory.intercept = (request) =>
      request.headers.get("authorization") !== "Bearer full" && /sha256-|referrers/.test(request.url.pathname)
        ? errorResponse(404, "MANIFEST_UNKNOWN", "manifest unknown")
        : intercept(request);
    expect(await rejection(attach())).toMatchObject({
      code: "DENIED",
      what: "without credentials, the registry does not list the artifact",
    });
  });
});
