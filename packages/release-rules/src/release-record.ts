import { TgoError } from "@tgo/errors";
import canonicalize from "canonicalize";
import * as v from "@tgo/schemas";
import { readVersion } from "./version.js";

/** Media type of the record, and artifact type of the manifest that carries it into a registry. */
export const RECORD_MEDIA_TYPE = "application/vnd.tgo.release.v1+json";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms */
const Digest = v.pipe(
  v.string(),
  v.regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 lower-case hex digits"),
);

const VersionText = v.pipe(
  v.string(),
  v.check((text) => readVersion(text)?.text === text, "must be a version without a v, such as 1.2.3"),
);

/** RFC 3339 in UTC, with seconds, on a day that exists. */
const Time = v.pipe(
  v.string(),
  v.check(
    (text) =>
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) &&
      !Number.isNaN(Date.parse(text)) &&
      new Date(text).toISOString().startsWith(text.slice(0, 19)),
    "must be a time in UTC, such as 2026-01-02T03:04:05Z",
  ),
);

/** The image of one platform. */
const RecordedVariant = v.strictObject({
  /** `os/architecture` */
  platform: v.string(),
  /** Digest of the variant's manifest. */
  digest: Digest,
  /** Bytes a pull transfers: config and layers, compressed. */
  size: v.wholeNumber(0),
});

/** One service in one registry. */
const RecordedRegistry = v.strictObject({
  /** `host/repository@digest` */
  reference: v.string(),
  /** The tags of this release that point to the digest there. */
  tags: v.array(v.string()),
  /**
   * Whether the registry has every planned tag, or a newer version has taken it over. Who wrote a tag, and in which
   * run, is not recorded: a repeated release writes the same record.
   */
  state: v.picklist(["complete", "incomplete"]),
});

const RecordedService = v.strictObject({
  /** Digest of the index; the same in every registry. */
  digest: Digest,
  /** Source commit. */
  revision: v.string(),
  /** Key of the candidate, 16 hex digits: a hash of all its inputs, including the pipelines that built it. */
  candidate: v.optional(v.string()),
  platforms: v.pipe(v.array(RecordedVariant), v.nonEmpty()),
  /** By the registry's name in the catalog. */
  registries: v.record(v.string(), RecordedRegistry),
});

/**
 * What a release put where. It contains only what the release itself decides, and no time of the run: the
 * same release has the same bytes, whoever finishes it.
 */
export const ReleaseRecord = v.strictObject({
  schemaVersion: v.literal(1),
  mediaType: v.optional(v.literal(RECORD_MEDIA_TYPE), RECORD_MEDIA_TYPE),
  kind: v.optional(v.picklist(["release", "rollback"]), "release"),
  version: VersionText,
  /** The planned tags of all services in the order of writing, the version's own first. */
  tags: v.pipe(v.array(v.string()), v.nonEmpty()),
  /** By the service's name in the catalog. */
  services: v.record(v.string(), RecordedService),
  /** Hash of the releasing pipelines' code, 16 hex digits. */
  pipeline: v.string(),
  /** Time of the newest commit among the services, never of the run. */
  createdAt: v.optional(Time),
});
export type ReleaseRecord = v.InferOutput<typeof ReleaseRecord>;

/**
 * The record's bytes, as they are digested and pushed: canonical JSON (RFC 8785), platforms by name.
 * @throws TgoError INTERNAL when the record is malformed: what is pushed must be readable
 */
export function recordJson(record: v.InferInput<typeof ReleaseRecord>): string {
  const parsed = v.safeParse(ReleaseRecord, record);
  if (!parsed.success) {
    throw new TgoError("INTERNAL", `the release record is malformed: ${problems(parsed.issues)}`, {
      remedy: "This is a defect of the pipelines: please report it. The release itself is not affected.",
    });
  }
  const services = Object.entries(parsed.output.services).map(([name, service]) => {
    const platforms = [...service.platforms].sort((a, b) => (a.platform < b.platform ? -1 : 1));
    return [name, { ...service, platforms }] as const;
  });
  const text = canonicalize({ ...parsed.output, services: Object.fromEntries(services) });
  if (text === undefined) throw new TgoError("INTERNAL", "the release record has no JSON form");
  return text;
}

/**
 * Reads a record back.
 * @param where its reference or file, for the message
 * @throws TgoError INVALID_RESPONSE
 */
export function parseRecord(text: string, where: string): ReleaseRecord {
  const parsed = v.safeParse(ReleaseRecord, parseJson(text));
  if (parsed.success) return parsed.output;
  throw new TgoError("INVALID_RESPONSE", `it is not a release record: ${problems(parsed.issues)}`, { where });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problems(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map(v.describeIssue).join("; ");
}
