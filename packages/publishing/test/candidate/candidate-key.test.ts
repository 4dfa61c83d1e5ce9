import { applyOverride } from "@tgo/catalog";
import { kindOfTag } from "@tgo/release-rules";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assembledKey,
  candidateKey,
  candidateTag,
  inputsKey,
  variantKey,
  type CandidateInputs,
} from "../../src/candidate/candidate-key.js";

const catalog = applyOverride({ services: { x: { title: "X", build: { strategy: "python" } } } });
const definition = catalog.services.x;
if (definition === undefined) throw new Error("no definition");

const inputs: CandidateInputs = {
  service: "x",
  definition,
  platforms: ["linux/amd64", "linux/arm64"],
  source: { hash: "a".repeat(64), revision: "dev-aaaaaaaaaaaa", created: new Date("2026-01-02T03:04:05Z") },
  bases: { "docker.io/library/python:3.11-slim linux/amd64": "sha256:1" },
  values: { A: "1", B: "2" },
  buildHash: "0123456789abcdef",
  version: undefined,
};

describe("candidateKey", () => {
  it("is 16 hex digits and makes a valid tag", () => {
    expect(candidateTag(candidateKey(inputs))).toMatch(/^candidate-[0-9a-f]{16}$/);
  });

  it.each<[string, Partial<CandidateInputs>]>([
    ["the service", { service: "y" }],
    ["the definition", { definition: { ...definition, title: "Y" } }],
    ["the platforms", { platforms: ["linux/amd64"] }],
    ["the source's content", { source: { ...inputs.source, hash: "b".repeat(64) } }],
    ["the revision", { source: { ...inputs.source, revision: "c0ffee" } }],
    ["the commit's time", { source: { ...inputs.source, created: new Date(0) } }],
    ["a base's digest", { bases: { "docker.io/library/python:3.11-slim linux/amd64": "sha256:2" } }],
    ["a build value", { values: { A: "1", B: "3" } }],
    ["the code that builds", { buildHash: "fedcba9876543210" }],
    ["the version", { version: "1.2.3" }],
  ])("changes with %s", (_, change) => {
    expect(candidateKey({ ...inputs, ...change })).not.toBe(candidateKey(inputs));
  });

  it.each<[string, Partial<typeof definition>]>([
    ["the folder its source is in", { source: { ...definition.source, path: "elsewhere" } }],
    ["an editor's schema", { $schema: "./service.schema.json" }],
    ["how long its build may take", { build: { ...definition.build, timeoutSeconds: 7 } }],
    ["how it is tested", { smoke: { ...definition.smoke, exec: [["true"]] } }],
    ["which files may be foreign", { allowForeign: ["*.bin"] }],
    ["which differences are meant", { allowDifferences: ["/opt/x86/"] }],
  ])("does not change with %s", (_, change) => {
    expect(candidateKey({ ...inputs, definition: { ...definition, ...change } })).toBe(candidateKey(inputs));
  });

  it.each<[string, Partial<typeof definition>]>([
    ["its source's repository, which is a label", { source: { repository: "https://example.com/x" } }],
  ])("changes with %s", (_, change) => {
    expect(candidateKey({ ...inputs, definition: { ...definition, ...change } })).not.toBe(
      candidateKey(inputs),
    );
  });

  it("does not depend on proxies", () => {
    const values = { ...inputs.values, HTTPS_PROXY: "http://me:secret@proxy:3128", no_proxy: "localhost" };
    expect(candidateKey({ ...inputs, values })).toBe(candidateKey(inputs));
  });

  it("does not depend on the order in which values were given", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (values) => {
        const reversed = Object.fromEntries(Object.entries(values).reverse());
        expect(candidateKey({ ...inputs, values: reversed })).toBe(candidateKey({ ...inputs, values }));
      }),
    );
  });
});

describe("The key of a platform that was built alone", () => {
  const KEY = "0123456789abcdef";

  it.each([
    [undefined, KEY],
    ["natively", `${KEY}-native`],
    ["cross-compiled", `${KEY}-cross-arm64`],
    ["under emulation", `${KEY}-emulated-arm64`],
  ] as const)("says how packages were compiled (%s)", (compiled, key) => {
    expect(variantKey(KEY, "linux/arm64", compiled)).toBe(key);
    expect(inputsKey(key)).toBe(KEY);
    expect(kindOfTag(candidateTag(key)).kind).toBe("candidate");
  });

  it.each([
    [[KEY, KEY], KEY],
    [[KEY, `${KEY}-native`], `${KEY}-native`],
    [[`${KEY}-native`, `${KEY}-native`], `${KEY}-native`],
    [[`${KEY}-native`, `${KEY}-cross-arm64`], `${KEY}-cross-arm64`],
  ])("and so does that of the image assembled from %j", (variants, key) => {
    expect(assembledKey(KEY, variants)).toBe(key);
  });
});
