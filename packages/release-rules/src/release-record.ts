import { TgoError } from "@tgo/errors";
import canonicalize from "canonicalize";
import { en } from "zod/locales";
import * as z from "zod/mini";
import { readVersion } from "./version.js";

/** Media type of the record, and artifact type of the manifest that carries it into a registry. */
export const RECORD_MEDIA_TYPE = "application/vnd.tgo.release.v1+json";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms */
const Digest = z
  .string()
  .check(z.regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 lower-case hex digits"));

const VersionText = z
  .string()
  .check(
    z.refine((text) => readVersion(text)?.text === text, "must be a version without a v, such as 1.2.3"),
  );

/** The image of one platform. */
const RecordedVariant = z.strictObject({
  /** `os/architecture` */
  platform: z.string(),
  /** Digest of the variant's manifest. */
  digest: Digest,
  /** Bytes a pull transfers: config and layers, compressed. */
  size: z.int().check(z.minimum(0)),
});

/** One service in one registry. */
const RecordedRegistry = z.strictObject({
  /** `host/repository@digest` */
  reference: z.string(),
  /** The tags of this release that point to the digest there. */
  tags: z.array(z.string()),
  /**
   * Whether the registry has every planned tag, or a newer version has taken it over. Who wrote a tag, and in which
   * run, is not recorded: a repeated release writes the same record.
   */
  state: z.enum(["complete", "incomplete"]),
});

const RecordedService = z.strictObject({
  /** Digest of the index; the same in every registry. */
  digest: Digest,
  /** Source commit. */
  revision: z.string(),
  /** Key of the candidate, 16 hex digits: a hash of all its inputs, including the pipelines that built it. */
  candidate: z.optional(z.string()),
  platforms: z.array(RecordedVariant).check(z.minLength(1)),
  /** By the registry's name in the catalog. */
  registries: z.record(z.string(), RecordedRegistry),
});

/**
 * What a release put where. It contains only what the release itself decides, and no time of the run: the
 * same release has the same bytes, whoever finishes it.
 */
export const ReleaseRecord = z.strictObject({
  schemaVersion: z.literal(1),
  mediaType: z._default(z.literal(RECORD_MEDIA_TYPE), RECORD_MEDIA_TYPE),
  kind: z._default(z.enum(["release", "rollback"]), "release"),
  version: VersionText,
  /** The planned tags of all services in the order of writing, the version's own first. */
  tags: z.array(z.string()).check(z.minLength(1)),
  /** By the service's name in the catalog. */
  services: z.record(z.string(), RecordedService),
  /** Hash of the releasing pipelines' code, 16 hex digits. */
  pipeline: z.string(),
  /** Time of the newest commit among the services, never of the run. */
  createdAt: z.optional(z.iso.datetime()),
});
export type ReleaseRecord = z.infer<typeof ReleaseRecord>;

/**
 * The record's bytes, as they are digested and pushed: canonical JSON (RFC 8785), platforms by name.
 * @throws TgoError INTERNAL when the record is malformed: what is pushed must be readable
 */
export function recordJson(record: z.input<typeof ReleaseRecord>): string {
  const parsed = safeParse(record);
  if (!parsed.success) {
    throw new TgoError("INTERNAL", `the release record is malformed: ${problems(parsed.error)}`, {
      remedy: "This is a defect of the pipelines: please report it. The release itself is not affected.",
    });
  }
  const services = Object.entries(parsed.data.services).map(([name, service]) => {
    const platforms = [...service.platforms].sort((a, b) => (a.platform < b.platform ? -1 : 1));
    return [name, { ...service, platforms }] as const;
  });
  const text = canonicalize({ ...parsed.data, services: Object.fromEntries(services) });
  if (text === undefined) throw new TgoError("INTERNAL", "the release record has no JSON form");
  return text;
}

/**
 * Reads a record back.
 * @param where its reference or file, for the message
 * @throws TgoError INVALID_RESPONSE
 */
export function parseRecord(text: string, where: string): ReleaseRecord {
  const parsed = safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new TgoError("INVALID_RESPONSE", `it is not a release record: ${problems(parsed.error)}`, { where });
}

/** zod/mini has no messages of its own: these are the English ones of zod. */
const english = en().localeError;

function safeParse(value: unknown): ReturnType<typeof ReleaseRecord.safeParse> {
  return ReleaseRecord.safeParse(value, { error: english });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problems(error: z.core.$ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".") || "(top level)"}: ${message}`).join("; ");
}
