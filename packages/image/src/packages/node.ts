import * as v from "@tgo/schemas";
import { isLicense, isWord, type InstalledPackage } from "./installed-package.js";

const PackageJson = v.object({
  name: v.optional(v.unknown()),
  version: v.optional(v.unknown()),
  license: v.optional(v.unknown()),
  licenses: v.optional(v.unknown()),
});

const LicenseObject = v.object({ type: v.string() });

/**
 * The package of a `node_modules/NAME/package.json`, or undefined when that is no JSON object. An alias has the name of
 * the package that it stands for.
 * @param folder that of the file
 * @see https://docs.npmjs.com/cli/v10/configuring-npm/package-json
 */
export function readPackageJson(text: string, folder: string): InstalledPackage | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch {
    return undefined;
  }
  const found = v.outputOf(PackageJson, json);
  if (found === undefined) return undefined;
  const name = textOf(found.name) ?? nameOfFolder(folder);
  if (name === undefined) return undefined;
  const licenses = licensesOf(found);
  return {
    kind: "node",
    name,
    version: textOf(found.version) ?? "",
    ...(licenses.length === 0 ? {} : { licenses }),
    location: folder,
  };
}

/** `@scope/name` or `name` of a folder directly in node_modules. */
export function nameOfFolder(folder: string): string | undefined {
  const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^@./][^/]*)$/.exec(folder)?.[1];
  return isWord(name) ? name : undefined;
}

/** A text; old packages have an object, or a list of them. */
function licensesOf({ license, licenses }: v.InferOutput<typeof PackageJson>): string[] {
  return [license, licenses].flat().flatMap((each) => {
    const text = typeof each === "string" ? each : v.outputOf(LicenseObject, each)?.type;
    return isLicense(text) ? [text] : [];
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && isWord(value) ? value : undefined;
}
