import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatReference, parseReference } from "../src/index.js";

const HEX = "0123456789abcdef".repeat(4);

test.each([
  ["nginx", { host: "docker.io", repository: "library/nginx" }],
  ["nginx:1.27", { host: "docker.io", repository: "library/nginx", tag: "1.27" }],
  ["tgoai/tgo-api", { host: "docker.io", repository: "tgoai/tgo-api" }],
  ["docker.io/nginx", { host: "docker.io", repository: "library/nginx" }],
  ["index.docker.io/nginx", { host: "docker.io", repository: "library/nginx" }],
  ["registry-1.docker.io/alpine", { host: "registry-1.docker.io", repository: "alpine" }],
  [
    "ghcr.io/tgoai/tgo-deploy/tgo-api:v1",
    { host: "ghcr.io", repository: "tgoai/tgo-deploy/tgo-api", tag: "v1" },
  ],
  ["localhost/x", { host: "localhost", repository: "x" }],
  ["localhost:5001/t/x:y", { host: "localhost:5001", repository: "t/x", tag: "y" }],
  ["[::1]:5001/x", { host: "[::1]:5001", repository: "x" }],
  ["Registry/x", { host: "Registry", repository: "x" }],
  [
    "registry.cn-shanghai.aliyuncs.com/tgoai/a__b",
    { host: "registry.cn-shanghai.aliyuncs.com", repository: "tgoai/a__b" },
  ],
  [`ghcr.io/a/b:t@sha256:${HEX}`, { host: "ghcr.io", repository: "a/b", tag: "t", digest: `sha256:${HEX}` }],
])("reads %s", (text, expected) => {
  expect(parseReference(text)).toEqual(expected);
});

test.each([
  ["", "it has no repository name"],
  ["ghcr.io/", "it has no repository name"],
  ["https://ghcr.io/a/b", "it starts with a scheme"],
  ["ghcr.io/Owner/x", "repository name (Owner/x) must be lowercase"],
  ["ghcr.io/a/b:-x", '"-x" is not a tag'],
  [`ghcr.io/a/b:${"x".repeat(129)}`, "is not a tag"],
  ["ghcr.io/a/b:", '"" is not a tag'],
  ["ghcr.io/a/b@sha256:12", "is not a digest"],
  [`ghcr.io/a/b@sha256:${HEX.toUpperCase()}`, "is not a digest"],
  [`x@sha256:${HEX}@sha256:${HEX}`, "more than one digest"],
  [HEX, "64 hex digits are an image id"],
  ["ghcr.io/a..b", "is not a repository name"],
  [`ghcr.io/${"a".repeat(256)}`, "longer than 255"],
  ["gh_cr.io/a", "is not a registry host"],
])("refuses %s and says why", (text, why) => {
  expect(() => parseReference(text)).toThrow(why);
});

describe("formatting", () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-)[a-z0-9]{1,4}){0,2}$/);
  const reference = fc.record(
    {
      host: fc.constantFrom(
        "docker.io",
        "ghcr.io",
        "localhost:5001",
        "localhost",
        "registry.cn-shanghai.aliyuncs.com",
        "[::1]:80",
      ),
      repository: fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/")),
      tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
      digest: fc.constant(`sha256:${HEX}`),
    },
    { requiredKeys: ["host", "repository"] },
  );

  test("is the inverse of parsing", () => {
    fc.assert(
      fc.property(reference, (value) => {
        expect(parseReference(formatReference(value))).toEqual(value);
      }),
    );
  });
});
