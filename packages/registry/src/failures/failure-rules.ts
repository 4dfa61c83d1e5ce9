import type { TgoErrorCode } from "@tgo/errors";
import {
  goDuration,
  isHtml,
  isRegistryError,
  registryMessage,
  retryAfterMs,
  type RegistryFailure,
} from "./registry-failure.js";
import { USUAL_ATTEMPTS, type RetryPolicy } from "./retry-policy.js";

export interface FailureRule {
  readonly name: string;
  readonly matches: (failure: RegistryFailure) => boolean;
  readonly code: TgoErrorCode;
  readonly what: (failure: RegistryFailure) => string;
  readonly remedy?: (failure: RegistryFailure) => string;
  /** Absent: retrying does not help. */
  readonly retry?: (failure: RegistryFailure) => RetryPolicy | undefined;
}

const GHCR = /^(?:ghcr\.io|containers\..+\.ghe\.com)$/;
const HUB = /^(?:docker\.io|(?:index|registry-1)\.docker\.io)$/;
const ACR = /\.aliyuncs\.com$/;

/** Statuses of transient failures. */
const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504, 522]);

const says =
  (pattern: RegExp, status?: number) =>
  (failure: RegistryFailure): boolean =>
    pattern.test(failure.text) && (status === undefined || failure.status === status);

const IMMUTABLE =
  /immutab|overwrit|overrid|redeploy|updating assets|tag\b.{0,40}\balready (?:exists|assigned)|\bprotected\b.{0,40}\btag\b|\btag\b.{0,40}\bprotected\b/i;

const login = (failure: RegistryFailure): string =>
  failure.identity === "anonymous"
    ? `No credentials for ${failure.host} were given. Run "docker login ${failure.host}" and pass that docker config (--docker-config).`
    : `Check the user and password for ${failure.host}: "docker login ${failure.host}" must accept them.`;

/** For a login that the registry has given a token to. */
const access = ({ method, host }: RegistryFailure): string => {
  const reads = method === "GET" || method === "HEAD";
  const token = HUB.test(host) && !reads ? ' (an access token with "Read & Write")' : "";
  return `The login itself is accepted: check that the repository exists, and that the account and its token may ${reads ? "read" : "write to"} it${token}.`;
};

const LOG = "The registry's own log says more about it.";

const CONTINUES = "it continues where it stopped";

/** The delay that the registry asks for, when it is longer than one would guess. */
function waitRemedy({ retryAfter }: RegistryFailure): string | undefined {
  const minutes = Math.ceil((retryAfterMs(retryAfter) ?? 0) / 60_000);
  return minutes > 1
    ? `The registry asks for ${minutes} min: wait that long, then run the same command again`
    : undefined;
}

