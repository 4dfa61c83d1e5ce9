import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, Platform as DaggerPlatform } from "@dagger.io/dagger";
import { buildVariants, standardLabels, type Built } from "@tgo/builders";
import { formatBaseLock } from "@tgo/catalog";
import { prepareCandidate, type Prepared } from "@tgo/publishing";
import { startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createContext } from "../src/context.js";
import type { HostOptions } from "../src/host.js";
import type { Options } from "../src/options.js";
import { Pipelines } from "../src/pipelines.js";
import { startSession, writeSource, type EngineSession } from "./support/session.js";

const BASE = "bases.example/two:1";
const SECRET = "a#word $ecret";

let folder: string;
let mirror: LocalRegistry;
let registry: LocalRegistry;
let session: EngineSession;
let client: Client;
/** `step: detail` of every note and of every step that ended. */
let events: string[] = [];
const host: HostOptions = {
  local: true,
  progress: ({ kind, step, detail }) => {
    if (kind !== "begin") events.push(`${step}: ${detail ?? ""}`);
  },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-bases-"));
  [mirror, registry] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startRegistry({ auth: "none" }),
  ]);
  session = await startSession({ home: join(folder, "engine"), onEvent: () => undefined });
  ({ client } = session);
});

afterAll(async () => {
  await session.stop();
  await Promise.all([mirror.stop(), registry.stop()]);
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  events = [];
});

/** Publishes an image of one small file; returns its digest. */
async function publishBase(
  name: string,
  text: string,
  platforms = ["linux/amd64", "linux/arm64"],
): Promise<string> {
  const variants = platforms.map((platform) =>
    client
      .container({ platform: platform as DaggerPlatform })
      .withNewFile("/base.txt", `${text} ${platform}`),
  );
  const address = `${registry.host}/${name}`;
  // One variant is published as a plain manifest, without an index.
  const [only] = variants;
  const reference =
    variants.length === 1 && only !== undefined
      ? await only.publish(address)
      : await client.container().publish(address, { platformVariants: variants });
  return reference.slice(reference.indexOf("@") + 1);
}

type Files = Readonly<Record<string, string>>;

interface Change {
  readonly build?: object;
  readonly options?: Partial<Options>;
  readonly values?: readonly string[];
}

const productOf = (build: object): ConstructorParameters<typeof Pipelines>[1] => ({
  catalog: {
    services: { x: { title: "X", build } },
    registries: {},
    mirrors: { images: { "docker.io": mirror.host } },
  },
  pipeline: "test",
  buildHash: "test",
});

const viaRegistry = (): Partial<Options> => ({ mirror: [`bases.example=${registry.host}`] });

async function prepare(files: Files, { build, options, values }: Change = {}): Promise<Prepared> {
  const product = productOf({ strategy: "dockerfile", ...build });
  const context = await createContext(client, product, { ...viaRegistry(), ...options }, host);
  const { x } = context.catalog.services;
  if (x === undefined) throw new Error("no service");
  const source = client.host().directory(await writeSource(folder, files));
  return prepareCandidate(context, "x", x, { source, ...(values === undefined ? {} : { values }) });
}

async function buildService(files: Files, change?: Change): Promise<Built> {
  return buildVariants((await prepare(files, change)).request);
}

const lockFile = async (bases: Record<string, string>): Promise<Partial<Options>> => {
  const path = join(await writeSource(folder, { "tgo.bases.json": formatBaseLock(bases) }), "tgo.bases.json");
  return { ...viaRegistry(), baseLock: client.host().file(path) };
};

