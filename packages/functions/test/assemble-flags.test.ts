import { expect, it } from "vitest";
import { waitTime } from "../src/assemble-flags.js";

it.each([
  [undefined, 0],
  ["0s", 0],
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["24h", 86_400_000],
])("--wait %s waits as long as it says", (wait, time) => {
  expect(waitTime({ assemble: true, wait })).toBe(time);
});

it.each(["30", "m", "-1m", "1.5h", "30 m", "25h", "1d", "1000000s", "30m30s"])(
  "--wait %s is refused",
  (wait) => {
    expect(() => waitTime({ assemble: true, wait })).toThrow(`--wait "${wait}" is no time from 0s to 24h`);
  },
);

it.each([{ wait: "30m" }, { requireNative: true }])("%j needs --assemble", (flags) => {
  expect(() => waitTime(flags)).toThrow(/^--(wait|require-native) has no --assemble\n/);
});
