import { is } from "@tgo/schemas";
import { describe, expect, it } from "vitest";
import { parseRecord, RECORD_MEDIA_TYPE, recordJson, ReleaseRecord } from "../src/index.js";
import { digest } from "./arbitraries.js";

const variants = ["linux/arm64", "linux/amd64"].map((platform, at) => ({
  platform,
  digest: digest(`c${at}`),
  size: 79_000_000 + at,
}));
const service = {
  digest: digest("a"),
  revision: "c0ffee",
  platforms: variants,
  registries: {
    ghcr: {
      reference: `ghcr.io/tgoai/tgo-deploy/tgo-api@${digest("a")}`,
      tags: ["1.2.3", "1.2", "1", "latest"],
      state: "complete" as const,
    },
  },
};
const record = {
  schemaVersion: 1 as const,
  version: "1.2.3",
  tags: ["1.2.3", "1.2", "1", "latest"],
  services: { "tgo-web": service, "tgo-api": service },
  pipeline: "0123456789abcdef",
  createdAt: "2026-01-02T03:04:05Z",
};

describe("the release record", () => {
  it("parses back to what was written", () => {
    const read = parseRecord(recordJson(record), "record.json");
    expect(read.mediaType).toBe(RECORD_MEDIA_TYPE);
    expect(read.kind).toBe("release");
    expect(read.services["tgo-api"]?.platforms.map(({ platform }) => platform)).toEqual([
      "linux/amd64",
      "linux/arm64",
    ]);
    expect(recordJson(read)).toBe(recordJson(record));
  });

  it("has the same bytes in any key order", () => {
    const { "tgo-api": api, "tgo-web": web } = record.services;
    const other = {
      createdAt: record.createdAt,
      pipeline: record.pipeline,
      services: { "tgo-api": { ...api, platforms: [...variants].reverse() }, "tgo-web": web },
      tags: record.tags,
      version: record.version,
      schemaVersion: record.schemaVersion,
    };
    expect(recordJson(other)).toBe(recordJson(record));
    expect(recordJson(record)).not.toContain("\n");
  });

  it.each([
    ["no JSON", "<html>", /it is not a release record: \(top level\)/],
    ["another schema", JSON.stringify({ ...record, schemaVersion: 2 }), /schemaVersion/],
    [
      "a digest that is none",
      recordJson(record).replaceAll(digest("a"), "sha256:abc"),
      /services\.tgo-api\.digest: must be/,
    ],
    [
      "a version with a v",
      recordJson(record).replace('"version":"1.2.3"', '"version":"v1.2.3"'),
      /version: must be a version/,
    ],
  ])("is not read from %s", (_, text, told) => {
    expect(() => parseRecord(text, "ghcr.io/x@sha256:1")).toThrow(told);
  });

  it.each([
    ["2026-01-02T03:04:05Z", true],
    ["2024-02-29T23:59:59.123456789Z", true],
    ["2026-02-29T03:04:05Z", false],
    ["2026-04-31T03:04:05Z", false],
    ["2026-01-02T24:00:00Z", false],
    ["2026-01-02T03:04Z", false],
    ["2026-01-02T03:04:05+00:00", false],
    ["2026-01-02", false],
    ["now", false],
  ])("takes %s for a commit's time: %s", (createdAt, accepted) => {
    expect(is(ReleaseRecord, { ...record, createdAt })).toBe(accepted);
  });

  it("rejects a field that would not parse back", () => {
    expect(() => recordJson({ ...record, version: "1.2" })).toThrow(
      /record is malformed: version.*\n.*defect/,
    );
    expect(is(ReleaseRecord, { ...record, host: "build-7" })).toBe(false);
  });
});
