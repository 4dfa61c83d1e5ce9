import { TgoError } from "@tgo/errors";
import * as z from "zod";
import { canonicalJson } from "./canonical-json.js";
import { readVersion } from "./version.js";

/** Media type of the record, and artifact type of the manifest that carries it into a registry. */
export const RECORD_MEDIA_TYPE = "application/vnd.tgo.release.v1+json";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms */
const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 lower-case hex digits");

const VersionText = z
  .string()
  .refine((text) => readVersion(text)?.text === text, "must be a version without a v, such as 1.2.3");

const RecordedVariant = z
  .strictObject({
    platform: z.string().describe("os/architecture."),
    digest: Digest.describe("Of the variant's manifest."),
    size: z.int().min(0).describe("What a pull transfers: config and layers, compressed, in bytes."),
  })
  .describe("The image of one platform.");

const RecordedPlace = z
  .strictObject({
    reference: z.string().describe("host/repository@digest."),
    tags: z.array(z.string()).describe("The tags of this release that stand for the digest there."),
    state: z
      .enum(["complete", "incomplete"])
      .describe(
        "Whether the registry has every tag of the plan, or a newer version has it. Who wrote them, and in which run, " +
          "is not recorded: a repeated release writes the same record.",
      ),
  })
  .describe("One service in one registry.");

const RecordedService = z.strictObject({
  digest: Digest.describe("Of the index; the same in every registry."),
  revision: z.string().describe("Commit of the source."),
  candidate: z
    .string()
    .optional()
    .describe(
      "Key of the candidate: 16 hex digits of the hash of all that made it, the pipelines that built it among them.",
    ),
  platforms: z.array(RecordedVariant).min(1),
  registries: z.record(z.string(), RecordedPlace).describe("By the catalog's name of the registry."),
});

/**
 * What a release put where. It holds only what the release itself decides, and no clock: the same release has the
 * same bytes, whoever finishes it.
 */
export const ReleaseRecord = z
  .strictObject({
    schemaVersion: z.literal(1),
    mediaType: z.literal(RECORD_MEDIA_TYPE).default(RECORD_MEDIA_TYPE),
    kind: z.enum(["release", "rollback"]).default("release"),
    version: VersionText,
    tags: z
      .array(z.string())
      .min(1)
      .describe("Of the plan, over all services, in the order of writing: the version's own first."),
    services: z.record(z.string(), RecordedService).describe("By the catalog's name of the service."),
    pipeline: z.string().describe("Hash of the pipelines' code that released, 16 hex digits."),
    createdAt: z.iso
      .datetime()
      .optional()
      .describe("Time of the newest commit among the services, never of the run."),
  })
  .describe("Record of a release (application/vnd.tgo.release.v1+json).");
export type ReleaseRecord = z.infer<typeof ReleaseRecord>;

/**
 * The record's bytes, as they are digested and pushed: keys sorted, platforms by name, no blanks.
 * @throws TgoError INTERNAL when the record is not one: what is pushed must be readable
 */
export function recordJson(record: z.input<typeof ReleaseRecord>): string {
  const parsed = ReleaseRecord.safeParse(record);
  if (!parsed.success) {
    throw new TgoError("INTERNAL", `the release record is malformed: ${problems(parsed.error)}`, {
      remedy: "This is a defect of the pipelines: please report it. The release itself is not affected.",
    });
  }
  const services = Object.entries(parsed.data.services).map(([name, service]) => {
    const platforms = [...service.platforms].sort((a, b) => (a.platform < b.platform ? -1 : 1));
    return [name, { ...service, platforms }] as const;
  });
  return canonicalJson({ ...parsed.data, services: Object.fromEntries(services) });
}

/**
 * Reads a record back.
 * @param where its reference or file, for the message
 * @throws TgoError INVALID_RESPONSE
 */
export function parseRecord(text: string, where: string): ReleaseRecord {
  const parsed = ReleaseRecord.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new TgoError("INVALID_RESPONSE", `it is no release record: ${problems(parsed.error)}`, { where });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problems(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".") || "(top level)"}: ${message}`).join("; ");
}
