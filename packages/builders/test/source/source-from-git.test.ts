import { applyOverride } from "@tgo/catalog";
import { Progress } from "@tgo/progress";
import { describe, expect, it } from "vitest";
import type { BuildContext } from "../../src/build-context.js";
import { sourceFromGit } from "../../src/source/find-source.js";

const catalog = applyOverride({ services: { api: { title: "API", build: { strategy: "dockerfile" } } } });
const API = catalog.services.api as NonNullable<(typeof catalog.services)[string]>;
const SHA = "0123456789abcdef0123456789abcdef01234567";

/** A repository with these tags that remembers what was read of it. */
function repository(...tags: string[]): { context: BuildContext; read: string[] } {
  const read: string[] = [];
  const ref = (name: string): object => ({
    commit: () => Promise.resolve(SHA),
    tree: () => ({
      directory: (path: string) => ({
        sync: () => {
          read.push(`${name} ${path}`);
          return Promise.resolve({});
        },
      }),
    }),
  });
  const git = {
    head: () => ref("HEAD"),
    tag: (name: string) => ref(`tag ${name}`),
    commit: (id: string) => ref(`commit ${id}`),
    ref: (name: string) => ref(`ref ${name}`),
    tags: ({ patterns }: { patterns: string[] }) =>
      Promise.resolve(tags.filter((tag) => patterns.includes(`refs/tags/${tag}`))),
  };
  const context = { client: { git: () => git }, progress: new Progress(() => undefined) };
  return { context: context as unknown as BuildContext, read };
}

describe("Without a source, the catalog's repository is read", () => {
  it.each([
    ["at its default branch", [], {}, "HEAD"],
    ["at the version's tag", ["v1.2.3", "v1.2.4"], { version: "1.2.3" }, "tag v1.2.3"],
    ["at a tag without a v", ["1.2.3"], { version: "1.2.3" }, "tag 1.2.3"],
    ["at the service's own tag first", ["v1.2.3", "api-v1.2.3"], { version: "1.2.3" }, "tag api-v1.2.3"],
    [
      "at the given tag",
      ["v1.2.3", "api-v1.2.3"],
      { version: "1.2.3", gitTag: "refs/tags/v1.2.3" },
      "tag v1.2.3",
    ],
    ["at the given revision", ["v1.2.3"], { version: "1.2.3", revision: SHA }, `commit ${SHA}`],
    ["at the given branch", [], { revision: "main" }, "ref main"],
  ])("%s", async (_, tags, options, name) => {
    const { context, read } = repository(...tags);
    expect((await sourceFromGit(context, "api", API, options)).revision).toBe(SHA);
    expect(read).toEqual([`${name} repos/api`]);
  });

  it.each([
    [{ version: "1.2.3" }, "has no tag of 1.2.3 (api-v1.2.3, v1.2.3, 1.2.3)", "Push the tag v1.2.3 there."],
    [{ version: "1.2.3", gitTag: "api-v1.2.3" }, "has no tag api-v1.2.3", "Push the tag api-v1.2.3 there."],
  ])("and refused if it lacks the tag: %j", async (options, what, remedy) => {
    const { context, read } = repository("v1.2.30", "x/v1.2.3");
    const failed = sourceFromGit(context, "api", API, options);
    await expect(failed).rejects.toMatchObject({
      code: "SOURCE",
      what: `no source for api: --source is missing, and https://github.com/tgoai/tgo ${what}`,
      remedy: expect.stringContaining(remedy) as string,
    });
    expect(read).toEqual([]);
  });
});
