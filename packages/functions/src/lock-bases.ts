import { openContext, type Call } from "./call.js";
import { readBaseLock } from "./context.js";
import { describeBaseLock } from "./describe-base-lock.js";

/** The text of a base lock with the digests that the tags of base images point to now. */
export async function lockBases(call: Call, names: readonly string[]): Promise<string> {
  const { baseLock, ...others } = call.options;
  // With `> tgo.bases.json`, the shell empties the lock before this reads it.
  const isEmpty = baseLock !== undefined && (await baseLock.contents()).trim() === "";
  const lock = isEmpty ? undefined : baseLock;
  const options = lock === undefined ? others : { ...others, baseLock: lock };
  const context = await openContext({ ...call, options });
  return describeBaseLock(context, names, lock === undefined ? {} : await readBaseLock(lock));
}
