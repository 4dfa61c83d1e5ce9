import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { inParallel } from "../src/parallel.js";

test("at most so many items are in progress, and results keep the items' order", async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel(3, [5, 4, 3, 2, 1], async (item) => {
    most = Math.max(most, ++running);
    await sleep(item);
    running--;
    return item * 10;
  });
  expect([results, most]).toEqual([[50, 40, 30, 20, 10], 3]);
});

test("after a failure no item is started; those in progress end first, and the first failure is thrown", async () => {
  const started: string[] = [];
  const ended: string[] = [];
  const work = async (item: string): Promise<void> => {
    started.push(item);
    await sleep(item === "slow" ? 20 : 1);
    ended.push(item);
    throw new Error(item);
  };
  await expect(inParallel(2, ["slow", "first", "never"], work)).rejects.toThrow("first");
  expect(started).toEqual(["slow", "first"]);
  expect(ended).toEqual(["first", "slow"]);
});
