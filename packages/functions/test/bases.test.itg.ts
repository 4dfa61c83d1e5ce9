import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect, type Client, type Platform as DaggerPlatform } from "@dagger.io/dagger";
import { startEngine, type Engine } from "@tgo/local-engine";
import { formatBaseLock } from "@tgo/catalog";
import { startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildVariants, type Built, standardLabels } from "@tgo/builders";
import { createContext } from "../src/context.js";
import type { Options } from "../src/options.js";
import type { HostOptions } from "../src/host.js";
import { Pipelines } from "../src/pipelines.js";
import { prepareCandidate, type Prepared } from "@tgo/publishing";

const BASE = "bases.example/two:1";
const SECRET = "a#word $ecret";

let folder: string;
let mirror: LocalRegistry;
let registry: LocalRegistry;
let engine: Engine;
let client: Client;
let ended: Promise<void>;
let end = (): void => undefined;
let told: string[] = [];
const host: HostOptions = {
  local: true,
  progress: ({ kind, step, detail }) => {
    if (kind !== "begin") told.push(`${step}: ${detail ?? ""}`);
  },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-bases-"));
  [mirror, registry] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startRegistry({ auth: "none" }),
  ]);
  engine = await startEngine({ home: join(folder, "engine"), onEvent: () => undefined });
  process.env.DAGGER_SESSION_PORT = String(engine.port);
  process.env.DAGGER_SESSION_TOKEN = engine.token;
  await new Promise<void>((ready) => {
    ended = connect((connected) => {
      client = connected;
      ready();
      return new Promise((resolve) => (end = resolve));
    });
  });
});

afterAll(async () => {
  end();
  await ended;
  await engine.close();
  await Promise.all([mirror.stop(), registry.stop()]);
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  told = [];
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
  // One variant makes a plain image, as some registries have them.
  const [only] = variants;
  const reference =
    variants.length === 1 && only !== undefined
      ? await only.publish(address)
      : await client.container().publish(address, { platformVariants: variants });
  return reference.slice(reference.indexOf("@") + 1);
}

type Files = Readonly<Record<string, string>>;

async function written(files: Files): Promise<string> {
  const source = await mkdtemp(join(folder, "source-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  }
  return source;
}

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

async function prepared(files: Files, { build, options, values }: Change = {}): Promise<Prepared> {
  const product = productOf({ strategy: "dockerfile", ...build });
  const context = await createContext(client, product, { ...viaRegistry(), ...options }, host);
  const { x } = context.catalog.services;
  if (x === undefined) throw new Error("no service");
  const source = client.host().directory(await written(files));
  return prepareCandidate(context, "x", x, { source, ...(values === undefined ? {} : { values }) });
}

async function built(files: Files, change?: Change): Promise<Built> {
  return buildVariants((await prepared(files, change)).request);
}

const lockFile = async (bases: Record<string, string>): Promise<Partial<Options>> => {
  const path = join(await written({ "tgo.bases.json": formatBaseLock(bases) }), "tgo.bases.json");
  return { ...viaRegistry(), baseLock: client.host().file(path) };
};

describe("a service's own Dockerfile", () => {
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

  it("is built for both platforms with arguments, secrets and bases from a mirror, and nothing of that stays", async () => {
    const digest = await publishBase("two:1", "first");
    const { variants, notes } = await built(FILES, { build, options: secrets(), values: ["GREETING=bye"] });
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
    expect(notes).toEqual([expect.stringContaining(`${BASE}; npx --no-install tgo lock-bases --output`)]);
    const { request } = await prepared(FILES, { build, options: secrets() });
    expect(standardLabels(request)).toMatchObject({
      "org.opencontainers.image.base.name": BASE,
      "org.opencontainers.image.base.digest": digest,
    });
  });

  it("may be left out of what is copied by .dockerignore, and is found all the same", async () => {
    const files = {
      Dockerfile: `FROM ${BASE}\nCOPY . /context/\n`,
      ".dockerignore": "Dockerfile\n.dockerignore\n",
      a: "",
    };
    const { variants } = await built(files);
    expect(await variants[0]?.container.directory("/context").entries()).toEqual(["a"]);
  });

  it("that will emulate is told of before it does", async () => {
    const native = String(await client.defaultPlatform());
    const platform = native === "linux/amd64" ? "linux/arm64" : "linux/amd64";
    const files = { Dockerfile: `FROM ${BASE}\nRUN ["/no/such/program"]\n` };
    await expect(built(files, { options: { ...viaRegistry(), platform: [platform] } })).rejects.toThrow(
      `building x from Dockerfile for ${platform} failed`,
    );
    expect(told.filter((line) => line.startsWith("build"))).toEqual([
      "build: 1 RUN line of Dockerfile under emulation, which is slow",
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
      "an image that is not there",
      { Dockerfile: "FROM bases.example/none:1\n" },
      {},
      /bases\.example\/none:1 cannot be pulled/,
    ],
  ])("is refused with %s before anything is built", async (_, files, change, message) => {
    await expect(built(files, change)).rejects.toThrow(message);
    expect(told.filter((line) => line.startsWith("build"))).toEqual([]);
  });
});

describe("the base lock", () => {
  const files = { Dockerfile: `FROM ${BASE}\n` };

  it("holds a base when its tag moves, makes another candidate, and is told what changed", async () => {
    const first = await publishBase("two:1", "first");
    const locked = await lockFile({ [BASE]: first });
    const before = await prepared(files, { options: locked });
    const second = await publishBase("two:1", "second");
    const held = await prepared(files, { options: locked });
    expect(held.key).toBe(before.key);
    expect(held.request.notes).toEqual([]);
    const { variants } = await buildVariants(held.request);
    expect(await variants[0]?.container.file("/base.txt").contents()).toBe("first linux/amd64");

    const other = await prepared(files, { options: await lockFile({ [BASE]: second }) });
    expect(other.key).not.toBe(held.key);

    // The engine asks for a tag once a session: a session of its own sees the tag where it is now.
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
    expect(told).toContain(`resolve bases.example/three:1: ${first} -> ${moved}`);
  });

  it("is not written with a base that lacks a platform", async () => {
    await publishBase("one:1", "one", ["linux/amd64"]);
    const build = { strategy: "python", base: "bases.example/one:1" };
    const lock = new Pipelines(client, productOf(build), viaRegistry(), host).lockBases([]);
    await expect(lock).rejects.toThrow(/bases\.example\/one:1 has no linux\/arm64 variant/);
  });

  it("with a digest that is gone says how to pin anew", async () => {
    const options = await lockFile({ [BASE]: `sha256:${"0".repeat(64)}` });
    await expect(prepared(files, { options })).rejects.toThrow(/pinned to a digest.*tgo lock-bases/s);
  });

  it("that the shell has emptied is written from nothing", async () => {
    const path = join(await written({ "tgo.bases.json": "" }), "tgo.bases.json");
    const build = { strategy: "python", base: "docker.io/library/node:20-alpine" };
    const options = { baseLock: client.host().file(path) };
    const text = await new Pipelines(client, productOf(build), options, host).lockBases(["x"]);
    expect(Object.keys((JSON.parse(text) as { bases: object }).bases)).toEqual([
      "docker.io/library/node:20-alpine",
    ]);
  });
});
