import type { Platform } from "@tgo/catalog";
import type { ExecFailure } from "./exec-failure.js";

/** 128 and the signal: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS. */
const CRASHED = /^1(?:3[2-6]|39|59)$/;

/**
 * Whether a program that ran under emulation ended as QEMU ends when it meets what it cannot emulate. A program may crash
 * by itself as well: only a run on a machine of the platform tells.
 */
export function emulatorCrashed({
  exitCode,
  stdout,
  stderr,
}: Pick<ExecFailure, "exitCode" | "stdout" | "stderr">): boolean {
  const text = `${stdout}\n${stderr}`;
  // A tool that builds the image passes the code on in words.
  const passedOn = /exit (?:status|code):? (\d+)/.exec(text)?.[1] ?? "";
  return (
    [String(exitCode), passedOn].some((code) => CRASHED.test(code)) ||
    /\bqemu: |uncaught target signal|Illegal instruction|Segmentation fault/.test(text)
  );
}

export function nativeRemedy(platform: Platform): string {
  return (
    `Run the same command on a ${platform} machine (a native runner), where nothing of this platform is emulated, ` +
    "or try a newer emulator: docker run --privileged --rm tonistiigi/binfmt --install all."
  );
}
