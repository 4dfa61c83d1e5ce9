import parseExpression from "spdx-expression-parse";
import licenseIds from "spdx-license-ids/index.json";
import type { License } from "./bill.js";

const BY_LOWER_CASE: ReadonlyMap<string, string> = new Map(licenseIds.map((id) => [id.toLowerCase(), id]));

/** Whether SPDX's list has a licence under this identifier. */
export function isLicenseId(text: string): boolean {
  return BY_LOWER_CASE.get(text.toLowerCase()) === text;
}

/**
 * The licence that a package declares, from what its metadata says. The first statement that is an SPDX expression, or
 * whose meaning is certain, counts; else the first as a name.
 * @param statements expressions, names, and classifiers of PyPI
 */
export function licenseOf(statements: readonly string[]): License | undefined {
  for (const statement of statements) {
    const expression = expressionOf(statement);
    if (expression !== undefined) return { expression };
    // Old databases of Alpine list identifiers with spaces between.
    const words = statement.split(/[\s,]+/).map((word) => BY_LOWER_CASE.get(word.toLowerCase()));
    if (words.length > 1 && words.every((id) => id !== undefined))
      return { names: [...new Set(words)].sort() };
  }
  const [first] = statements;
  return first === undefined
    ? undefined
    : { names: [first.replace(/^License :: (?:OSI Approved :: )?/, "")] };
}

function expressionOf(statement: string): string | undefined {
  const name = statement.replace(/^License :: (?:OSI Approved :: )?/, "").trim();
  const known = BY_LOWER_CASE.get(name.toLowerCase()) ?? CERTAIN.get(name.toLowerCase());
  if (known !== undefined) return known;
  // What a reference means is said elsewhere, if at all: it is a name here.
  if (/\b(?:LicenseRef|DocumentRef)-/.test(name)) return undefined;
  try {
    parseExpression(name);
    return name;
  } catch {
    return undefined;
  }
}

/** Names in package metadata that mean one licence. "BSD License" is not one: BSD has several. */
const CERTAIN: ReadonlyMap<string, string> = new Map([
  ["mit license", "MIT"],
  ["the mit license", "MIT"],
  ["the mit license (mit)", "MIT"],
  ["mit license (mit)", "MIT"],
  ["expat", "MIT"],
  ["apache license 2.0", "Apache-2.0"],
  ["apache license, version 2.0", "Apache-2.0"],
  ["apache license version 2.0", "Apache-2.0"],
  ["apache software license 2.0", "Apache-2.0"],
  ["apache 2.0", "Apache-2.0"],
  ["apache2", "Apache-2.0"],
  ["apache 2", "Apache-2.0"],
  ["apache-2", "Apache-2.0"],
  ["bsd 3-clause", "BSD-3-Clause"],
  ["bsd 3-clause license", "BSD-3-Clause"],
  ["3-clause bsd license", "BSD-3-Clause"],
  ["new bsd license", "BSD-3-Clause"],
  ["modified bsd license", "BSD-3-Clause"],
  ["simplified bsd", "BSD-2-Clause"],
  ["isc license (iscl)", "ISC"],
  ["isc license", "ISC"],
  ["mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"],
  ["mpl 2.0", "MPL-2.0"],
  ["python software foundation license", "PSF-2.0"],
  ["psf", "PSF-2.0"],
  ["the unlicense (unlicense)", "Unlicense"],
  ["gnu general public license v2 (gplv2)", "GPL-2.0-only"],
  ["gnu general public license v2 or later (gplv2+)", "GPL-2.0-or-later"],
  ["gnu general public license v3 (gplv3)", "GPL-3.0-only"],
  ["gnu general public license v3 or later (gplv3+)", "GPL-3.0-or-later"],
  ["gnu lesser general public license v3 (lgplv3)", "LGPL-3.0-only"],
  ["gnu lesser general public license v3 or later (lgplv3+)", "LGPL-3.0-or-later"],
  ["gnu lesser general public license v2 or later (lgplv2+)", "LGPL-2.0-or-later"],
]);

/** Debian's short names that SPDX has under others. */
const DEBIAN: ReadonlyMap<string, string> = new Map([
  ["expat", "MIT"],
  ["psf-2", "PSF-2.0"],
  ["artistic", "Artistic-1.0-Perl"],
  ["w3c-software", "W3C"],
]);

/**
 * A short name of Debian's copyright format as an SPDX identifier, or unchanged where SPDX has none.
 * @see https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/#license-short-name
 */
export function spdxOfDebian(name: string): string {
  const [, family, number = "", later] = /^(A?L?GPL|GFDL)-(\d+(?:\.\d+)?)(\+)?$/i.exec(name) ?? [];
  const known = family
    ? `${family}-${number.includes(".") ? number : `${number}.0`}-${later ? "or-later" : "only"}`
    : (DEBIAN.get(name.toLowerCase()) ?? name);
  // "Apache-2" is SPDX's Apache-2.0.
  const spellings = [known, `${known}.0`].map((each) => BY_LOWER_CASE.get(each.toLowerCase()));
  return spellings.find((id) => id !== undefined) ?? name;
}
