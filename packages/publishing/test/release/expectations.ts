import { expect } from "vitest";
import { NAMES, SERVICES, TAGS } from "./places.js";
import type { Outcome, ReleaseHarness } from "./release-harness.js";

/**
 * The release is complete: one digest under every tag in every registry; whatever the number of runs, no image was made
 * that a registry had, and no registry was sent what it had.
 */
export async function expectComplete(harness: ReleaseHarness, outcome: Outcome): Promise<void> {
  expect(outcome.ok, outcome.said).toBe(true);
  await expectReleased(harness);
  expect(harness.uploadedTwice()).toEqual([]);
}

export async function expectReleased(harness: ReleaseHarness): Promise<void> {
  for (const service of SERVICES) {
    const digest = await harness.digest(service);
    for (const tag of TAGS) expect(await harness.everywhere(service, tag)).toEqual(NAMES.map(() => digest));
  }
  expect(harness.needless).toEqual([]);
}

export function expectEachMadeOnce(harness: ReleaseHarness): void {
  expect(harness.built.toSorted()).toEqual(SERVICES.map((service) => `${service} 1.2.3`));
}

/** No latest anywhere as long as the version of one service is missing in one registry. */
export async function expectNoLatestAhead(harness: ReleaseHarness): Promise<void> {
  const released = await harness.released();
  const versions = released.filter((tag) => tag.endsWith(" 1.2.3"));
  if (versions.length < NAMES.length * SERVICES.length)
    expect(released.filter((tag) => tag.endsWith(" latest"))).toEqual([]);
}