describe("A service's own Dockerfile", () => {
  const FILES = {
    Dockerfile: `ARG BASE=${BASE}
FROM --platform=$BUILDPLATFORM node:20-alpine AS build
ARG TARGETPLATFORM TARGETARCH BUILDPLATFORM BUILDARCH GREETING=hello
RUN --mount=type=secret,id=TOKEN sha256sum < /run/secrets/TOKEN > /facts && \\
  echo $GREETING $BUILDPLATFORM $BUILDARCH $TARGETPLATFORM $TARGETARCH >> /facts
FROM \${BASE}
COPY --from=build /facts /facts
COPY . /context/
FROM build AS broken
RUN exit 1
`,
    ".dockerignore": "left-out\n",
    "left-out": "",
    kept: "",
  };
  const build = { target: "1", args: { GREETING: "{service}" }, secrets: ["TOKEN"] };
  const secrets = (): Partial<Options> => ({
    ...viaRegistry(),
    buildSecrets: client.setSecret("file", `OTHER=1\nTOKEN=${SECRET}\n`),
  });

  it("is built for both platforms with arguments, secrets and base images from a mirror, and no secret remains", async () => {
    const digest = await publishBase("two:1", "first");
    const { variants, notes } = await buildService(FILES, {
      build,
      options: secrets(),
      values: ["GREETING=bye"],
    });
    const hash = createHash("sha256").update(SECRET).digest("hex");
    const native = String(await client.defaultPlatform());
    for (const { platform, container } of variants) {
      const facts = [`${hash}  -`, `bye ${native} ${native.slice(6)} ${platform} ${platform.slice(6)}`, ""];
      expect(await container.file("/facts").contents()).toBe(facts.join("\n"));
      expect(await container.file("/base.txt").contents()).toBe(`first ${platform}`);
      const context = await container.directory("/context").entries();
      expect(context).toEqual([".dockerignore", "Dockerfile", "kept"]);
      expect(await container.file("/context/Dockerfile").contents()).toBe(FILES.Dockerfile);
      expect(await container.exists("/run/secrets")).toBe(false);
      const path = join(folder, `${platform.slice(6)}.tar`);
      await container.asTarball().export(path);
      expect(await readFile(path, "latin1")).not.toContain(SECRET);
    }
    expect(variants.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    expect(notes).toEqual([
      expect.stringMatching(new RegExp(`not pinned, .*${BASE}$`)),
      expect.stringContaining("tgo lock-bases --output"),
    ]);
    const { request } = await prepare(FILES, { build, options: secrets() });
    expect(standardLabels(request)).toMatchObject({
      "org.opencontainers.image.base.name": BASE,
      "org.opencontainers.image.base.digest": digest,
    });
  });

  it("may be excluded by .dockerignore, and is found anyway", async () => {
    const files = {
      Dockerfile: `FROM ${BASE}\nCOPY . /context/\n`,
      ".dockerignore": "Dockerfile\n.dockerignore\n",
      a: "",
    };
    const { variants } = await buildService(files);
    expect(await variants[0]?.container.directory("/context").entries()).toEqual(["a"]);
  });

  it("that needs emulation is noted before the build", async () => {
    const native = String(await client.defaultPlatform());
    const platform = native === "linux/amd64" ? "linux/arm64" : "linux/amd64";
    const files = { Dockerfile: `FROM ${BASE}\nRUN ["/no/such/program"]\n` };
    await expect(
      buildService(files, { options: { ...viaRegistry(), platform: [platform] } }),
    ).rejects.toThrow(`building x from Dockerfile for ${platform} failed`);
    expect(events.filter((line) => line.startsWith("build"))).toEqual([
      "build: 1 RUN line of Dockerfile runs under emulation, which is slow",
    ]);
  });

  it.each<[string, Files, Change, RegExp]>([
    ["a missing secret", FILES, { build }, /x needs the build secret TOKEN\n.*TOKEN=value.*--build-secrets/],
    ["a missing Dockerfile", { kept: "" }, {}, /the source of x has no Dockerfile/],
    [
      "a missing Dockerfile in a folder",
      { "docker/x": "" },
      { build: { file: "docker/Dockerfile" } },
      /has no docker\/Dockerfile/,
    ],
    ["an unknown target", FILES, { build: { target: "biuld" } }, /no stage "biuld"\n.*build, broken/],
    [
      "an image that does not exist",
      { Dockerfile: "FROM bases.example/none:1\n" },
      {},
      /bases\.example\/none:1 cannot be pulled/,
    ],
  ])("is refused with %s before anything is built", async (_, files, change, message) => {
    await expect(buildService(files, change)).rejects.toThrow(message);
    expect(events.filter((line) => line.startsWith("build"))).toEqual([]);
  });
});

describe("The base lock", () => {
  const files = { Dockerfile: `FROM ${BASE}\n` };

  it("pins a base image whose tag moves; a new lock shows what changed, and makes another candidate", async () => {
    const first = await publishBase("two:1", "first");
    const locked = await lockFile({ [BASE]: first });
    const before = await prepare(files, { options: locked });
    const second = await publishBase("two:1", "second");
    const pinned = await prepare(files, { options: locked });
    expect(pinned.key).toBe(before.key);
    expect(pinned.request.notes).toEqual([]);
    const { variants } = await buildVariants(pinned.request);
    expect(await variants[0]?.container.file("/base.txt").contents()).toBe("first linux/amd64");

    const other = await prepare(files, { options: await lockFile({ [BASE]: second }) });
    expect(other.key).not.toBe(pinned.key);

    // The engine resolves a tag once per session, so this needs a tag that it has not resolved yet.
    const moved = await publishBase("three:1", "third");
    const build = {
      strategy: "static-web",
      builder: "docker.io/library/node:20-alpine",
      base: "bases.example/three:1",
    };
    const options = await lockFile({ "bases.example/three:1": first, [BASE]: first });
    const text = await new Pipelines(client, productOf(build), options, host).lockBases([]);
    expect(Object.keys((JSON.parse(text) as { bases: object }).bases)).toEqual([
      "bases.example/three:1",
      BASE,
      "docker.io/library/node:20-alpine",
    ]);
    expect(text).toContain(`"bases.example/three:1": "${moved}"`);
    expect(events).toContain(`resolve bases.example/three:1: ${first} -> ${moved}`);
  });

  it("is not written if a base image lacks a platform", async () => {
    await publishBase("one:1", "one", ["linux/amd64"]);
    const build = { strategy: "python", base: "bases.example/one:1" };
    const lock = new Pipelines(client, productOf(build), viaRegistry(), host).lockBases([]);
    await expect(lock).rejects.toThrow(/bases\.example\/one:1 has no linux\/arm64 variant/);
  });

  it("with a digest that no longer exists has a remedy", async () => {
    const options = await lockFile({ [BASE]: `sha256:${"0".repeat(64)}` });
    await expect(prepare(files, { options })).rejects.toThrow(/pinned to a digest.*tgo lock-bases/s);
  });

  it("that the shell has emptied is written from scratch", async () => {
    const path = join(await writeSource(folder, { "tgo.bases.json": "" }), "tgo.bases.json");
    const build = { strategy: "python", base: "docker.io/library/node:20-alpine" };
    const options = { baseLock: client.host().file(path) };
    const text = await new Pipelines(client, productOf(build), options, host).lockBases(["x"]);
    expect(Object.keys((JSON.parse(text) as { bases: object }).bases)).toEqual([
      "docker.io/library/node:20-alpine",
    ]);
  });
});
