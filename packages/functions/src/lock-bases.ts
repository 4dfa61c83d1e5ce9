import { openContext, type Call } from "./call.js";
import { readBaseLock } from "./context.js";
import { describeBaseLock } from "./describe-base-lock.js";

/** The text of a base lock with the digests that the base images' tags have now. */
export async function lockBases(call: Call, names: readonly string[]): Promise<string> {
  const { baseLock, ...others } = call.options;
  // A shell empties the file it writes to before this reads it: > tgo.bases.json of that same lock.
  const isEmptied = baseLock !== undefined && (await baseLock.contents()).trim() === "";
  const lock = isEmptied ? undefined : baseLock;
  const options = lock === undefined ? others : { ...others, baseLock: lock };
  const context = await openContext({ ...call, options });
  return describeBaseLock(context, names, lock === undefined ? {} : await readBaseLock(lock));
}
