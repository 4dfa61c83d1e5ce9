import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Client, File } from "@dagger.io/dagger";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FunctionFailed, ReportError } from "../src/function-failed.js";
import type { HostOptions } from "../src/host.js";
import { Pipelines } from "../src/pipelines.js";

/** A registry that accepts pushes and is empty. */
const empty: Server = createServer(({ method }, response) => {
  if (method === "POST") response.writeHead(202, { location: "/v2/x/blobs/uploads/1" }).end();
  else if (method === "DELETE") response.writeHead(204).end();
  else {
    const errors = [{ code: "NAME_UNKNOWN", message: "repository name not known to registry" }];
    response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ errors }));
  }
});

beforeAll(async () => {
  await new Promise<void>((listening) => empty.listen(0, "127.0.0.1", listening));
});
afterAll(() => {
  empty.close();
});

/** Reading registries needs no engine. */
const client = {
  defaultPlatform: () => Promise.resolve("linux/amd64"),
  host: () => ({ service: () => undefined }),
} as unknown as Client;
const service = { title: "A service", build: { strategy: "dockerfile" } };

const onHost: HostOptions = { local: true, command: "npx --no-install tgo" };

function pipelinesOf(ports: readonly number[], host: HostOptions): Pipelines {
  const registries = Object.fromEntries(
    ports.map((port) => [`r${port}`, { host: `localhost:${port}`, repository: "tgoai/{service}" }]),
  );
  const catalog = { services: { one: service, two: service }, registries };
  return new Pipelines(
    client,
    { catalog, pipeline: "test", buildHash: "test" },
    {},
    { engine: "none", progress: () => undefined, ...host },
  );
}

const pipelines = (...ports: number[]): Pipelines => pipelinesOf(ports, onHost);

const port = (): number => (empty.address() as AddressInfo).port;
const failure = (run: Promise<string>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  );

it("prune with an unreachable registry fails with its list, in the requested format", async () => {
  const flags = { days: 30, keep: 0, undated: false };
  const failed = await failure(pipelines(port(), 1).prune(["all"], flags, "json"));
  expect(failed).toBeInstanceOf(FunctionFailed);
  expect(JSON.parse((failed as FunctionFailed).message)).toMatchObject({
    prune: {
      repositories: [
        { registry: `r${port()}` },
        { registry: "r1", problem: { code: "UNAVAILABLE" } },
        {},
        {},
      ],
    },
  });
});

it("Promoting a version that no registry has reports it once, without a command to repeat", async () => {
  const flags = { version: "1.2.9", allowBackwards: false, adoptLatest: false };
  const failed = await failure(pipelines(port()).promote(["all"], flags, "text"));
  if (!(failed instanceof ReportError)) throw new Error("no report", { cause: failed });
  expect(failed.report).toMatchObject({ command: "promote", version: "1.2.9", services: [] });
  expect(failed.message.split("no registry has version 1.2.9")).toHaveLength(2);
  expect(failed.message).toContain("npx --no-install tgo release --version 1.2.9");
  expect(failed.message).not.toContain("next:");
});

it("in a module, a registry on localhost without a connection fails with the flags to add", async () => {
  const failed = await failure(
    pipelinesOf([port(), 1], {}).verify(["one"], { tag: "latest", elf: true }, "json"),
  );
  if (!(failed instanceof ReportError)) throw new Error("no report", { cause: failed });
  const problems = failed.report.services.flatMap(({ registries }) =>
    registries.flatMap((row) => row.problems),
  );
  const flags = `--registry-service tcp://localhost:${port()} --registry-service tcp://localhost:1`;
  expect(problems).toHaveLength(2);
  for (const problem of problems) {
    expect(problem).toMatchObject({ code: "USAGE", remedy: expect.stringContaining(`\n${flags}`) as string });
  }
  // Dagger appends its trace's id.
  expect(failed.message).toMatch(/\n$/);
});

