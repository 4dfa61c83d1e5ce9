import { isIndex } from "@tgo/registry";
import { errorResponse } from "@tgo/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { watchReleases, type WatchResult } from "../../src/watch/watch-releases.js";
import { MemoryHarness } from "../release/memory-harness.js";
import { NAMES, SERVICES } from "../release/release-subjects.js";

const SERVICE = "tgo-api";
const REPOSITORY = `tgoai/${SERVICE}`;

let harness: MemoryHarness;

beforeEach(async () => {
  harness = new MemoryHarness({ referrers: NAMES });
  await harness.release("1.2.2");
  await harness.release("1.2.3");
});

const watch = (): Promise<WatchResult> => watchReleases(harness.context(), SERVICES, {});

/** `SERVICE:TAG REGISTRY: what`, and the remedies' last lines. */
function told({ tags }: WatchResult): { problems: string[]; remedies: string[] } {
  const all = tags.flatMap(({ service, tag, problems }) =>
    problems.map((problem) => ({ ...problem, name: `${service}:${tag}` })),
  );
  return {
    problems: all.map(({ name, registry, what }) => `${name} ${registry}: ${what}`),
    remedies: [...new Set(all.map(({ remedy = "" }) => remedy.split("\n").at(-1) ?? ""))],
  };
}

/** Removes a tag or a digest from dockerhub. */
function remove(name: string): void {
  harness.registries.dockerhub.manifests.delete(`${REPOSITORY} ${name}`);
}

describe("watch", () => {
  it("finds every version and floating tag whole", async () => {
    const result = await watch();
    expect(result.state).toBe("whole");
    expect(result.tags.filter(({ service }) => service === SERVICE).map(({ tag }) => tag)).toEqual([
      ...["1.2.3", "1.2.2"],
      ...["1", "1.2", "latest"],
    ]);
  });

  it("names a version that a registry lost, with the command that mends it", async () => {
    remove("1.2.2");
    const result = await watch();
    const { problems, remedies } = told(result);
    expect(result.state).toBe("drift");
    expect(problems).toEqual([`${SERVICE}:1.2.2 dockerhub: there is no tag "1.2.2"`]);
    expect(remedies).toEqual([`tgo promote --service ${SERVICE} --version 1.2.2`]);
  });

  it("names a version that every registry lost: the record of the release's other images has it", async () => {
    for (const name of NAMES) harness.registries[name].manifests.delete(`${REPOSITORY} 1.2.2`);
    const { problems } = told(await watch());
    expect(problems).toEqual(NAMES.map((name) => `${SERVICE}:1.2.2 ${name}: there is no tag "1.2.2"`));
  });

  it("names a platform's manifest that a registry lost", async () => {
    const { value } = await harness.registries.dockerhub.client().manifest(REPOSITORY, "1.2.2");
    const child = isIndex(value) ? (value.manifests[1]?.digest ?? "") : "";
    remove(child);
    const { problems } = told(await watch());
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${SERVICE}:1.2.2 dockerhub: .*linux/arm64`));
  });

  it("names a version's tag that was overwritten everywhere: its record has another digest", async () => {
    for (const name of NAMES) {
      const { manifests } = harness.registries[name];
      const other = manifests.get(`${REPOSITORY} 1.2.2`);
      if (other !== undefined) manifests.set(`${REPOSITORY} 1.2.3`, other);
    }
    const { problems } = told(await watch());
    expect(
      problems.some((text) =>
        /:1\.2\.3 all: 1\.2\.3 is sha256:\w+; its release record says sha256:/.test(text),
      ),
    ).toBe(true);
  });

  it("is not drift if a registry cannot be read", async () => {
    harness.registries.acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    const result = await watch();
    expect(result.state).toBe("unreachable");
    expect(told(result).problems).toHaveLength(SERVICES.length);
  });
});
