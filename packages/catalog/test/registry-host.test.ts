import { expect, it } from "vitest";
import { parseRegistryFlag } from "../src/registry.js";
import { applyOverride } from "../src/index.js";

it.each([
  ["localhost:5000/x", "localhost:5000"],
  ["[::1]:5000/x", "[::1]:5000"],
  ["v6=[2001:db8::1]/x", "[2001:db8::1]"],
  ["127.0.0.1:65535/x", "127.0.0.1:65535"],
])("--registry %s", (text, host) => {
  expect(parseRegistryFlag(text, {}).registry.host).toBe(host);
});

it.each([
  "localhost:99999/x",
  "localhost:65536/x",
  "localhost:0/x",
  "localhost:/x",
  "[::1/x",
  "::1:5000/x",
  "ghcr.io:443:1/x",
])("--registry %s is refused, with the range of ports", (text) => {
  expect(() => parseRegistryFlag(text, {})).toThrow(
    /is not a registry: must be a host name, or an IPv6 address .* up to 65535/,
  );
});

it("the catalog's registries and base images have the same rule", () => {
  const service = { title: "A", build: { strategy: "python", base: "localhost:70000/python:3.11-slim" } };
  const registries = { a: { host: "localhost:70000", repository: "x/{service}" } };
  expect(() => applyOverride({ services: { a: service }, registries })).toThrow(/2 problems/);
});
