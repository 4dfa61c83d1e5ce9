import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostClient } from "../src/host-client.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-host-client-"));
});
afterAll(() => rm(folder, { recursive: true }));

const client = hostClient();

describe("without an engine", () => {
  it("a file is one of this machine", async () => {
    const path = join(folder, "tgo.catalog.json");
    await writeFile(path, "{}");
    const file = client.host().file(path);
    expect([await file.name(), await file.contents()]).toEqual(["tgo.catalog.json", "{}"]);
  });

  it("a file that cannot be read is named", () =>
    expect(client.host().file(join(folder, "none")).contents()).rejects.toMatchObject({
      code: "USAGE",
      where: join(folder, "none"),
    }));

  it("a secret is its text", async () => {
    expect(await client.setSecret("dockerConfig", "{}").plaintext()).toBe("{}");
  });

  it.each([
    ["localhost", "http://localhost:5001"],
    ["::1", "http://[::1]:5001"],
  ])("a connection to %s is direct", async (host, url) => {
    const service = await client
      .host()
      .service([{ frontend: 5000, backend: 5001 }], { host })
      .start();
    expect(await service.endpoint({ scheme: "http" })).toBe(url);
  });

  it("images are for Linux, of this machine's architecture", async () => {
    const names: Record<string, string> = { x64: "linux/amd64", arm64: "linux/arm64" };
    expect(await client.defaultPlatform()).toBe(names[process.arch]);
  });

  it.each([
    ["client.container", () => client.container()],
    ["host.unixSocket", () => client.host().unixSocket("/a")],
    ["directory.entries", () => client.host().directory(folder).entries()],
  ])("what needs an engine says so: %s", (name, use) => {
    expect(use).toThrow(`runs without an engine, and called ${name}`);
  });
});