/** Responses observed from real registries, the specific before the general; the first rule that matches applies. */
export const FAILURE_RULES: readonly FailureRule[] = [
  {
    name: "acr-unknown-manifest-class",
    matches: says(/unknown manifest class for/i),
    code: "DENIED",
    what: (failure) => `the registry does not accept this kind of artifact: ${registryMessage(failure)}`,
    remedy: () => "Push the image without provenance and SBOM manifests (provenance: false, sbom: false).",
  },
  {
    name: "ghcr-write-package",
    matches: says(/permission_denied: write_package/i),
    code: "DENIED",
    what: () => "GHCR: this repository's token may not write the package",
    remedy: () =>
      'On GitHub: the package\'s settings, "Manage Actions access", give this repository the role Write.',
  },
  {
    name: "ghcr-organization-package",
    matches: says(/installation not allowed to (?:create|write) organization package/i),
    code: "DENIED",
    what: () => "GHCR: this token may not create or write a package of the organization",
    remedy: () =>
      'Add "permissions: packages: write" to the job; check the owner in the image name and the organization\'s package creation policy.',
  },
  {
    name: "ghcr-read-package",
    matches: says(/permission_denied: read_package/i),
    code: "DENIED",
    what: () => "GHCR: the package is private, or this token may not read it",
    remedy: () => "Use a token with the scope read:packages, or make the package public.",
  },
  {
    name: "ghcr-token-provided",
    matches: says(/cannot be authenticated with the token provided/i),
    code: "UNAUTHORIZED",
    what: () => "GHCR does not accept this token: it has expired, or it is a fine-grained one",
    remedy: () => "Use a classic personal access token (write:packages) or the job's GITHUB_TOKEN.",
  },
  {
    name: "ghcr-secondary-rate-limit",
    matches: says(/secondary rate limit/i),
    code: "UNAVAILABLE",
    what: () => "GitHub throttles this account (secondary rate limit)",
    remedy: () => "Wait a few minutes and run the same command again; it continues where it stopped.",
    retry: () => ({ attempts: 3, delaysMs: [120_000, 300_000], reason: "GitHub's secondary rate limit" }),
  },
  {
    name: "hub-pull-rate-limit",
    matches: says(/reached your (?:unauthenticated )?pull rate limit/i),
    code: "UNAVAILABLE",
    what: () => "Docker Hub: this address or account has used up its pull rate limit",
    remedy: (failure) =>
      failure.identity === "anonymous"
        ? 'Log in ("docker login") for a higher limit, or wait: the limit covers six hours.'
        : "Wait: the limit covers six hours. A paid account has none.",
  },
  {
    name: "hub-abuse-limit",
    matches: says(/HAP429/),
    code: "UNAVAILABLE",
    what: () => "Docker Hub throttles this address (abuse limit)",
    remedy: () => "Wait a minute and run the same command again.",
    retry: (failure) => ({
      attempts: USUAL_ATTEMPTS,
      delaysMs: [retryAfterMs(failure.retryAfter) ?? 60_000],
      reason: "Docker Hub's abuse limit",
    }),
  },
  {
    name: "too-many-requests",
    matches: (failure) => failure.status === 429 || says(/toomanyrequests/i)(failure),
    code: "UNAVAILABLE",
    what: (failure) => `too many requests: ${registryMessage(failure)}`,
    remedy: (failure) =>
      `${waitRemedy(failure) ?? "Wait a minute and run the same command again"}; ${CONTINUES}.`,
    retry: (failure) => {
      const requested =
        retryAfterMs(failure.retryAfter) ??
        goDuration(/retry-after:\s*([\d.a-zµμ]+)/i.exec(failure.text)?.[1]);
      return {
        attempts: USUAL_ATTEMPTS,
        delaysMs: [Math.max(requested ?? 0, 1000)],
        reason: "the registry's rate limit",
      };
    },
  },
  {
    name: "disk-full",
    matches: (failure) =>
      failure.status === 507 || says(/no space left|disk quota exceeded|\bENOSPC\b/i)(failure),
    code: "UNAVAILABLE",
    what: (failure) =>
      `could not ${failure.action}: the registry's own disk is full: ${registryMessage(failure)}`,
    remedy: () => `Free space in the registry's storage, then run the same command again; ${CONTINUES}.`,
  },
  {
    name: "immutable-tag",
    // Each registry has words of its own: Docker Hub, Google, ECR, Harbor, ACR, Nexus, Artifactory, GitLab.
    matches: (failure) => failure.sent !== undefined && failure.status < 500 && says(IMMUTABLE)(failure),
    code: "DENIED",
    what: () =>
      "the tag exists with another digest and is immutable: the registry does not allow overwriting it",
    remedy: () =>
      "Publish under a new tag. Tags that move, such as latest, must be exempt from the registry's immutability rule.",
  },
  {
    name: "delete-unsupported",
    matches: (failure) =>
      failure.method === "DELETE" && (failure.status === 405 || says(/unsupported/i)(failure)),
    code: "DENIED",
    what: () => "the registry does not support deleting manifests",
    remedy: (failure) =>
      GHCR.test(failure.host)
        ? "Delete the version with GitHub's packages REST API (DELETE /orgs/<org>/packages/container/<name>/versions/<id>)."
        : HUB.test(failure.host)
          ? "Delete the tag on hub.docker.com."
          : "Delete it in the registry's own console, or enable deletion there (distribution: storage.delete.enabled).",
  },
  {
    name: "accept-too-narrow",
    matches: says(/accept header does not support oci/i),
    code: "INTERNAL",
    what: () => "the registry says the request did not accept OCI media types",
    remedy: () => "A defect of this program, or a proxy that drops the Accept header.",
  },
  {
    name: "authorization-at-the-blob-store",
    matches: says(/missing x-amz-content-sha256|only one auth mechanism allowed/i),
    code: "INTERNAL",
    what: () => "the registry's blob store refused the request because it carried the registry's credentials",
    remedy: () => "A defect of this program, or a proxy that follows redirects for it.",
  },
  {
    name: "manifest-blob-unknown",
    matches: says(/manifest blob unknown|MANIFEST_BLOB_UNKNOWN/i),
    code: "NOT_FOUND",
    what: (failure) =>
      `the manifest refers to content that is not in the repository: ${registryMessage(failure)}`,
    remedy: () => "Run the same command again: it uploads what is missing.",
  },
  {
    name: "blob-upload-unknown",
    matches: says(/BLOB_UPLOAD_UNKNOWN|blob upload unknown/i),
    code: "UNAVAILABLE",
    what: () => "the registry lost the upload session",
    remedy: () => "Run the same command again; it continues where it stopped.",
  },
  {
    name: "blob-unknown",
    matches: says(/unknown blob|BLOB_UNKNOWN/i),
    code: "NOT_FOUND",
    what: (failure) => `a blob is missing from the registry: ${registryMessage(failure)}`,
    remedy: () => "Run the same command again: it uploads what is missing.",
  },
  {
    name: "upload-too-large",
    matches: (failure) =>
      failure.status === 413 ||
      says(/exceeds the maximum permissible limit|request body is too large/i)(failure),
    code: "DENIED",
    what: (failure) =>
      `the registry, or a proxy in front of it, refuses an upload of this size: ${registryMessage(failure)}`,
    remedy: () => "Raise the limit of the proxy (nginx: client_max_body_size 0).",
  },
  {
    name: "digest-invalid",
    matches: says(/DIGEST_INVALID|provided digest did not match/i),
    code: "INVALID_RESPONSE",
    what: () => "the registry received different bytes than were sent: the digest differs",
    remedy: () => "Run the same command again. If it happens again, a proxy alters the content.",
  },
  {
    name: "manifest-invalid",
    matches: (failure) => failure.sent !== undefined && says(/MANIFEST_INVALID|manifest invalid/i)(failure),
    code: "INVALID_RESPONSE",
    what: (failure) => `the registry refuses the manifest, ${failure.sent}: ${registryMessage(failure)}`,
    remedy: () =>
      "It must accept OCI images, OCI indexes and their annotations: its log says what it refuses. Update it, or ask its operator.",
  },
  {
    name: "manifest-unknown",
    matches: (failure) => failure.status === 404 && says(/MANIFEST_UNKNOWN|manifest unknown/i)(failure),
    code: "NOT_FOUND",
    what: () => "there is no such tag or digest",
  },
  {
    name: "acr-no-repository",
    matches: (failure) =>
      ACR.test(failure.host) &&
      (says(/NAME_UNKNOWN/)(failure) ||
        (failure.identity === "credentials" && says(/requested access to the resource is denied/i)(failure))),
    code: "NOT_FOUND",
    what: () => "the namespace or the repository does not exist, or this account has no access",
    remedy: () =>
      "Create the namespace and the repository in the ACR console, and check the instance's host (new personal instances: crpi-<id>.<region>.personal.cr.aliyuncs.com).",
  },
  {
    name: "name-unknown",
    matches: says(/NAME_UNKNOWN/),
    code: "NOT_FOUND",
    what: () => "there is no such repository in the registry",
  },
  {
    name: "acr-login",
    matches: (failure) => ACR.test(failure.host) && failure.status === 401 && failure.lacksScope !== true,
    code: "UNAUTHORIZED",
    what: () => "ACR rejects this login",
    remedy: (failure) =>
      failure.identity === "anonymous"
        ? login(failure)
        : "Use the registry password set in the ACR console (not the console login), or a fresh temporary token (valid one hour).",
  },
  {
    name: "wrong-password",
    matches: (failure) =>
      failure.identity === "credentials" &&
      says(/incorrect username or password|invalid username\/password|bad username or password/i)(failure),
    code: "UNAUTHORIZED",
    what: () => "wrong user name or password",
    remedy: login,
  },
  {
    name: "denied-or-missing",
    matches: (failure) =>
      (failure.status === 401 || failure.status === 403) &&
      (failure.stage === "token" ||
        failure.lacksScope === true ||
        says(/requested access to the resource is denied|"Action"/i)(failure)) &&
      failure.scheme !== "basic" &&
      failure.where.includes("/"),
    code: "DENIED",
    what: (failure) =>
      failure.identity === "anonymous"
        ? "not found, or not readable without credentials (the registry does not say which)"
        : "not found, or these credentials have no access (the registry does not say which)",
    remedy: (failure) =>
      (failure.stage === "token" || failure.identity === "anonymous" ? login : access)(failure),
  },
  {
    name: "unauthorized",
    matches: (failure) => failure.status === 401,
    code: "UNAUTHORIZED",
    what: (failure) =>
      failure.identity === "anonymous"
        ? "the registry requires credentials"
        : "the registry rejects these credentials",
    remedy: login,
  },
  {
    name: "denied",
    // Some registries refuse with one of the others what exists already.
    matches: (failure) =>
      !isHtml(failure) &&
      (failure.status === 403 || (failure.sent !== undefined && [405, 409, 412].includes(failure.status))),
    code: "DENIED",
    what: (failure) => `the registry does not allow us to ${failure.action}: ${registryMessage(failure)}`,
    remedy: (failure) => (failure.status === 403 ? login(failure) : LOG),
  },
  {
    name: "temporary",
    matches: (failure) => TEMPORARY.has(failure.status),
    code: "UNAVAILABLE",
    what: (failure) =>
      `could not ${failure.action}: the registry returned status ${failure.status}: ${registryMessage(failure)}`,
    remedy: (failure) => `${waitRemedy(failure) ?? "Run the same command again later"}; ${CONTINUES}.`,
    retry: (failure) => {
      const requested = retryAfterMs(failure.retryAfter);
      return {
        attempts: USUAL_ATTEMPTS,
        ...(requested === undefined ? {} : { delaysMs: [requested] }),
        reason: `status ${failure.status}`,
      };
    },
  },
  {
    name: "html",
    matches: isHtml,
    code: "INVALID_RESPONSE",
    what: (failure) =>
      `this is not a container registry, or its front end is down: status ${failure.status} and ${registryMessage(failure)}`,
    remedy: () =>
      "Check the registry's host and port; a web server, proxy or login page may be responding in its place.",
    // During outages, Docker Hub's front end has sent an HTML 404 or 405.
    retry: (failure) =>
      failure.status === 404 || failure.status === 405 ? { attempts: 2, reason: "an HTML page" } : undefined,
  },
  {
    name: "not-found",
    matches: (failure) => failure.status === 404,
    code: "NOT_FOUND",
    what: (failure) => `not found: ${registryMessage(failure)}`,
  },
  {
    name: "unexpected",
    matches: () => true,
    code: "INVALID_RESPONSE",
    what: (failure) =>
      `unexpected response to "${failure.action}": status ${failure.status}, ${registryMessage(failure)}${failure.sent === undefined ? "" : `; sent was ${failure.sent}`}`,
    remedy: (failure) =>
      isRegistryError(failure) ? LOG : "Check that this address is a container registry.",
  },
];
