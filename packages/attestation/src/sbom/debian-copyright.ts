import { spdxOfDebian } from "./licenses.js";

/**
 * Licences of a Debian package, by its copyright file: the short names of a machine-readable one, else the files of
 * /usr/share/common-licenses that its text refers to.
 * @returns SPDX identifiers or Debian's names, sorted, each once
 * @see https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
 */
export function licensesOfCopyright(text: string): string[] {
  const names = /^Format:\s*https?:\/\//m.test(text) ? shortNames(text) : commonLicenses(text);
  return [...new Set(names)].sort();
}

/** "GPL-2+ with OpenSSL exception or Expat" is several names; exceptions are left out, as Debian has no list of them. */
function shortNames(text: string): string[] {
  return [...text.matchAll(/^License:[ \t]*(\S.*)$/gim)].flatMap(([, line = ""]) =>
    line
      .split(/\s+(?:and|or)\s+|\s*[,|]\s*|\s+and\/or\s+/i)
      .map((name) => name.replace(/\s+with\s+.*$/i, "").trim())
      .filter((name) => /^[A-Za-z0-9][A-Za-z0-9.+-]{1,63}$/.test(name))
      .map(spdxOfDebian),
  );
}

/** Whether "GPL-2" means later versions too is said in the text around it: the GNU licences keep Debian's names. */
function commonLicenses(text: string): string[] {
  return [...text.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9]+(?:-[0-9.]*[0-9])?)/g)].map(
    ([, name = ""]) => (/^(?:L?GPL|GFDL)/.test(name) ? name : spdxOfDebian(name)),
  );
}
