import { readInputFile } from "@tgo/host";
import { resolve } from "node:path";
import type { FlagValues } from "./flag-values.js";

/**
 * Mirrors of base images, by host, from the catalog file and the --mirror flags. Invalid ones are ignored here: the module
 * parses the same values and reports what is wrong with them.
 */
export async function imageMirrors(
  values: FlagValues,
  cwd: string,
): Promise<Readonly<Record<string, string>>> {
  const flags = [values.get("mirror") ?? []].flat().flatMap((flag) => {
    const [, host, address] = /^([^=]*[.:][^=]*)=([^/:]+(?::\d+)?(?:\/.*)?)$/.exec(String(flag)) ?? [];
    return host === undefined || address === undefined ? [] : [[host, address] as const];
  });
  return { ...(await catalogMirrors(values.get("catalog"), cwd)), ...Object.fromEntries(flags) };
}

async function catalogMirrors(catalog: unknown, cwd: string): Promise<Readonly<Record<string, string>>> {
  if (typeof catalog !== "string") return {};
  try {
    const { bytes } = await readInputFile(resolve(cwd, catalog));
    const file = JSON.parse(bytes.toString()) as {
      mirrors?: { images?: Readonly<Record<string, string>> };
    };
    return file.mirrors?.images ?? {};
  } catch {
    return {};
  }
}
