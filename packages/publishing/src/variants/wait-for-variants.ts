import { setTimeout } from "node:timers/promises";
import { errorOf, problemText, TgoError, type Problem, type TgoErrorCode } from "@tgo/errors";
import { duration } from "@tgo/report";
import type { Platform } from "@tgo/catalog";
import type { Prepared } from "../candidate/prepared.js";
import { interruptionOf } from "../publish/service-report.js";
import type { TargetContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import { findVariants, type FoundVariants } from "./find-variants.js";
import { otherKeys } from "./other-keys.js";
import { variantCommand } from "./variant-command.js";

/** Pauses between looks, in milliseconds; the last one again and again. */
const PAUSES_MS = [1000, 2000, 5000, 10_000];

/** Every so many looks, also for other keys: that reads a registry's tags. */
const LOOKS_FOR_KEYS = 6;

/** Problems that do not pass while we wait. */
const LASTING: ReadonlySet<TgoErrorCode> = new Set(["UNAUTHORIZED", "DENIED", "VERIFY"]);

/** Why two machines have two keys. */
const SAME = "Source, definition, base images, version and pipelines must be the same on all machines";

export interface WaitOptions {
  /** How long to wait for platforms that are missing, in milliseconds; 0: not at all. */
  readonly waitMs: number;
}

/**
 * The images of all platforms, from one registry that has all of them. Waits for those that are missing, and for a required
 * registry that fails and may recover.
 * @throws TgoError NOT_FOUND naming the platforms that are missing, and the commands that build them; CONFLICT when a
 *   platform was built under another key; the problem of a required registry that cannot be read, at once if it stays
 */
export async function waitForVariants(
  context: TargetContext,
  prepared: Prepared,
  { waitMs }: WaitOptions,
): Promise<FoundVariants> {
  const { name: service } = prepared.request;
  const until = performance.now() + waitMs;
  const told = new Set<string>();
  const tell = (note: string, about = note): void => {
    if (!told.has(about)) context.progress.note({ step: "assemble", service }, note);
    told.add(about);
  };
  for (let look = 0; ; look++) {
    const found = await findVariants(context, prepared);
    const whole = found.find(({ variants }) => variants.length === context.platforms.length);
    if (whole !== undefined) return whole;
    const left = until - performance.now();
    const problem = problemIn(context, found);
    if (problem !== undefined && (left <= 0 || LASTING.has(problem.code))) throw errorOf(problem);
    if (left <= 0) throw await notWhole(context, prepared, { found, waitMs });
    const missing = missingOf(context, best(found));
    const names = missing.join(" and ");
    const commands = missing.map((platform) => variantCommand(prepared, platform));
    const upTo = `up to ${duration(left)}`;
    if (problem !== undefined) tell(`${problemText(problem)}\nasked again for ${upTo}`, problem.what);
    else tell(`waiting ${upTo} for ${names}: another machine builds it with\n${commands[0] ?? ""}`, names);
    if (look % LOOKS_FOR_KEYS === 1)
      for (const tag of await otherKeys(context, prepared, missing))
        tell(
          `${tag} is of the same commit and has another key: if the other machine made it now, this wait is in vain. ${SAME}.`,
          tag,
        );
    const pause = Math.min(PAUSES_MS[look] ?? 10_000, left);
    await setTimeout(pause, undefined, context.signal && { signal: context.signal }).catch(
      (error: unknown) => {
        throw interruptionOf(context) ?? error;
      },
    );
  }
}

/** What could not be read may be there: the problem of a required registry, best of the one that has most. */
function problemIn(context: TargetContext, found: readonly FoundVariants[]): Problem | undefined {
  const { required } = splitByRequired(context);
  const [problem] = [best(found), ...found]
    .filter((each) => each !== undefined && required.includes(each.target))
    .flatMap((each) => each?.problems ?? []);
  return problem;
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

async function notWhole(
  context: TargetContext,
  prepared: Prepared,
  { found, waitMs }: { readonly found: readonly FoundVariants[] } & WaitOptions,
): Promise<TgoError> {
  const { name } = prepared.request;
  const most = best(found);
  const missing = missingOf(context, most);
  const others = await otherKeys(context, prepared, missing);
  const commands = missing.map((platform) => variantCommand(prepared, platform));
  const remedy =
    "On a machine of that platform, from the same source and with the same flags for registries, catalog and base images:\n" +
    `${commands.join("\n")}\nThen run this command again${waitMs === 0 ? "; --wait 30m waits for it." : "."}`;
  if (others.length > 0)
    return new TgoError(
      "CONFLICT",
      `the platforms of ${name} have two keys: ${missing.join(" and ")} is missing under ${prepared.key}, and there as ${others.join(", ")}`,
      { remedy: `${SAME}: pin base images with --base-lock. ${remedy}` },
    );
  const there = most?.variants.map(({ platform }) => platform) ?? [];
  return new TgoError(
    "NOT_FOUND",
    `${waitMs === 0 ? "" : `after ${duration(waitMs)}, `}no registry has ${missing.join(" and ")} of candidate ${prepared.key}` +
      (there.length === 0 || most === undefined ? "" : `; ${most.target.name} has ${there.join(", ")}`),
    { remedy: waitMs === 0 ? remedy : `See whether the other machine's job failed. ${remedy}` },
  );
}
