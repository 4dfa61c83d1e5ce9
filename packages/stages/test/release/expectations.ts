import { expect } from "vitest";
import { NAMES, SERVICES, TAGS, type Outcome, type Scene } from "./scene.js";

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
