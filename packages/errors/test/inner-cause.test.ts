import { expect, test } from "vitest";
import { DISK_FULL, innerCause, isDiskFull, problemOf, TgoError } from "../src/index.js";

const noSpace = (message: string, more: object = {}): Error => Object.assign(new Error(message), more);

/** An error as the SDK makes it of the local engine's. */
const carried = (code: string, what: string): Error =>
  Object.assign(new Error(what), { extensions: { code, what } });

test.each([
  ["a system call", noSpace("ENOSPC: no space left on device, write", { code: "ENOSPC" })],
  ["a quota", noSpace("EDQUOT: disk quota exceeded, write", { code: "EDQUOT" })],
  ["a program", noSpace("cp: error writing 'x': No space left on device")],
  ["a command in a container", noSpace("exit code: 1", { stderr: "tar: No space left on device\n" })],
  ["a cause", new Error("cannot write", { cause: noSpace("ENOSPC: no space left", { code: "ENOSPC" }) })],
])("a full disk is told as that: %s", (_, error) => {
  expect(problemOf(error)).toMatchObject({
    code: "ENVIRONMENT",
    what: expect.stringMatching(/^the disk is full/) as string,
    remedy: expect.stringContaining("TMPDIR") as string,
  });
});

test("the file whose disk is full is named", () => {
  const error = noSpace("ENOSPC: no space left on device, mkdtemp '/tmp/x'", {
    code: "ENOSPC",
    path: "/tmp/x",
  });
  expect(innerCause(error)).toMatchObject({ where: "/tmp/x" });
});

test.each([
  new Error("failed to push: unexpected status from PUT request: 500 no space left on device"),
  new Error("PUT https://registry/v2/: HTTP 507 no space left on device"),
  "ENOSPC",
])("another machine's disk is not this one's: %s", (error) => {
  expect(isDiskFull(error)).toBe(false);
});

test.each([
  ["itself", new TgoError("ENVIRONMENT", `${DISK_FULL}: the step was aborted`)],
  [
    "across a session",
    new Error("export", { cause: carried("ENVIRONMENT", `${DISK_FULL}: the step was aborted`) }),
  ],
  ["as the cause of another", new Error("export", { cause: noSpace("ENOSPC", { code: "ENOSPC" }) })],
])("an error of ours about a full disk is known %s", (_, error) => {
  expect(isDiskFull(error)).toBe(true);
});

test.each([
  ["of a registry", carried("UNAVAILABLE", "the registry said: no space left on device")],
  ["about something else", new TgoError("ENVIRONMENT", "the engine did not start")],
])("an error of ours %s is none about a full disk", (_, error) => {
  expect(isDiskFull(error)).toBe(false);
});

test("an error of ours that crossed a session keeps code, place and remedy", () => {
  const extensions = {
    code: "UNAVAILABLE",
    what: "too many requests",
    where: "mirror",
    remedy: "Wait 60 min.",
  };
  const crossed = new Error("cannot be pulled", {
    cause: Object.assign(new Error("mirror: …"), { extensions }),
  });
  expect(problemOf(crossed)).toEqual(extensions);
});

test("an error of ours is its own inner cause, whatever its text quotes", () => {
  const error = new TgoError("UNAVAILABLE", "the registry said: no space left on device");
  expect(problemOf(error)).toEqual({ code: "UNAVAILABLE", what: error.what });
});
