import { imageLabels, standardLabels, type BuildRequest } from "@tgo/builders";
import { Registry as RegistryEntry, Service, type Platform } from "@tgo/catalog";
import { finaliseImage, pushImage } from "@tgo/image";
import { Progress } from "@tgo/progress";
import type { Registry } from "@tgo/registry";
import { parse } from "@tgo/schemas";
import { stageImage, type MemoryRegistry } from "@tgo/testing";
import { CANDIDATE_ANNOTATION } from "../../src/candidate/annotations.js";
import { variantTag } from "../../src/candidate/candidate-key.js";
import type { Prepared } from "../../src/candidate/prepared.js";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { PLATFORMS, REVISION, targetOf } from "../release/synthetic-candidates.js";

export const NAME = "tgo-api";
export const REPOSITORY = `tgoai/${NAME}`;
export const KEY = "0123456789abcdef";

/** A candidate of a service, as far as its platforms are looked for. */
export function preparedOf({ key = KEY, version }: { key?: string; version?: string } = {}): Prepared {
  const service = parse(Service, { title: "A service", build: { strategy: "dockerfile" } });
  const source = { revision: REVISION, created: new Date("2026-03-04T05:06:07Z"), hash: "0".repeat(64) };
  const request = { name: NAME, service, source, platforms: PLATFORMS, values: {}, notes: [], version };
  return { request: request as unknown as BuildRequest, key, bases: {}, buildHash: "test" };
}

/** Puts one platform's image as build-variant does. @param ownKey what its annotation says @returns its manifest's digest */
export async function putVariant(
  client: Registry,
  prepared: Prepared,
  platform: Platform,
  { ownKey = prepared.key, more = {} }: { ownKey?: string; more?: Record<string, string> } = {},
): Promise<string> {
  const { request } = prepared;
  const tag = `staging-${prepared.key}`;
  await stageImage(client, REPOSITORY, tag, [{ platform, labels: imageLabels(request) }]);
  const labels = standardLabels(request);
  const image = await finaliseImage({
    source: { registry: client, repository: REPOSITORY, reference: tag },
    platforms: [platform],
    created: request.source.created,
    annotations: { ...labels, ...more, [CANDIDATE_ANNOTATION]: ownKey },
    manifestAnnotations: labels,
    history: "drop",
  });
  const from = { registry: client, repository: REPOSITORY };
  await pushImage(image, { to: from, from, tag: variantTag(prepared.key, platform) });
  return image.variants[0]?.manifest.digest ?? "";
}

/** The context of an assembly from these registries. @param told receives notes of its progress */
export function contextOf(
  registries: readonly MemoryRegistry[],
  told: (note: string) => void = () => undefined,
): TargetContext {
  const entry = { repository: "tgoai/{service}", required: true, referrers: true };
  return {
    targets: registries.map((registry) =>
      targetOf(registry.host, parseEntry({ ...entry, host: registry.host }), registry.client()),
    ),
    platforms: PLATFORMS,
    progress: new Progress(({ kind, detail }) => {
      if (kind === "note") told(detail ?? "");
    }),
    signal: undefined,
  };
}

function parseEntry(entry: object): Parameters<typeof targetOf>[1] {
  return parse(RegistryEntry, entry);
}
