import { linesOf } from "./deb822.js";
import { isLicense, isWord, type InstalledPackage } from "./installed-package.js";

/**
 * Packages of `/lib/apk/db/installed` (`/usr/lib/apk/db/installed` since apk 3), with their files.
 * @param location the database's path
 * @see https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2
 */
export function readApkInstalled(text: string, location: string): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  let fields = new Map<string, string>();
  let files: string[] = [];
  let folder = "";
  const finish = (): void => {
    const name = fields.get("P");
    const version = fields.get("V");
    const architecture = fields.get("A");
    const license = fields.get("L");
    const origin = fields.get("o");
    if (isWord(name) && isWord(version))
      packages.push({
        kind: "apk",
        name,
        version,
        ...(isWord(architecture) ? { architecture } : {}),
        ...(isLicense(license) ? { licenses: [license] } : {}),
        ...(isWord(origin) ? { source: { name: origin, version } } : {}),
        location,
        files,
      });
    fields = new Map();
    files = [];
    folder = "";
  };
  for (const line of linesOf(text)) {
    if (line === "") finish();
    else if (line.startsWith("F:")) folder = line.slice(2);
    else if (line.startsWith("R:")) files.push(`/${folder === "" ? "" : `${folder}/`}${line.slice(2)}`);
    else if (line[1] === ":") fields.set(line.slice(0, 1), line.slice(2));
  }
  finish();
  return packages;
}
