import { expect } from "vitest";
import { NAMES, SERVICES, TAGS } from "./places.js";
import type { Outcome, Scene } from "./release-harness.js";

/**
 * The release is complete: one digest under every tag in every registry; whatever the number of runs, no image was made
 * that a registry had, and no registry was sent what it had.
 */
export async function expectComplete(scene: Scene, outcome: Outcome): Promise<void> {
  expect(outcome.ok, outcome.said).toBe(true);
  await expectReleased(scene);
  expect(scene.uploadedTwice()).toEqual([]);
}

export async function expectReleased(scene: Scene): Promise<void> {
  for (const service of SERVICES) {
    const digest = await scene.digest(service);
    for (const tag of TAGS) expect(await scene.everywhere(service, tag)).toEqual(NAMES.map(() => digest));
  }
  expect(scene.needless).toEqual([]);
}

export function expectEachMadeOnce(scene: Scene): void {
  expect(scene.built.toSorted()).toEqual(SERVICES.map((service) => `${service} 1.2.3`));
}

/** No latest anywhere as long as the version of one service is missing in one registry. */
export async function expectNoLatestAhead(scene: Scene): Promise<void> {
  const released = await scene.released();
  const versions = released.filter((tag) => tag.endsWith(" 1.2.3"));
  if (versions.length < NAMES.length * SERVICES.length)
    expect(released.filter((tag) => tag.endsWith(" latest"))).toEqual([]);
}
