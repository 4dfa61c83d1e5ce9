import { parseVersion, TagPolicy } from "@tgo/release-rules";
import { parse } from "@tgo/schemas";
import { bringVersionOf } from "../../src/promote/bring-version.js";
import type { ImageTests } from "../../src/publish/choose-image.js";
import type { PublishOutcome } from "../../src/publish/bring-image.js";
import { releaseServices, type ReleaseOptions } from "../../src/release/release.js";
import type { Released } from "../../src/release/release-result.js";
import type { TargetContext } from "../../src/targets/publish-context.js";

/** A release of a version, by default with the default tag policy for every service. */
export function runRelease(
  context: TargetContext,
  version: string,
  services: readonly string[],
  {
    bring,
    policy = parse(TagPolicy, {}),
    ...options
  }: Partial<Omit<ReleaseOptions, "version">> & {
    readonly bring: (service: string) => Promise<PublishOutcome>;
    readonly policy?: TagPolicy;
  },
): Promise<Released> {
  return releaseServices(
    context,
    services.map((service) => ({
      service,
      policy,
      bring: () => bring(service),
    })),
    { version: parseVersion(version), allowBackwards: false, adopt: false, ...options },
  );
}

/** A promotion: its images come from the registries. */
export function runPromotion(
  context: TargetContext,
  version: string,
  services: readonly string[],
  tests: ImageTests,
  options: Partial<Omit<ReleaseOptions, "version">> & { readonly policy?: TagPolicy } = {},
): Promise<Released> {
  const text = parseVersion(version).text;
  return runRelease(context, version, services, {
    promotes: true,
    bring: (service) => bringVersionOf(context, service, text, tests),
    ...options,
  });
}