it("results end with a newline", async () => {
  for (const format of ["text", "json", "markdown"] as const) {
    expect(await pipelines(port()).services(format)).toMatch(/[^\n]\n$/);
    expect(await pipelines(port()).status(["one"], format)).toMatch(/[^\n]\n$/);
  }
});

it("an error's remedy names the command as the reader has to type it", async () => {
  const lock = {
    name: () => Promise.resolve("tgo.bases.json"),
    contents: () => Promise.resolve("no JSON"),
  } as unknown as File;
  const product = { catalog: { services: { one: service } }, pipeline: "test", buildHash: "test" };
  const failed = (host: HostOptions): Promise<unknown> =>
    failure(new Pipelines(client, product, { baseLock: lock }, host).plan(["one"], "text"));
  expect(await failed(onHost)).toMatchObject({
    code: "CATALOG",
    remedy: "Write it again: npx --no-install tgo lock-bases --output tgo.bases.json.",
  });
  expect(await failed({})).toMatchObject({
    remedy:
      "Write it again: dagger call --base-lock FILL_IN/tgo.bases.json lock-bases --output tgo.bases.json.\n" +
      "Put your own path in the place of each FILL_IN: Dagger does not tell it to a module.",
  });
});

it.each([
  [{ days: -5 }, "--days must be a whole number from 0 to 36500, not -5"],
  [{ days: 1.5 }, "--days must be a whole number from 0 to 36500, not 1.5"],
  [{ days: Number.NaN }, "--days must be a whole number from 0 to 36500, not NaN"],
  [{ days: 1e12 }, "--days must be a whole number from 0 to 36500, not 1000000000000"],
  [{ keep: -1 }, "--keep must be a whole number from 0 to 1000000, not -1"],
])("prune refuses %j before it asks a registry", async (flags, message) => {
  const all = { days: 30, keep: 0, undated: false, ...flags };
  await expect(pipelines(1).prune(["all"], all, "text")).rejects.toMatchObject({ code: "USAGE", message });
});

it.each([
  ["registry", [""]],
  ["registry", []],
  ["platform", []],
  ["mirror", ["pypi=https://x.example", " "]],
])("an empty --%s means nothing, not the catalog's: it is refused", async (name, value) => {
  const made = new Pipelines(client, { catalog: {}, pipeline: "t", buildHash: "t" }, { [name]: value });
  const refused = { code: "USAGE", what: `--${name} is empty` };
  await expect(made.status(["all"], "text")).rejects.toMatchObject(refused);
  await expect(made.plan(["all"], "text")).rejects.toMatchObject(refused);
});

it("so is an empty version, tag or service", async () => {
  const none = { allowBackwards: false, adoptLatest: false };
  const empty = (flag: string): object => ({ code: "USAGE", what: `--${flag} is empty` });
  await expect(pipelines(1).promote(["all"], { ...none, version: "" }, "text")).rejects.toMatchObject(
    empty("version"),
  );
  await expect(pipelines(1).release(["all"], { ...none, gitTag: "" }, "text")).rejects.toMatchObject(
    empty("git-tag"),
  );
  await expect(pipelines(1).verify(["one"], { tag: " ", elf: true }, "text")).rejects.toMatchObject(
    empty("tag"),
  );
  await expect(pipelines(1).status([""], "text")).rejects.toMatchObject(empty("service"));
});

it("verify refuses a tag that can be none, before it asks a registry", async () => {
  const wrong = pipelines(1).verify(["one"], { tag: "sha256:abc", elf: true }, "text");
  await expect(wrong).rejects.toMatchObject({
    code: "USAGE",
    what: '--tag "sha256:abc" is neither a tag nor a digest',
  });
});

it("verify of a digest names it as it is pulled", async () => {
  const tag = `sha256:${"0".repeat(64)}`;
  const failed = await failure(pipelines(port()).verify(["one"], { tag, elf: true }, "text"));
  if (!(failed instanceof ReportError)) throw new Error("no report", { cause: failed });
  expect(failed.message).toContain(`localhost:${port()}/tgoai/one@${tag}`);
  expect(failed.message).not.toContain(`one:${tag}`);
});
