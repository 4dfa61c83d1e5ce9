/**
 * node scripts/release.mjs [--check] [FOLDER]
 *
 * Tags this repository as the version in package.json: `v0.1.0`, with the version's changelog as its message. Refuses a
 * version without a dated section in CHANGELOG.md, a tag that exists, a tree with changes, and documentation or CI files
 * that name a tag which neither exists nor is this one. With --check it only says what speaks against it. Pushes nothing.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { root } from "./root.mjs";

/** Where a reader copies a tag of ours from. */
const DOCUMENTED = [
  /tgo-pipelines@(v\d+\.\d+\.\d+)/g,
  /tgo-pipelines\/release@(v\d+\.\d+\.\d+)/g,
  /repository: tgoai\/tgo-pipelines\n\s*ref: (v\d+\.\d+\.\d+)/g,
];

/** Tags of this repository that a text tells its reader to use. */
export function documentedTags(text) {
  return [...new Set(DOCUMENTED.flatMap((pattern) => [...text.matchAll(pattern)].map(([, tag]) => tag)))];
}

/** The text below `## [1.2.3] - 2026-01-31`, without blank lines around it; undefined without such a heading. */
export function changelogOf(changelog, version) {
  const [, rest] = changelog.split(
    new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\] - \\d{4}-\\d\\d-\\d\\d$`, "m"),
  );
  return rest?.split(/^## |^\[[^\]]+\]: /m)[0].trim();
}

/**
 * What speaks against tagging a checkout, a line each.
 * @param checkout `version`, `tags`, `changes` as `git status` lists them, and `files`: texts by path
 */
export function problemsOf({ version, tags, changes, files }) {
  const tag = `v${version}`;
  const problems = [];
  if (tags.includes(tag)) problems.push(`the tag ${tag} exists: raise the version in package.json`);
  if (changes.length > 0) problems.push(`there are changes: ${changes.join(", ")}`);
  const entry = changelogOf(files["CHANGELOG.md"] ?? "", version);
  if (entry === undefined) problems.push(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD"`);
  else if (entry === "") problems.push(`CHANGELOG.md says nothing of ${version}`);
  const unreleased = /^## \[Unreleased\]\n([^]*?)(?=^## |(?![^]))/m.exec(files["CHANGELOG.md"] ?? "")?.[1];
  if ((unreleased ?? "").trim() !== "")
    problems.push(`CHANGELOG.md has entries under Unreleased: move them to ${version}`);
  for (const [path, text] of Object.entries(files))
    for (const named of documentedTags(text))
      if (named !== tag && !tags.includes(named))
        problems.push(`${path} names ${named}, which is no tag of this repository`);
  return problems;
}

/** A checkout as `problemsOf` takes it. */
export function readCheckout(folder) {
  const git = (...args) =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8" })
      .split("\n")
      .filter((line) => line !== "");
  const paths = git("ls-files").filter((path) => /\.(?:md|ya?ml|sh)$/.test(path));
  return {
    version: JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).version,
    tags: git("tag", "--list"),
    changes: git("status", "--porcelain").map((line) => line.slice(3)),
    files: Object.fromEntries(paths.map((path) => [path, readFileSync(`${folder}/${path}`, "utf8")])),
  };
}

if (process.argv[1] === import.meta.filename) {
  const [folder = root] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const checkout = readCheckout(resolve(folder));
  const problems = problemsOf(checkout);
  const tag = `v${checkout.version}`;
  if (problems.length > 0) {
    console.error(problems.map((problem) => `${tag}: ${problem}`).join("\n"));
    process.exitCode = 1;
  } else if (process.argv.includes("--check")) console.log(`${tag} can be tagged`);
  else {
    const message = `${tag}\n\n${changelogOf(checkout.files["CHANGELOG.md"], checkout.version)}\n`;
    // A line of the changelog that begins with # is text, not a comment.
    execFileSync("git", ["tag", "--annotate", "--cleanup=verbatim", "--message", message, tag], {
      cwd: folder,
      stdio: "inherit",
    });
    console.log(`tagged ${tag}; publish it with: git push origin ${tag}`);
  }
}
