import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { sessionProblem } from "../src/engine.js";
import { reachEngine } from "../src/reach-engine.js";

describe("An engine's address", () => {
  it.each(["127.0.0.1", "[::1]"])(
    "is reached, and is refused at once when nothing listens: %s",
    async (host) => {
      const server = createServer();
      await once(server.listen(0, host.replace(/[[\]]/g, "")), "listening");
      const address = `tcp://${host}:${(server.address() as AddressInfo).port}`;
      await reachEngine(address);
      server.close();
      await once(server, "close");
      await expect(reachEngine(address)).rejects.toThrow("ECONNREFUSED");
    },
  );

  it.each([
    ["unix:///nowhere/engine.sock", "ENOENT"],
    ["tcp://no-such-host.invalid:1234", /ENOTFOUND|EAI_AGAIN/],
    ["tcp://arm:99999", "Invalid URL"],
  ])("%s cannot be reached", async (address, what) => {
    await expect(reachEngine(address)).rejects.toThrow(what);
  });

  it("of a container is left to the dagger command, which starts it", async () => {
    await reachEngine("container://nobody_here");
    await reachEngine("kube-pod://engine?namespace=dagger");
  });
});

it("What the dagger command ends with is the problem of a session, not what the SDK makes of it", () => {
  const cause = new TypeError("Cannot read properties of undefined (reading 'port')");
  const printed = ["1 : connect ERROR", "", 'Error: start engine: no driver for scheme "x" found'];
  expect(sessionProblem(cause, printed)).toBe('start engine: no driver for scheme "x" found');
  expect(sessionProblem(cause, [])).toBe(cause.message);
});
