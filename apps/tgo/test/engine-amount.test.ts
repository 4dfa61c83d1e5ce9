import { expect, it } from "vitest";
import { engineAmount } from "../src/progress/engine-amount.js";

const push = { kind: "push" as const, title: "ghcr.io/tgoai/tgo-api:staging-1" };
const exec = { kind: "exec" as const, title: "python install_environment.py" };

it("an upload of the local engine and the downloads of our programs say how far they are", () => {
  expect(engineAmount({ ...push, state: "amount", done: 3, total: 9 })).toEqual({
    reference: push.title,
    amount: { what: "layers", done: 3, total: 9, unit: "bytes" },
  });
  const line = 'tgo-progress: {"service": "tgo-api", "done": 27, "total": 39, "what": "packages"}';
  expect(engineAmount({ ...exec, state: "line", line })).toEqual({
    service: "tgo-api",
    amount: { what: "packages", done: 27, total: 39 },
  });
});

it.each([
  "packages 27/39",
  "tgo-progress: {",
  "tgo-progress: {}",
  'tgo-progress: {"service":"a","what":"packages","done":-1,"total":2}',
  'tgo-progress: {"service":"a","what":"packages","done":3,"total":2}',
  'tgo-progress: {"service":"a","what":"packages","done":1.5,"total":2}',
  'tgo-progress: {"service":1,"what":"packages","done":1,"total":2}',
  'tgo-progress: {"service":"a","what":"\\u001b[31m","done":1,"total":2}',
])("a line of a build step that is no such report says nothing: %s", (line) => {
  expect(engineAmount({ ...exec, state: "line", line })).toBeUndefined();
});
