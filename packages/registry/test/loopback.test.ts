import { expect, test } from "vitest";
import { isLoopback } from "../src/loopback.js";

test.each([
  ["localhost", true],
  ["LOCALHOST:5000", true],
  ["127.0.0.1", true],
  ["127.1.2.3:5000", true],
  ["[::1]:5000", true],
  ["localhost.example", false],
  ["127.example", false],
  ["notlocalhost:5000", false],
  ["10.0.0.1:5000", false],
  ["localhost/path", false],
])("%s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
