import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Client, Secret } from "@dagger.io/dagger";
import { Bases } from "@tgo/builders";
import { parsePlatform } from "@tgo/catalog";
import { Progress } from "@tgo/progress";
import { digestOf } from "@tgo/registry";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { baseLookUp, type BaseLookUp } from "../src/base-look-up.js";
import { baseProblems } from "../src/base-problems.js";
import type { Context } from "../src/context.js";

const platform = (architecture: string): object => ({ os: "linux", architecture });
const child = (architecture: string): object => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: `sha256:${"1".repeat(64)}`,
  size: 1,
  platform: platform(architecture),
});
const INDEX = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [child("amd64"), child("arm64")],
});
const DIGEST = digestOf(new TextEncoder().encode(INDEX));

let asked: { url: string; headers: IncomingHttpHeaders }[] = [];
const server: Server = createServer(({ url = "", headers }, response) => {
  asked.push({ url, headers });
  const isKnown = ["two:1", DIGEST].some(
    (name) => url === `/v2/bases/two/manifests/${name.replace("two:", "")}`,
  );
  if (!isKnown) response.writeHead(404).end("{}");
  else response.writeHead(200, { "content-type": "application/vnd.oci.image.index.v1+json" }).end(INDEX);
});
let base: string;

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  base = `localhost:${(server.address() as AddressInfo).port}/bases/two`;
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  server.close();
});

const lookUp = (options: object = {}): BaseLookUp =>
  baseLookUp({
    progress: new Progress(() => undefined),
    signal: undefined,
    local: true,
    registryService: [],
    dockerConfig: undefined,
    credentials: undefined,
    ...options,
  });

it("A base image's tag is asked for in its registry: digest and platforms", async () => {
  const found = { digest: DIGEST, platforms: ["linux/amd64", "linux/arm64"] };
  expect(await lookUp()(`${base}:1`)).toEqual(found);
  expect(await lookUp()(`${base}@${DIGEST}`)).toEqual(found);
});

it("What cannot be asked from here is for the engine to answer", async () => {
  expect(await lookUp()(`${base}:2`)).toBeUndefined();
  expect(await lookUp()("localhost:1/bases/two:1")).toBeUndefined();
  // A module's own container has no registry on its localhost.
  expect(await lookUp({ local: false })(`${base}:1`)).toBeUndefined();
});

it("An engine that knows another digest, such as one from its own lock, is not asked", async () => {
  const engine = {
    container: () => {
      throw new Error("the engine was asked");
    },
  } as unknown as Client;
  const bases = new Bases({
    client: engine,
    native: parsePlatform("linux/amd64"),
    mirrors: {},
    pins: {},
    service: () => undefined,
    lookUp: lookUp(),
  });
  expect(await bases.digest(`${base}:1`)).toBe(DIGEST);
  // Once for both platforms.
  await bases.digest(`${base}:1`, parsePlatform("linux/arm64"));
  expect(asked.filter(({ url }) => url.includes("manifests"))).toHaveLength(1);
});

it("Pins are checked in the registry that has them: what is not pinned, gone, or lacks a platform is named", async () => {
  const engine = { container: () => Promise.reject(new Error("not in the engine either")) };
  const check = async (
    pins: Record<string, string>,
    platforms = ["linux/amd64"],
  ): Promise<readonly string[]> => {
    const context = {
      catalog: { mirrors: { images: { "docker.io": base.split("/")[0] } } },
      pins: { "docker.io/library/node:20-alpine": DIGEST, ...pins },
      platforms: platforms.map(parsePlatform),
      bases: engine,
      lookUpBase: (address: string) => lookUp()(address.replace("/library/node:20-alpine", "/bases/two")),
    } as unknown as Context;
    return (await baseProblems(context, [])).problems;
  };
  expect(await check({ [`${base}:1`]: DIGEST }, ["linux/amd64", "linux/arm64"])).toEqual([]);
  expect(await check({ [`${base}:1`]: `sha256:${"2".repeat(64)}` })).toEqual(["not in the engine either"]);
  const lock = { "docker.io/library/node:20-alpine": undefined } as unknown as Record<string, string>;
  expect(await check(lock)).toEqual([
    "docker.io/library/node:20-alpine is not pinned: dagger generate refresh-bases writes its digest to tgo.bases.json",
  ]);
});

it("Credentials that are given for a host come before those of Docker's config", async () => {
  const secret = (text: string): Secret => ({ plaintext: () => Promise.resolve(text) }) as unknown as Secret;
  const host = base.split("/")[0] ?? "";
  const auth = Buffer.from("old:old").toString("base64");
  const options = {
    logins: [{ host, username: "me", password: secret("new") }],
    dockerConfig: secret(JSON.stringify({ auths: { [host]: { auth } } })),
  };
  const challenged = createServer(({ headers }, response) => {
    asked.push({ url: "", headers });
    response.writeHead(401, { "www-authenticate": "Basic" }).end("{}");
  });
  await new Promise<void>((listening) => challenged.listen(0, "127.0.0.1", listening));
  const other = `localhost:${(challenged.address() as AddressInfo).port}`;
  try {
    await lookUp({ ...options, logins: [{ ...options.logins[0], host: other }] })(`${other}/bases/two:1`);
    const sent = asked.flatMap(({ headers }) => headers.authorization ?? []);
    expect(sent).toContain(`Basic ${Buffer.from("me:new").toString("base64")}`);
  } finally {
    challenged.close();
  }
});
