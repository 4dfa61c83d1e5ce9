import type { Service } from "@tgo/catalog";
import { commandLine, TgoError, type Problem } from "@tgo/errors";
import type { ServiceReport } from "@tgo/report";
import { imageTests } from "../candidate/image-tests.js";
import type { ImageTests } from "../publish/choose-image.js";
import type { FoundImage } from "../publish/image-lookup.js";
import type { ImageTransfer } from "../publish/image-transfer.js";
import { bringImage, type PublishOutcome } from "../publish/bring-image.js";
import type { PublishContext, TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";

/**
 * Brings a published version to the required registries: it is verified where it is, and copied to those that lack it or
 * a part of it, by digest and without a tag. Builds nothing. Failures are in the report.
 */
export function bringVersion(
  context: PublishContext,
  { name, service, version }: { readonly name: string; readonly service: Service; readonly version: string },
): Promise<PublishOutcome> {
  return bringVersionOf(context, name, version, imageTests(context, { name, service }));
}

/** {@link bringVersion} with the tests from the caller. */
export function bringVersionOf(
  context: TargetContext,
  service: string,
  version: string,
  tests: ImageTests,
): Promise<PublishOutcome> {
  return bringImage(context, {
    query: { service, tags: [version], version, immutable: true },
    known: {},
    notes: [],
    needsAllRequired: false,
    tests,
    build: async (transfer, found) => {
      throw found.length === 0
        ? await notFound(context, { service, version, transfer })
        : undecided({ service, version }, found);
    },
  });
}

/**
 * The problem that all services share when every registry responded and none has the version: it is reported once.
 * Undefined where only some services lack it; then each reports it.
 */
export function versionNowhere(services: readonly ServiceReport[]): Problem | undefined {
  const [problem, ...others] = services.map(({ problems }) => problems[0]);
  const allResponded = services.every(({ registries }) =>
    registries.every(({ state }) => state !== "failed"),
  );
  if (!allResponded || problem?.code !== "NOT_FOUND") return undefined;
  return others.every((other) => other?.what === problem.what) ? problem : undefined;
}

/** Registries have different images under the version, and this engine has no proof of any. */
function undecided(
  { service, version }: { readonly service: string; readonly version: string },
  found: readonly FoundImage[],
): TgoError {
  const images = found.map(({ from, digest }) => `${from.name} has ${digest}`).join(", ");
  return new TgoError("CONFLICT", `${version} of ${service} is not one image: ${images}`, {
    remedy:
      "This engine has a proof of none of them, so none is chosen. Find out who pushed the other one, and remove its tag.",
  });
}

async function notFound(
  context: TargetContext,
  of: { readonly service: string; readonly version: string; readonly transfer: ImageTransfer },
): Promise<TgoError> {
  const { service, version, transfer } = of;
  const { required } = splitByRequired(context);
  const incomplete = (await transfer.lookup.tagged(required)).map(({ name }) => name);
  if (incomplete.length > 0) {
    return new TgoError(
      "VERIFY",
      `${version} of ${service} is complete in no registry, and incomplete in ${incomplete.join(", ")}`,
      {
        remedy:
          "Run its release command again, with the same source: it restores the missing parts. To see what is missing:\n" +
          commandLine("verify", { service: [service], tag: version }),
      },
    );
  }
  const failed = required.filter((target) => transfer.rows.hasFailed(target)).map(({ name }) => name);
  const queried = failed.length === 0 ? "" : ` that could be queried (not ${failed.join(", ")})`;
  return new TgoError("NOT_FOUND", `no registry${queried} has version ${version}`, {
    remedy: [
      "To see what is released:",
      commandLine("status"),
      "To release it, from its source:",
      commandLine("release", { version }),
    ].join("\n"),
  });
}
