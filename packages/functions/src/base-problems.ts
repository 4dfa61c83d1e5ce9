import { basesOf, TOOLS_BASE } from "@tgo/builders";
import { mirrored, pinned, type Service } from "@tgo/catalog";
import { problemOf, problemText } from "@tgo/errors";
import type { Context } from "./context.js";

type BaseContext = Pick<Context, "catalog" | "pins" | "platforms" | "bases" | "lookUpBase">;

/**
 * What is wrong with the pins of base images: those that the catalog names, that of the container tools, and others in
 * the lock. Images that only a Dockerfile names are its own.
 */
export async function baseProblems(
  context: BaseContext,
  services: readonly Service[],
): Promise<{ readonly checked: number; readonly problems: readonly string[] }> {
  const used = [...services.flatMap(({ build }) => basesOf(build)), TOOLS_BASE];
  const references = [...new Set([...used, ...Object.keys(context.pins)])].sort();
  const problems = await Promise.all(references.map((reference) => problemsOf(context, reference)));
  return { checked: references.length, problems: problems.flat() };
}

async function problemsOf(context: BaseContext, reference: string): Promise<string[]> {
  const { catalog, pins, platforms } = context;
  const fixed = pinned(reference, pins);
  if (!fixed.includes("@"))
    return [`${reference} is not pinned: dagger generate refresh-bases writes its digest to tgo.bases.json`];
  const [name = "", digest = ""] = fixed.split("@");
  const address = mirrored(`${name}@${digest}`, catalog.mirrors.images);
  const found = await context.lookUpBase(address);
  if (found === undefined) return enginesProblems(context, reference);
  const missing = platforms.filter((platform) => !found.platforms.includes(platform));
  return missing.length === 0 ? [] : [`${address} has no ${missing.join(", ")}`];
}

/** A mirror may be reachable for the engine only, which is asked by digest. */
async function enginesProblems({ bases, platforms }: BaseContext, reference: string): Promise<string[]> {
  const results = await Promise.allSettled(platforms.map((platform) => bases.container(reference, platform)));
  return results.flatMap((result) =>
    result.status === "fulfilled" ? [] : [problemText(problemOf(result.reason))],
  );
}
