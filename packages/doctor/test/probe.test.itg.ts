import { startFaultProxy, startRegistry, type FaultProxy, type LocalRegistry } from "@tgo/testing";
import { Registry } from "@tgo/registry";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { probeRegistry, renderProbe, type ProbeResult } from "../src/index.js";

let registry: LocalRegistry;
let proxy: FaultProxy;
beforeAll(async () => {
  registry = await startRegistry({ auth: "basic" });
  proxy = await startFaultProxy(registry.url);
});
afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});
beforeEach(() => {
  proxy.clear();
});

const login = (): { username: string; password: string } => ({
  username: registry.username ?? "",
  password: registry.password ?? "",
});
const probe = (host = registry.host, credentials = login()): Promise<ProbeResult> =>
  probeRegistry({ host, credentials }, "me/probe", () => Promise.resolve());
const answers = ({ rows }: ProbeResult): Record<string, string> =>
  Object.fromEntries(rows.map(({ row, answer }) => [row, answer]));

it("tells how distribution answers, and leaves nothing in it", async () => {
  const result = await probe();
  expect(result.problem).toBeUndefined();
  expect(answers(result)).toMatchObject({
    "GET /v2/ without a login": expect.stringMatching(/^401, Basic realm=/) as string,
    "upload address": "/v2/me/probe/blobs/uploads/…?…",
    "upload by POST and one PUT": "201",
    "upload of a chunk of 5 MiB with Content-Range": "202",
    "cancelling an upload": "204",
    "mount from another repository": "201",
    "HEAD of a blob": "200",
    "GET of a range of a blob": "206, bytes 4-9/51",
    "PUT of a manifest": "201",
    "found after its PUT": "at once",
    "HEAD of a manifest": "200, with its digest",
    "PUT of another manifest to a tag": "201",
    "PUT of an index before its manifests": expect.stringMatching(/^400 MANIFEST_BLOB_UNKNOWN/) as string,
    "PUT of a manifest of more than 4 MiB": expect.stringMatching(/^4/) as string,
    "GET of a missing tag": expect.stringMatching(/^404 MANIFEST_UNKNOWN/) as string,
    "PUT of what refers to an image": "201, without OCI-Subject",
    "referrers API": expect.stringMatching(/^404/) as string,
    "tags/list of a repository that there is not": expect.stringMatching(/^404 NAME_UNKNOWN/) as string,
    "DELETE of a manifest": "202",
    "DELETE of a blob": "202",
  });
  expect(result.left).toEqual([]);
  const client = new Registry({ host: registry.host, credentials: login() });
  expect(await client.tags("me/probe")).toEqual([]);
  expect(renderProbe(result)).toContain("Nothing was left behind");
  expect(renderProbe(result)).not.toContain(login().password);
});

it("tells how Aliyun's and GitHub's registries answer, and what they did not remove", async () => {
  proxy.add({
    on: ({ method, path }) => method === "PUT" && path.includes("/manifests/sha256"),
    fault: {
      kind: "refuse-manifest",
      like: /vnd\.oci\.empty|vnd\.tgo\.probe\.config/,
      status: 403,
      body: JSON.stringify({ errors: [{ code: "DENIED", message: "unknown manifest class" }] }),
    },
  });
  proxy.add({
    on: ({ method, path }) => method === "DELETE" && path.includes("/manifests/"),
    fault: {
      kind: "answer",
      status: 405,
      body: JSON.stringify({ errors: [{ code: "UNSUPPORTED", message: "The operation is unsupported." }] }),
    },
  });
  proxy.add({
    on: ({ method }) => method === "PATCH",
    fault: { kind: "answer", status: 416, body: "{}" },
  });
  proxy.add({
    on: ({ path }) => path.includes("/referrers/"),
    fault: { kind: "answer", status: 303, headers: { location: "https://github.com/-/v2/x?sig=1" } },
  });
  const result = await probe(proxy.host);
  expect(answers(result)).toMatchObject({
    "PUT of an artifact with the empty config": "403 DENIED: unknown manifest class",
    "PUT of an artifact with a config of its own type": "403 DENIED: unknown manifest class",
    "PUT of an artifact with an image's config": "201",
    "upload of a chunk of 5 MiB with Content-Range": "416",
    "referrers API": "303 to https://github.com",
    "DELETE of a manifest": "405 UNSUPPORTED: The operation is unsupported.",
  });
  expect(result.left).toContainEqual(expect.stringMatching(/^me\/probe:tgo-probe-[0-9a-f]{12}$/));
  expect(renderProbe(result)).toMatch(/Could not be removed[^]*me\/probe@sha256/);
});

it("stops where nothing can be pushed, and says why", async () => {
  const result = await probe(registry.host, { username: "me", password: "wrong" });
  expect(result).toMatchObject({ problem: { code: "DENIED" }, left: [] });
});

it("tells why a registry cannot be reached", async () => {
  const { problem, rows } = await probeRegistry({ host: "127.0.0.1:9" }, "me/probe");
  expect(problem?.what).toMatch(/^cannot reach 127\.0\.0\.1:9: /);
  expect(rows).toEqual([]);
});

it("a registry that goes away in the middle is told, with what is left", async () => {
  proxy.add({ on: ({ path }) => path.includes("/referrers/"), fault: { kind: "down" } });
  const result = await probe(proxy.host);
  expect(result.problem?.code).toBe("UNAVAILABLE");
  expect(result.left.length).toBeGreaterThan(2);
});
