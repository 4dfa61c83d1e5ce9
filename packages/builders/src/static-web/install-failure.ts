import { isTgoError, TgoError } from "@tgo/errors";
import { execFailure, lastLines, type ExecFailure } from "../exec-failure.js";
import { buildError } from "../build-error.js";
import { lockedWith } from "./npm-lock.js";
import type { PackageManager } from "./package-manager.js";
import type { Project } from "./project.js";

interface Reason {
  readonly sign: RegExp;
  readonly what: (service: string, manager: PackageManager) => string;
  readonly remedy: (manager: PackageManager) => string;
  /** Lines of the output worth showing. */
  readonly lines: RegExp;
}

/** What package managers print when an installation fails, most telling first. */
const REASONS: readonly Reason[] = [
  {
    sign: /needs to be updated, but yarn was run with|can only install (?:packages )?when your package\.json|ERR_PNPM_OUTDATED_LOCKFILE|ERR_PNPM_LOCKFILE_CONFIG_MISMATCH/,
    what: (service, { lock }) => `${lock} of ${service} does not match package.json`,
    remedy: ({ name, lock }) => `Run ${name} install in the service's folder and commit ${lock}.`,
    lines: /Missing:|Invalid:|specifiers in the lockfile|\* \d+ dependenc|lockfile/,
  },
  {
    sign: /ERR_PNPM_(?:LOCKFILE_BREAKING_CHANGE|NO_LOCKFILE|BROKEN_LOCKFILE)|Invalid (?:value type|lockfile)|EUSAGE/,
    what: (service, { name, lock }) => `${lock} of ${service} cannot be read by ${name}`,
    remedy: () => "Set packageManager in package.json to the version that wrote it.",
    lines: /ERR_PNPM|EUSAGE|[Ll]ockfile/,
  },
  {
    sign: /integrity check|EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|Incorrect integrity/i,
    what: (service, { lock }) => `a package of ${service} has another hash than ${lock} says`,
    remedy: ({ lock }) =>
      `Check the registry or mirror. If the package was published anew, update it in ${lock} and look at what changed.`,
    lines: /integrity/i,
  },
  {
    sign: /"40[13] |\b40[13] (?:Unauthorized|Forbidden)|E40[13]\b|ERR_PNPM_FETCH_40[13]/,
    what: (service) => `the npm registry refuses a package of ${service}`,
    remedy: () =>
      "Pass credentials for the registry by --npmrc file:$HOME/.npmrc, and check that they may read it.",
    lines: /40[13] |E40[13]|https?:/,
  },
  {
    sign: /404 Not Found|E404|ERR_PNPM_FETCH_404|ETARGET|ERR_PNPM_NO_MATCHING_VERSION|Couldn't find (?:package|any versions)/,
    what: (service, { lock }) => `a package that ${lock} of ${service} names is not in the registry`,
    remedy: ({ lock }) =>
      `It may have been removed or be private, or the registry did not answer: update ${lock}, or set the registry that has it (mirrors.npm in tgo.catalog.json, .npmrc).`,
    lines: / 404 |404 Not|"404|E404|ETARGET|Couldn't find|No matching/,
  },
  {
    sign: /UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|SELF_SIGNED_CERT|CERT_[A-Z_]+|unable to (?:get local issuer|verify the first)|self.signed certificate/i,
    what: (service) => `the npm registry's certificate is not trusted while ${service} is installed`,
    remedy: () => "Behind a proxy that inspects TLS, pass its certificates by --ca-bundle FILE.",
    lines: /cert|issuer/i,
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ESOCKETTIMEDOUT|trouble with your network|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL|"50\d |E50[234]\b|ERR_PNPM_FETCH_50\d/,
    what: (service) => `the npm registry cannot be reached while ${service} is installed`,
    remedy: () => "Check the network; a mirror is set by mirrors.npm in tgo.catalog.json.",
    lines: /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|https?:/,
  },
  {
    sign: /The engine "\w+" is incompatible|EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE/,
    what: (service) => `a package of ${service} does not run on the builder's Node`,
    remedy: () =>
      "Set build.builder of the service in tgo.catalog.json to an image with a Node that all packages take.",
    lines: /engine|Expected version|Got|Required|Actual/i,
  },
];

/**
 * A failed installation as one message: what happened, the lines that say it, what to do.
 * @param error as the engine's SDK throws it for a failed command
 */
export function installFailure(
  service: string,
  { manager, lock }: Pick<Project, "manager" | "lock">,
  error: unknown,
): Error {
  if (isTgoError(error)) return error;
  const failure = execFailure(error);
  const output = failure === undefined ? "" : `${failure.stdout}\n${failure.stderr}`;
  const reason = REASONS.find(({ sign }) => sign.test(output));
  if (failure === undefined || reason === undefined) {
    return buildError(
      `installing the packages of ${service}`,
      `Run ${manager.name} install in the service's folder: what fails there fails here.`,
      error,
    );
  }
  return new TgoError("BUILD", `${reason.what(service, manager)}\n${telling(failure, reason.lines)}`, {
    where: packageWithHash(output, lock),
    remedy: reason.remedy(manager),
    cause: error,
  });
}

/** npm tells the hash it wanted, and not of what. */
function packageWithHash(output: string, lock: string): string | undefined {
  const wanted = /EINTEGRITY[^]*?wanted (sha\d+-\S+)/.exec(output)?.[1];
  return wanted === undefined ? undefined : lockedWith(lock, wanted);
}

function telling(failure: ExecFailure, lines: RegExp): string {
  const matching = `${failure.stdout}\n${failure.stderr}`
    .split("\n")
    .filter((line) => lines.test(line) && !/^\s+at |Visit https|yarnpkg\.com\/en\/docs/.test(line));
  if (matching.length === 0) return lastLines(failure, 10);
  return lastLines({ stdout: [...new Set(matching)].slice(0, 10).join("\n"), stderr: "" }, 10);
}
