import { isTgoError, TgoError } from "@tgo/errors";
import { execFailure, lastLines, type ExecFailure } from "../exec-failure.js";
import { buildError, machineFailure } from "../build-error.js";
import { packageLockedWith } from "./npm-lock.js";
import type { PackageManager } from "./package-manager.js";
import type { Project } from "./read-project.js";

interface Reason {
  /** Matches the output of a failed installation. */
  readonly pattern: RegExp;
  readonly what: (service: string, manager: PackageManager) => string;
  readonly remedy: (manager: PackageManager) => string;
  /** Matches the lines of the output to show. */
  readonly lines: RegExp;
}

/** What package managers print if an installation fails, most specific first. */
const REASONS: readonly Reason[] = [
  {
    pattern:
      /needs to be updated, but yarn was run with|can only install (?:packages )?when your package\.json|ERR_PNPM_OUTDATED_LOCKFILE|ERR_PNPM_LOCKFILE_CONFIG_MISMATCH/,
    what: (service, { lock }) => `${lock} of ${service} does not match package.json`,
    remedy: ({ name, lock }) => `Run ${name} install in the service's folder and commit ${lock}.`,
    lines: /Missing:|Invalid:|specifiers in the lockfile|\* \d+ dependenc|lockfile/,
  },
  {
    pattern:
      /ERR_PNPM_(?:LOCKFILE_BREAKING_CHANGE|NO_LOCKFILE|BROKEN_LOCKFILE)|Invalid (?:value type|lockfile)|EUSAGE/,
    what: (service, { name, lock }) => `${lock} of ${service} cannot be read by ${name}`,
    remedy: () => "Set packageManager in package.json to the version that wrote it.",
    lines: /ERR_PNPM|EUSAGE|[Ll]ockfile/,
  },
  {
    pattern: /integrity check|EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|Incorrect integrity/i,
    what: (service, { lock }) => `the hash of a package of ${service} differs from ${lock}`,
    remedy: ({ lock }) =>
      `Check the registry or mirror. If the package was republished, review the changes and update ${lock}.`,
    lines: /integrity/i,
  },
  {
    pattern: /"40[13] |\b40[13] (?:Unauthorized|Forbidden)|E40[13]\b|ERR_PNPM_FETCH_40[13]/,
    what: (service) => `the npm registry denies access to a package of ${service}`,
    remedy: () =>
      "Pass credentials for the registry with --npmrc file:$HOME/.npmrc, and check that they allow reading it.",
    lines: /40[13] |E40[13]|https?:/,
  },
  {
    pattern:
      /404 Not Found|E404|ERR_PNPM_FETCH_404|ETARGET|ERR_PNPM_NO_MATCHING_VERSION|Couldn't find (?:package|any versions)/,
    what: (service, { lock }) => `a package in ${lock} of ${service} is not in the registry`,
    remedy: ({ lock }) =>
      `It may have been removed, or be private: update ${lock}, or set the registry that has it (mirrors.npm in tgo.catalog.json, or .npmrc).`,
    lines: / 404 |404 Not|"404|E404|ETARGET|Couldn't find|No matching/,
  },
  {
    pattern:
      /UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|SELF_SIGNED_CERT|CERT_[A-Z_]+|unable to (?:get local issuer|verify the first)|self.signed certificate/i,
    what: (service) => `the npm registry's certificate is not trusted (installing ${service})`,
    remedy: () => "Behind a TLS-inspecting proxy, pass its certificates with --ca-bundle FILE.",
    lines: /cert|issuer/i,
  },
  {
    pattern:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ESOCKETTIMEDOUT|trouble with your network|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL|"50\d |E50[234]\b|ERR_PNPM_FETCH_50\d/,
    what: (service) => `the npm registry cannot be reached (installing ${service})`,
    remedy: () => "Check the network. To use a mirror, set mirrors.npm in tgo.catalog.json.",
    lines: /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|https?:/,
  },
  {
    pattern: /The engine "\w+" is incompatible|EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE/,
    what: (service) => `a package of ${service} does not support the builder's Node version`,
    remedy: () =>
      "Set build.builder of the service in tgo.catalog.json to an image with a Node version that all packages support.",
    lines: /engine|Expected version|Got|Required|Actual/i,
  },
];

/**
 * Describes a failed installation: what happened, the relevant output lines, and what to do.
 * @param error as thrown by the engine's SDK for a failed command
 */
export function installFailure(
  service: string,
  { manager, lock }: Pick<Project, "manager" | "lock">,
  error: unknown,
): Error {
  if (isTgoError(error)) return error;
  const step = `installing the packages of ${service}`;
  const lacking = machineFailure(step, error);
  if (lacking !== undefined) return lacking;
  const failure = execFailure(error);
  const output = failure === undefined ? "" : `${failure.stdout}\n${failure.stderr}`;
  const reason = REASONS.find(({ pattern }) => pattern.test(output));
  if (failure === undefined || reason === undefined) {
    return buildError(
      step,
      `Run ${manager.name} install in the service's folder to reproduce the failure.`,
      error,
    );
  }
  const mismatched = packageWithHash(output, lock);
  return new TgoError("BUILD", `${reason.what(service, manager)}\n${relevantLines(failure, reason.lines)}`, {
    ...(mismatched === undefined ? {} : { where: mismatched }),
    remedy: reason.remedy(manager),
    cause: error,
  });
}

/** The package whose hash does not match: npm prints only the expected hash. */
function packageWithHash(output: string, lock: string): string | undefined {
  const expected = /EINTEGRITY[^]*?wanted (sha\d+-\S+)/.exec(output)?.[1];
  return expected === undefined ? undefined : packageLockedWith(lock, expected);
}

function relevantLines(failure: ExecFailure, lines: RegExp): string {
  const matching = `${failure.stdout}\n${failure.stderr}`
    .split("\n")
    .filter((line) => lines.test(line) && !/^\s+at |Visit https|yarnpkg\.com\/en\/docs/.test(line));
  if (matching.length === 0) return lastLines(failure, 10);
  return lastLines({ stdout: [...new Set(matching)].slice(0, 10).join("\n"), stderr: "" }, 10);
}
