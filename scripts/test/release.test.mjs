import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changelogOf, documentedTags, readCheckout } from "../release.mjs";
import { root } from "../root.mjs";

const CHANGELOG =
  "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-29\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\nFirst.\n";

describe("a release of this repository", () => {
  let folder;
  const git = (...args) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: folder,
      encoding: "utf8",
    });
  const write = (files) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  const commit = (files) => {
    write(files);
    git("add", ".");
    git("commit", "--quiet", "--message", "x");
  };
  const release = (...args) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [`${root}/scripts/release.mjs`, ...args, folder],
      {
        encoding: "utf8",
        env: { ...process.env, GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.com" },
      },
    );
    return { status, text: stdout + stderr };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tgo-release-"));
    git("init", "--quiet");
    commit({
      "package.json": '{ "version": "0.2.0" }',
      "CHANGELOG.md": CHANGELOG,
      "docs/ci.md": "dagger call -m github.com/tgoai/tgo-pipelines@v0.1.0 publish\n",
      "ci/release.yml": "repository: tgoai/tgo-pipelines\n          ref: v0.2.0 # a tag\n",
    });
    git("tag", "v0.1.0");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("tags the commit, with the changelog as its message", () => {
    expect(release()).toMatchObject({ status: 0, text: expect.stringContaining("git push origin v0.2.0") });
    expect(git("tag", "--list", "--format=%(contents)", "v0.2.0").trim()).toBe(
      "v0.2.0\n\n### Added\n\n- A thing.",
    );
    expect(git("rev-parse", "v0.2.0^{commit}")).toBe(git("rev-parse", "HEAD"));
  });

  it("only looks with --check", () => {
    expect(release("--check")).toEqual({ status: 0, text: "v0.2.0 can be tagged\n" });
    expect(git("tag", "--list").trim()).toBe("v0.1.0");
  });

  it.each([
    ["a tag that exists", () => git("tag", "v0.2.0"), "the tag v0.2.0 exists"],
    [
      "a change",
      () => write({ "package.json": '{ "version": "0.2.0", "a": 1 }' }),
      "there are changes: package.json",
    ],
    [
      "a version without a date in the changelog",
      () => commit({ "CHANGELOG.md": CHANGELOG.replace(" - 2026-11-29", "") }),
      'no section "## [0.2.0] - YYYY-MM-DD"',
    ],
    [
      "entries under Unreleased",
      () =>
        commit({ "CHANGELOG.md": CHANGELOG.replace("## [Unreleased]\n", "## [Unreleased]\n\n- More.\n") }),
      "entries under Unreleased",
    ],
    [
      "a documented tag that does not exist",
      () => commit({ "docs/ci.md": "dagger call -m github.com/tgoai/tgo-pipelines@v0.3.0 publish\n" }),
      "docs/ci.md names v0.3.0, which is no tag",
    ],
  ])("refuses %s", (_, change, message) => {
    change();
    expect(release()).toMatchObject({ status: 1, text: expect.stringContaining(message) });
  });
});

it("reads a version's part of the changelog, up to the links", () => {
  expect(changelogOf(CHANGELOG, "0.1.0")).toBe("First.");
  expect(changelogOf(`${CHANGELOG}\n[0.1.0]: https://example.com\n`, "0.1.0")).toBe("First.");
  expect(changelogOf(CHANGELOG, "0.3.0")).toBeUndefined();
});

it("every tag that this repository documents is the one of its version, or exists", () => {
  const { version, tags, files } = readCheckout(root);
  const named = Object.entries(files).flatMap(([path, text]) =>
    documentedTags(text).map((tag) => ({ path, tag })),
  );
  expect(named.length).toBeGreaterThan(6);
  for (const { path, tag } of named) expect([`v${version}`, ...tags], path).toContain(tag);
});
