import { setTimeout } from "node:timers/promises";
import { commandLine, TgoError } from "@tgo/errors";
import { defined, duration } from "@tgo/report";
import type { Platform } from "@tgo/catalog";
import type { Prepared } from "../candidate/prepared.js";
import { interruptionOf } from "../publish/service-report.js";
import type { TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import { findVariants, type FoundVariants } from "./find-variants.js";
import { otherKeys } from "./other-keys.js";

/** Pauses between looks, in milliseconds; the last one again and again. */
const PAUSES_MS = [1000, 2000, 5000, 10_000];

export interface WaitOptions {
  /** How long to wait for platforms that are missing, in milliseconds; 0: not at all. */
  readonly waitMs: number;
}

/**
 * The images of all platforms, from one registry that has all of them. Waits for those that are missing.
 * @throws TgoError NOT_FOUND naming the platforms that are missing, and the commands that build them; CONFLICT when a
 *   platform was built under another key; the registry's problem where none can be read
 */
export async function waitForVariants(
  context: TargetContext,
  prepared: Prepared,
  { waitMs }: WaitOptions,
): Promise<FoundVariants> {
  const { name: service } = prepared.request;
  const until = performance.now() + waitMs;
  let found = await findVariants(context, prepared);
  let told = "";
  for (let look = 0; ; look++) {
    const whole = found.find(({ variants }) => variants.length === context.platforms.length);
    if (whole !== undefined) return whole;
    const left = until - performance.now();
    if (left <= 0) throw await notWhole(context, prepared, found);
    const missing = missingOf(context, best(found));
    if (told !== missing.join()) {
      const note = `waiting up to ${duration(left)} for ${missing.join(" and ")}: another machine builds it with\n${command(prepared, missing[0])}`;
      context.progress.note({ step: "assemble", service }, note);
      told = missing.join();
    }
    const pause = Math.min(PAUSES_MS[look] ?? 10_000, left);
    await setTimeout(pause, undefined, context.signal && { signal: context.signal }).catch(
      (error: unknown) => {
        throw interruptionOf(context) ?? error;
      },
    );
    found = await findVariants(context, prepared);
  }
}

function best(found: readonly FoundVariants[]): FoundVariants | undefined {
  return found.reduce<FoundVariants | undefined>(
    (most, each) => (most !== undefined && most.variants.length >= each.variants.length ? most : each),
    undefined,
  );
}

function missingOf({ platforms }: TargetContext, found: FoundVariants | undefined): Platform[] {
  return platforms.filter((platform) => !found?.variants.some((each) => each.platform === platform));
}

/** The command that builds a platform; without the flags that only its caller knows. */
function command({ request }: Prepared, platform: Platform | undefined): string {
  const { name, version } = request;
  return commandLine("build-variant", { service: [name], platform: [platform ?? ""], version });
}

async function notWhole(
  context: TargetContext,
  prepared: Prepared,
  found: readonly FoundVariants[],
): Promise<TgoError> {
  const { name } = prepared.request;
  const most = best(found);
  const missing = missingOf(context, most);
  // What could not be read may be there.
  const { required } = splitByRequired(context);
  const [problem] = [most, ...found]
    .filter((each) => each !== undefined && required.includes(each.target))
    .flatMap((each) => each?.problems ?? []);
  if (problem !== undefined)
    return new TgoError(
      problem.code,
      problem.what,
      defined({ where: problem.where, remedy: problem.remedy }),
    );
  const others = await otherKeys(context, prepared, missing);
  const commands = missing.map((platform) => command(prepared, platform));
  const remedy =
    "On a machine of that platform, from the same source and with the same flags for registries, catalog and base images:\n" +
    `${commands.join("\n")}\nThen run this command again; --wait 30m waits for it.`;
  if (others.length > 0)
    return new TgoError(
      "CONFLICT",
      `the platforms of ${name} have two keys: ${missing.join(" and ")} is missing under ${prepared.key}, and there as ${others.join(", ")}`,
      {
        remedy:
          "Source, definition, base images, version and pipelines must be the same on all machines: pin base images with --base-lock. " +
          remedy,
      },
    );
  const there = most?.variants.map(({ platform }) => platform) ?? [];
  return new TgoError(
    "NOT_FOUND",
    `no registry has ${missing.join(" and ")} of candidate ${prepared.key}` +
      (there.length === 0 || most === undefined ? "" : `; ${most.target.name} has ${there.join(", ")}`),
    { remedy },
  );
}
