import { describe, expect, test } from "vitest";
import { builderOf, provenanceOf, readProvenance, type BuildInputs } from "../../src/index.js";
import { LOCAL_BUILDER } from "../../src/provenance/builder.js";

const REVISION = "0123456789abcdef0123456789abcdef01234567";
const hex = (digit: string): string => digit.repeat(64);

const INPUTS: BuildInputs = {
  service: "tgo-api",
  definition: { title: "TGO API", build: { strategy: "python" } },
  platforms: ["linux/arm64", "linux/amd64"],
  source: {
    repository: "https://github.com/tgoai/tgo",
    path: "repos/tgo-api",
    revision: REVISION,
    hash: hex("a"),
    created: "2026-01-02T03:04:05.000Z",
    locks: { "poetry.lock": `sha256:${hex("b")}` },
  },
  bases: { "python:3.11-slim": `sha256:${hex("c")}` },
  values: { API: "https://example.com" },
  version: "1.2.3",
  buildHash: "fedcba9876543210",
  key: "0011223344556677",
};

describe("provenance", () => {
  test("says everything that a candidate's key hashes, and each input by its digest", () => {
    const { buildDefinition, runDetails } = provenanceOf(INPUTS, LOCAL_BUILDER);
    expect(buildDefinition.externalParameters).toMatchObject({
      service: "tgo-api",
      version: "1.2.3",
      platforms: ["linux/amd64", "linux/arm64"],
      values: INPUTS.values,
    });
    expect(buildDefinition.internalParameters).toEqual({
      buildHash: "fedcba9876543210",
      candidate: "0011223344556677",
    });
    expect(buildDefinition.resolvedDependencies).toEqual([
      {
        uri: `git+https://github.com/tgoai/tgo@${REVISION}`,
        digest: { gitCommit: REVISION, tgoSourceHash: hex("a") },
      },
      { name: "poetry.lock", digest: { sha256: hex("b") } },
      { uri: "docker://python:3.11-slim", digest: { sha256: hex("c") } },
      { uri: "https://github.com/tgoai/tgo-pipelines", digest: { tgoBuildHash: "fedcba9876543210" } },
    ]);
    expect(runDetails).toEqual({ builder: { id: LOCAL_BUILDER } });
  });

  test("claims no commit for a source that is none", () => {
    const source = { ...INPUTS.source, revision: "dev-0123456789ab" };
    expect(
      provenanceOf({ ...INPUTS, source }, LOCAL_BUILDER).buildDefinition.resolvedDependencies[0],
    ).toEqual({ uri: "git+https://github.com/tgoai/tgo", digest: { tgoSourceHash: hex("a") } });
  });

  test.each([{ version: undefined }, {}])("is read back as it was written: %j", (change) => {
    const written = { ...INPUTS, ...change, platforms: ["linux/amd64", "linux/arm64"] };
    const json: unknown = JSON.parse(JSON.stringify(provenanceOf(written, LOCAL_BUILDER)));
    expect(readProvenance(json, "x")).toEqual({
      inputs: { ...written, source: { ...written.source, locks: {} } },
      builder: LOCAL_BUILDER,
    });
  });

  test.each([
    [{}, "cannot be read: buildDefinition"],
    [
      {
        buildDefinition: { buildType: "https://mobyproject.org/buildkit@v1", externalParameters: {} },
        runDetails: { builder: { id: "" } },
      },
      "is of another build type: https://mobyproject.org/buildkit@v1",
    ],
  ])("of another program, or malformed, is refused: %j", (predicate, expected) => {
    expect(() => readProvenance(predicate, "ghcr.io/a/b")).toThrow(expected);
  });
});

test.each([
  [{}, LOCAL_BUILDER],
  [{ CI: "true" }, LOCAL_BUILDER],
  [
    {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: "https://github.example.com",
      GITHUB_WORKFLOW_REF: "tgoai/tgo/.github/workflows/release.yml@refs/tags/v1.2.3",
      GITHUB_RUN_ID: "42",
    },
    "https://github.example.com/tgoai/tgo/.github/workflows/release.yml@refs/tags/v1.2.3",
  ],
  [
    { GITLAB_CI: "true", CI_PROJECT_URL: "https://gitlab.com/tgo/tgo", CI_COMMIT_REF_NAME: "v1.2.3" },
    "https://gitlab.com/tgo/tgo//.gitlab-ci.yml@v1.2.3",
  ],
  [{ GITLAB_CI: "true", CI_PROJECT_URL: "javascript:x" }, LOCAL_BUILDER],
])("the builder of %j is %s", (env, builder) => {
  expect(builderOf(env)).toBe(builder);
});
