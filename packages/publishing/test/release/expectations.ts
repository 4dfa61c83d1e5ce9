import { expect } from "vitest";
import type { Outcome, ReleaseHarness } from "./release-harness.js";
import { NAMES, SERVICES, TAGS } from "./release-subjects.js";

/**
 * The release is complete: one digest under every tag in every registry. However many runs it took, nothing was built
 * that a registry had, and no registry was sent what it had.
 */
export async function expectComplete(harness: ReleaseHarness, outcome: Outcome): Promise<void> {
  expect(outcome.ok, outcome.text).toBe(true);
  await expectReleased(harness);
  expect(harness.uploadedTwice()).toEqual([]);
}

export async function expectReleased(harness: ReleaseHarness): Promise<void> {
  for (const service of SERVICES) {
    const digest = await harness.digest(service);
    for (const tag of TAGS) expect(await harness.everywhere(service, tag)).toEqual(NAMES.map(() => digest));
  }
  expect(harness.needlessBuilds).toEqual([]);
}

export function expectEachBuiltOnce(harness: ReleaseHarness): void {
  expect(harness.built.toSorted()).toEqual(SERVICES.map((service) => `${service} 1.2.3`));
}

/** No `latest` anywhere while the version of one service is missing in one registry. */
export async function expectNoLatestAhead(harness: ReleaseHarness): Promise<void> {
  const tags = await harness.publicTags();
  const versions = tags.filter((tag) => tag.endsWith(" 1.2.3"));
  if (versions.length < NAMES.length * SERVICES.length)
    expect(tags.filter((tag) => tag.endsWith(" latest"))).toEqual([]);
}
