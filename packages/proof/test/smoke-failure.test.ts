import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { LIMIT_SCRIPT, TimedOut } from "../src/limited-run.js";
import { smokeFailure, timeoutFailure, type SmokeRun } from "../src/smoke-failure.js";

const native: SmokeRun = { where: "web linux/amd64", platform: "linux/amd64", emulated: false };
const emulated: SmokeRun = { where: "web linux/arm64", platform: "linux/arm64", emulated: true };
const failed = (exitCode: number, stderr: string, stdout = ""): Error =>
  Object.assign(new Error(`exit code: ${exitCode}`), { cmd: ["x"], exitCode, stdout, stderr });

describe("a failed smoke test", () => {
  it.each([
    [132, ""],
    [139, ""],
    [1, "qemu: uncaught target signal 11 (Segmentation fault) - core dumped"],
    [1, "qemu: Unsupported syscall: 999"],
  ])("under emulation that ends with %d %s blames the emulator", (code, output) => {
    expect(smokeFailure("/bin/app failed", emulated, failed(code, output))).toMatchObject({
      code: "SMOKE",
      what: expect.stringContaining("the emulation of linux/arm64 crashed") as string,
      remedy: expect.stringMatching(/linux\/arm64 machine \(a native runner\)/) as string,
    });
    expect(smokeFailure("/bin/app failed", native, failed(code, output)).message).not.toContain(
      "native runner",
    );
  });

  it("tells an nginx that cannot look up a host from missing emulation, and names the host", () => {
    const error = smokeFailure(
      "nginx -t failed",
      emulated,
      failed(
        1,
        'nginx: [emerg] host not found in upstream "backend-of-mine" in /etc/nginx/conf.d/default.conf:4',
      ),
    );
    expect(error).toMatchObject({
      remedy: expect.stringMatching(/backend-of-mine.*resolver.*\$upstream/) as string,
    });
    expect(error.message).toContain("| nginx: [emerg] host not found");
    expect(error.message).not.toMatch(/exec format|native runner/);
  });

  it.each([
    ['nginx: [emerg] unknown directive "prox" in /etc/nginx/nginx.conf:3', /Fix nginx's configuration/],
    ["exec /bin/sh: exec format error", /install emulation/],
    ["ImportError: libpq.so.5: cannot open shared object file", /contains libpq\.so\.5/],
    ["sh: /bad/crash: not found", /contains the program/],
    ["whatever", /by hand/],
  ])("prints %s", (output, remedy) => {
    expect(smokeFailure("x failed", native, failed(1, output))).toMatchObject({
      remedy: expect.stringMatching(remedy) as string,
    });
  });

  it("for want of disk space is not the image's fault", () => {
    expect(smokeFailure("x failed", native, failed(1, "write error: No space left on device"))).toMatchObject(
      {
        code: "ENVIRONMENT",
        what: expect.stringContaining("the disk is full") as string,
      },
    );
  });
});

describe("a smoke command that does not end", () => {
  it("is told with its limit, the setting and the last output", () => {
    const late = new TimedOut({ stdout: "waiting for a database\n", stderr: "" });
    expect(timeoutFailure("sleep 100000", native, late, 10)).toMatchObject({
      what: "sleep 100000 did not end within 10 s; it printed\n  | waiting for a database",
      remedy: expect.stringMatching(/^The limit is smoke\.timeoutSeconds/) as string,
    });
  });

  it("under emulation names the native runner", () => {
    const error = timeoutFailure("x", emulated, new TimedOut({ stdout: "", stderr: "" }), 10);
    expect(error.what).toBe("x did not end within 10 s, under emulation of linux/arm64; it printed nothing");
    expect(error.remedy).toContain("native runner");
  });
});

describe("the script that limits a command", () => {
  const run = (
    seconds: number,
    ...command: string[]
  ): { status: number | null; stdout: string; stderr: string } =>
    spawnSync("/bin/sh", ["-c", LIMIT_SCRIPT, "sh", `${seconds}`, ...command], {
      encoding: "utf8",
      timeout: 5000,
    });

  it("passes on output and exit code", () => {
    expect(run(60, "sh", "-c", "echo out; echo err >&2; exit 7")).toMatchObject({
      status: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(run(60, "no-such-program").status).toBe(127);
  });

  it("keeps words whole, and what is on PATH", () => {
    expect(run(60, "printf", "[%s]", "a b", "", "*").stdout).toBe("[a b][][*]");
  });

  it("kills what takes too long, and keeps what it printed", () => {
    const { status, stdout, stderr } = run(1, "sh", "-c", "echo waiting; exec sleep 30");
    expect({ status, stdout }).toEqual({ status: 137, stdout: "waiting\n" });
    expect(stderr).toContain("tgo: the time is over");
  });
});
