import {
  emulatorCrashed,
  errorMessage,
  execFailure,
  lastLines,
  machineFailure,
  nativeRemedy,
} from "@tgo/builders";
import type { Platform } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import type { TimedOut } from "./limited-run.js";

/** Where a variant ran. */
export interface SmokeRun {
  /** "api linux/arm64" */
  readonly where: string;
  readonly platform: Platform;
  /** Whether the engine's machine emulates the platform. */
  readonly emulated: boolean;
}

const LINES = 25;

/**
 * Why a step of the smoke test failed, by what the image, nginx or the emulator printed.
 * @param what "nginx -t failed"
 */
export function smokeFailure(what: string, run: SmokeRun, error: unknown): Error {
  if (isTgoError(error)) return error;
  const { where } = run;
  const lacking = machineFailure(what, error);
  if (lacking !== undefined) return lacking;
  const failure = execFailure(error);
  // Not a failed command of the image, but an error of the engine.
  if (failure === undefined)
    return new TgoError("SMOKE", `${what}: ${errorMessage(error)}`, { where, cause: error });
  const output = lastLines(failure, LINES);
  const crashed = run.emulated && emulatorCrashed(failure);
  const how = crashed
    ? `${what}: the emulation of ${run.platform} crashed, exit code ${failure.exitCode}`
    : what;
  return new TgoError("SMOKE", `${how}\n${output}`, {
    where,
    remedy: crashed ? nativeRemedy(run.platform) : remedyOf(output, run),
    cause: error,
  });
}

/** @param what "sleep 100000" */
export function timeoutFailure(what: string, run: SmokeRun, error: TimedOut, seconds: number): TgoError {
  const output = error.output === undefined ? "" : lastLines(error.output, LINES);
  const emulated = run.emulated ? `, under emulation of ${run.platform}` : "";
  const printed =
    error.output === undefined ? "" : output === "" ? "; it printed nothing" : `; it printed\n${output}`;
  return new TgoError("SMOKE", `${what} did not end within ${seconds} s${emulated}${printed}`, {
    where: run.where,
    remedy:
      "The limit is smoke.timeoutSeconds of the service in tgo.catalog.json: raise it, or test with a command that ends." +
      (run.emulated ? `\nIf it hangs only there: ${nativeRemedy(run.platform)}` : ""),
    cause: error,
  });
}

/** What programs print, and what to do about it. */
const REMEDIES: readonly { readonly says: RegExp; readonly remedy: (match: RegExpExecArray) => string }[] = [
  {
    says: /exec format error/i,
    remedy: () =>
      "The engine's machine cannot run this platform's programs: install emulation there " +
      "(docker run --privileged --rm tonistiigi/binfmt --install all, or apt-get install -y qemu-user-static binfmt-support).",
  },
  {
    says: /host not found in upstream "([^"]*)"/,
    remedy: ([, host = ""]) =>
      `nginx looks up the host ${host} when it starts, and does not start without it; the smoke test's network has no such host. ` +
      `Let it look the host up with each request: "resolver" with a name server's address, "set $upstream ${host};" and ` +
      "a proxy_pass to $upstream.",
  },
  {
    says: /\[emerg\]/,
    remedy: () => "Fix nginx's configuration: its message above names the file and the line.",
  },
  {
    says: /(\S+\.so[.\d]*): cannot open shared object file/,
    remedy: ([, library = ""]) =>
      `Add the package that contains ${library} to the image (build.packages of a Python service).`,
  },
  {
    says: /not found|no such file or directory|executable file/i,
    remedy: () =>
      "The output above is from the image: check that it contains the program and files it names.",
  },
];

function remedyOf(output: string, { platform, emulated }: SmokeRun): string {
  for (const { says, remedy } of REMEDIES) {
    const match = says.exec(output);
    if (match !== null) return remedy(match);
  }
  return `The output above is from the image${emulated ? `, which ran under emulation of ${platform}` : ""}. Run the same command in it by hand.`;
}
