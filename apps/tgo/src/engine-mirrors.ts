import { resolve } from "node:path";
import { readInputFile } from "@tgo/host";
import type { FlagValues } from "./flag-values.js";

/** What the local engine must know of the mirrors. */
export interface EngineMirrors {
  /** Mirrors of base images, by host. */
  readonly images: Readonly<Record<string, string>>;
  /** URLs of package indexes, which build steps may reach even on this machine. */
  readonly indexes: readonly string[];
}

/**
 * The mirrors that the catalog file and the --mirror flags name. Invalid ones are ignored here: the module parses the same
 * values and reports what is wrong with them.
 */
export async function engineMirrors(values: FlagValues, cwd: string): Promise<EngineMirrors> {
  const { images = {}, ...others } = await catalogMirrors(values.get("catalog"), cwd);
  const flags = [values.get("mirror") ?? []].flat().map((flag) => {
    const [, name = "", address = ""] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(String(flag)) ?? [];
    return { name, address };
  });
  const isHost = ({ name }: { readonly name: string }): boolean => /[.:]/.test(name);
  const flagged = flags.filter((flag) => isHost(flag) && /^[^/:]+(?::\d+)?(?:\/.*)?$/.test(flag.address));
  const indexes = flags.filter((flag) => !isHost(flag)).map(({ address }) => address);
  return {
    images: { ...images, ...Object.fromEntries(flagged.map(({ name, address }) => [name, address])) },
    indexes: [...Object.values(others), ...indexes].filter(isUrl),
  };
}

interface CatalogMirrors {
  readonly images?: Readonly<Record<string, string>>;
  readonly [index: string]: unknown;
}

async function catalogMirrors(catalog: unknown, cwd: string): Promise<CatalogMirrors> {
  if (typeof catalog !== "string") return {};
  try {
    const { bytes } = await readInputFile(resolve(cwd, catalog));
    const file = JSON.parse(bytes.toString()) as { mirrors?: CatalogMirrors };
    return file.mirrors ?? {};
  } catch {
    return {};
  }
}

function isUrl(value: unknown): value is string {
  return typeof value === "string" && /^https?:\/\/[^/]/.test(value) && URL.canParse(value);
}
