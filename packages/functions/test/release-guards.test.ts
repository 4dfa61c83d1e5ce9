import { parseVersion } from "@tgo/release-rules";
import { expect, it } from "vitest";
import type { Context } from "../src/context.js";
import { holdToGuards } from "../src/release-guards.js";
import type { ReleaseTagFacts } from "../src/release-tag-facts.js";

const ALL = { annotatedTag: true, defaultBranch: true, advances: true } as const;
const FINE: ReleaseTagFacts = {
  tag: "annotated",
  namesCommit: true,
  branch: "origin/main",
  isOnBranch: true,
};

interface Machine {
  readonly guards?: Partial<Record<keyof typeof ALL, boolean | string>>;
  readonly facts?: ReleaseTagFacts | undefined;
  readonly tags?: readonly string[];
  readonly required?: boolean;
}

/** What a release of 1.2.3 is refused for; asked: the tag and branch that git was asked about. */
async function refusal(
  { guards, facts, tags = ["1.2.2", "latest"], required = true }: Machine,
  gitTag?: string,
): Promise<{ readonly message: string; readonly asked: unknown[] }> {
  const asked: unknown[] = [];
  const registry = { host: "ghcr.io", repository: "me/{service}", names: {}, required };
  const context = {
    catalog: { release: guards === undefined ? {} : { guards: { ...OFF, ...guards } } },
    host: {
      tagFacts: (tag: string, branch: string | undefined) => {
        asked.push([tag, branch]);
        return Promise.resolve(facts);
      },
    },
    targets: [{ name: "ghcr", registry, client: { tags: () => Promise.resolve(tags) } }],
  } as unknown as Context;
  const release = { version: parseVersion("1.2.3"), gitTag, services: ["bot"] };
  const message = await holdToGuards(context, release).then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
  return { message, asked };
}

const OFF = { annotatedTag: false, defaultBranch: false, advances: false };

it("guards are off unless the catalog turns them on: git and registries are not asked", async () => {
  expect(await refusal({ tags: ["1.2.9"] })).toEqual({ message: "", asked: [] });
  expect(await refusal({ guards: {}, tags: ["1.2.9"] })).toEqual({ message: "", asked: [] });
});

it("a release that passes all of them begins", async () => {
  expect(await refusal({ guards: ALL, facts: FINE })).toEqual({
    message: "",
    asked: [["v1.2.3", undefined]],
  });
});

it.each<[string, Machine, RegExp]>([
  [
    "a lightweight tag",
    { guards: { annotatedTag: true }, facts: { ...FINE, tag: "lightweight" } },
    /not annotated[^]*git tag -a -f v1\.2\.3/,
  ],
  [
    "no tag",
    { guards: { annotatedTag: true }, facts: { ...FINE, tag: "missing" } },
    /no tag v1\.2\.3[^]*git tag -a/,
  ],
  [
    "a tag elsewhere",
    { guards: { annotatedTag: true }, facts: { ...FINE, namesCommit: false } },
    /another commit[^]*git checkout v1\.2\.3/,
  ],
  [
    "a commit of a side branch",
    { guards: { defaultBranch: true }, facts: { ...FINE, isOnBranch: false } },
    /not on origin\/main[^]*Merge it/,
  ],
  [
    "a shallow clone",
    { guards: { defaultBranch: true }, facts: { ...FINE, isOnBranch: undefined } },
    /shallow[^]*fetch-depth: 0/,
  ],
  [
    "a branch that was not fetched",
    { guards: { defaultBranch: "stable" }, facts: { ...FINE, branch: undefined, isOnBranch: undefined } },
    /does not have origin\/stable[^]*git fetch origin/,
  ],
  [
    "no checkout, as in a module",
    { guards: { annotatedTag: true }, facts: undefined },
    /need the source's git[^]*tgo command/,
  ],
  [
    "a version behind its line",
    { guards: { advances: true }, tags: ["1.2.2", "v1.2.7", "1.3.0"] },
    /bot in ghcr has 1\.2\.7[^]*newer than all of its minor line/,
  ],
])("%s is refused, with what to do", async (_, machine, expected) => {
  expect((await refusal(machine)).message).toMatch(expected);
});

it("names all that a release does not pass, at once", async () => {
  const facts = { ...FINE, tag: "missing", isOnBranch: false } as const;
  const { message } = await refusal({ guards: ALL, facts, tags: ["1.2.4"] });
  expect(message.match(/\((?:annotatedTag|defaultBranch|advances)\)/g)).toHaveLength(3);
});

it("a tag of one service is asked for by its own name, and the branch that is named", async () => {
  const { asked } = await refusal({ guards: { defaultBranch: "stable" }, facts: FINE }, "bot-v1.2.3");
  expect(asked).toEqual([["bot-v1.2.3", "stable"]]);
});

it("a release that has begun may be finished, and an optional registry holds none back", async () => {
  expect((await refusal({ guards: { advances: true }, tags: ["1.2.3", "1.2.4"] })).message).toBe("");
  expect((await refusal({ guards: { advances: true }, tags: ["1.2.4"], required: false })).message).toBe("");
});
