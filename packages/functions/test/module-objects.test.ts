import type { Client, Directory, Workspace } from "@dagger.io/dagger";
import { expect, it } from "vitest";
import { FunctionFailed } from "../src/function-failed.js";
import { renderRecord, renderReport } from "../src/kept-report.js";
import { Pipelines } from "../src/pipelines.js";
import { workspaceCall } from "../src/workspace-call.js";

const client = {
  defaultPlatform: () => Promise.resolve("linux/amd64"),
  host: () => ({ service: () => undefined }),
} as unknown as Client;
const service = { title: "A service", build: { strategy: "dockerfile" } };
const product = { catalog: { services: { one: service } }, pipeline: "test", buildHash: "test" };
const host = { local: true, engine: "none", progress: () => undefined, command: "tgo" };

/** Nothing listens on port 1. */
const unreachable = new Pipelines(
  client,
  product,
  { repositories: { service: "one", names: ["localhost:1/a/b"] } },
  host,
);

it("A verification that fails is a value: ok is false, and every problem says where and what to do", async () => {
  const { ok, problems, digest, json } = await unreachable.verification("one", { tag: "latest" });
  expect(ok).toBe(false);
  expect(digest).toBe("");
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/cannot reach localhost:1[^]*\n/);
  expect(await renderReport(json, "text")).toContain("localhost:1/a/b:latest");
  expect(JSON.parse(await renderReport(json, "json"))).toMatchObject({ command: "verify", ok: false });
  expect(await renderReport(json, "html")).toContain("<html");
});

it("A wrong call is an error all the same", async () => {
  await expect(unreachable.verification("two", { tag: "latest" })).rejects.toMatchObject({ code: "USAGE" });
  await expect(unreachable.verification("one", { tag: "not a tag" })).rejects.toMatchObject({
    code: "USAGE",
  });
});

it("A release that fails throws its report as text, for whoever reads the consumer's log", async () => {
  const failed = await unreachable.releaseImage("one", { version: "1.2.3" }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(FunctionFailed);
  expect((failed as Error).message).toContain("cannot reach localhost:1");
  expect(() => renderRecord("{}")).toThrow("the release has no record");
});

it("A variant of a platform that the candidate does not have is refused, with those that it has", async () => {
  const candidate = {
    platforms: ["linux/amd64"],
    manifests: ["sha256:1"],
    references: ["localhost:1/a/b@sha256:2"],
  };
  await expect(unreachable.variant("one", candidate, "linux/s390x")).rejects.toMatchObject({
    code: "USAGE",
    what: 'the candidate has no variant for "linux/s390x"',
    remedy: "It has linux/amd64.",
  });
});

function workspaceOf(entries: readonly string[], repos: readonly string[] = []): Workspace {
  const root = {
    entries: ({ path }: { path?: string } = {}) => Promise.resolve(path === undefined ? entries : repos),
    file: (name: string) => ({ name }),
  };
  const workspace = { directory: () => root as unknown as Directory, path: () => Promise.resolve("sub") };
  return workspace as unknown as Workspace;
}

it("A check takes catalog, lock and sources from the workspace, where the constructor got none", async () => {
  const call = { client, product, host, options: {} };
  const empty = await workspaceCall(call, workspaceOf([]));
  expect(empty.options).toEqual({ catalog: undefined, baseLock: undefined, repos: undefined });
  const all = workspaceOf(["repos/", "tgo.bases.json", "tgo.catalog.json"], ["one/", "README.md"]);
  const found = await workspaceCall(call, all);
  expect(found.options).toMatchObject({
    catalog: { name: "tgo.catalog.json" },
    baseLock: { name: "tgo.bases.json" },
    repos: found.root,
  });
  expect(found.sources).toEqual(["one", "README.md"]);
  const given = { name: "given" } as never;
  expect((await workspaceCall({ ...call, options: { catalog: given } }, all)).options.catalog).toBe(given);
});

it("check-smoke without a source is no success, and refresh-bases below the root would write a second lock", async () => {
  const pipelines = new Pipelines(client, product, {}, host);
  await expect(pipelines.checkSmoke(workspaceOf(["repos/"], ["two/"]))).rejects.toMatchObject({
    code: "USAGE",
    what: "this repository has the source of no service",
  });
  await expect(pipelines.refreshBases(workspaceOf([]))).rejects.toMatchObject({
    code: "USAGE",
    what: "tgo.bases.json belongs to the root of the repository, and this is sub",
  });
});
