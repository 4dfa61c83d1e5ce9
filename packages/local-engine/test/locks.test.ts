import { expect, it } from "vitest";
import { Locks } from "../src/dockerfile/locks.js";

it("tasks that need the same thing follow each other, and others run beside them", async () => {
  const locks = new Locks();
  const log: string[] = [];
  const task = (name: string, needs: string[], fails = false) =>
    locks.run(needs, async () => {
      log.push(`${name}+`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`${name}-`);
      if (fails) throw new Error(name);
    });
  const all = await Promise.allSettled([
    task("a", ["x", "y"], true),
    task("b", ["y", "x"]),
    task("c", ["y"]),
    task("d", ["z"]),
    task("e", []),
  ]);
  expect(all.map(({ status }) => status)).toEqual(["rejected", ...Array<string>(4).fill("fulfilled")]);
  const order = (...names: string[]) => log.filter((line) => names.includes(line.charAt(0)));
  expect(order("a", "b")).toEqual(["a+", "a-", "b+", "b-"]);
  expect(order("c", "b").indexOf("c-") - order("c", "b").indexOf("c+")).toBe(1);
  expect(log.indexOf("d+")).toBeLessThan(log.indexOf("a-"));
  expect(log.indexOf("e+")).toBeLessThan(log.indexOf("a-"));
});
