import { posix } from "node:path";
import { linesOf } from "./deb822.js";
import { isLicense, isWord, type InstalledPackage } from "./installed-package.js";

/**
 * The distribution of a `NAME.dist-info/METADATA` or `NAME.egg-info/PKG-INFO`, or undefined when the file names none.
 * @param folder that of the metadata file, or the path of an `.egg-info` that is a file itself
 * @see https://packaging.python.org/en/latest/specifications/core-metadata/
 */
export function readPythonMetadata(text: string, folder: string): InstalledPackage | undefined {
  let name: string | undefined;
  let version: string | undefined;
  const expressions: string[] = [];
  const names: string[] = [];
  const classifiers: string[] = [];
  // The headers end at the first empty line; the description follows.
  for (const line of linesOf(text)) {
    if (line === "") break;
    const [, key, value] = /^([A-Za-z-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (key?.toLowerCase() === "name") name ??= value;
    else if (key?.toLowerCase() === "version") version ??= value;
    else if (isLicense(value) && value !== "UNKNOWN") {
      if (key?.toLowerCase() === "license-expression") expressions.push(value);
      else if (key?.toLowerCase() === "license") names.push(value);
      else if (key?.toLowerCase() === "classifier" && value.startsWith("License ::")) classifiers.push(value);
    }
  }
  if (!isWord(name) || !isWord(version)) return undefined;
  // An expression replaces the other fields: https://peps.python.org/pep-0639/#deprecate-license-field
  const licenses = expressions.length > 0 ? expressions : [...names, ...classifiers];
  return {
    kind: "python",
    name: normalizedName(name),
    version,
    ...(licenses.length === 0 ? {} : { licenses }),
    location: folder,
  };
}

/**
 * What a distribution installed, by its RECORD.
 * @param folder that of the RECORD, whose parent the paths are relative to
 * @see https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
 */
export function readPythonRecord(text: string, folder: string): string[] {
  const base = posix.dirname(folder);
  return [...linesOf(text)].flatMap((line) => {
    const path = /^"((?:[^"]|"")*)"(?:,|$)|^([^",]+)/.exec(line);
    const name = path?.[1]?.replaceAll('""', '"') ?? path?.[2];
    return name === undefined || name === "" ? [] : [posix.resolve("/", base, name)];
  });
}

/** https://packaging.python.org/en/latest/specifications/name-normalization/ */
export function normalizedName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}
