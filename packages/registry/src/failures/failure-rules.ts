import type { TgoErrorCode } from "@tgo/errors";
import {
  goDuration,
  isHtml,
  retryAfterMs,
  registryMessage,
  type RegistryFailure,
  type RetryLimits,
} from "./registry-failure.js";

export interface FailureRule {
  readonly name: string;
  readonly matches: (fault: RegistryFailure) => boolean;
  readonly code: TgoErrorCode;
  readonly what: (fault: RegistryFailure) => string;
  readonly remedy?: (fault: RegistryFailure) => string;
  /** Absent: repeating does not help. */
  readonly patience?: (fault: RegistryFailure) => RetryLimits | undefined;
}

const GHCR = /^(?:ghcr\.io|containers\..+\.ghe\.com)$/;
const HUB = /^(?:docker\.io|(?:index|registry-1)\.docker\.io)$/;
const ACR = /\.aliyuncs\.com$/;

const USUAL_TRIES = 5;
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 522]);

const says =
  (pattern: RegExp, status?: number) =>
  (fault: RegistryFailure): boolean =>
    pattern.test(fault.text) && (status === undefined || fault.status === status);

const login = (fault: RegistryFailure): string =>
  fault.identity === "anonymous"
    ? `No credentials for ${fault.host} were given. Run "docker login ${fault.host}" and pass that docker config (--docker-config).`
    : `Check the user and password for ${fault.host}: "docker login ${fault.host}" must accept them.`;

const CONTINUES = "it continues where it stopped";

/** What the registry asks for, where that is longer than anybody would guess. */
function later({ retryAfter }: RegistryFailure): string | undefined {
  const minutes = Math.ceil((retryAfterMs(retryAfter) ?? 0) / 60_000);
  return minutes > 1
    ? `The registry asks to wait ${minutes} min: run the same command again after that`
    : undefined;
}

/** What registries were seen to say, the particular before the general. The first row that matches is used. */
export const FAILURE_RULES: readonly FailureRule[] = [
  {
    name: "acr-unknown-manifest-class",
    matches: says(/unknown manifest class for/i),
    code: "DENIED",
    what: (fault) => `the registry refuses this kind of artifact: ${registryMessage(fault)}`,
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
    what: () => "GHCR does not accept this token: it is expired, or a fine-grained one",
    remedy: () => "Use a classic personal access token (write:packages) or the job's GITHUB_TOKEN.",
  },
  {
    name: "ghcr-secondary-rate-limit",
    matches: says(/secondary rate limit/i),
    code: "UNAVAILABLE",
    what: () => "GitHub throttles this account (secondary rate limit)",
    remedy: () => "Wait a few minutes and run the same command again; it continues where it stopped.",
    patience: () => ({ tries: 3, waits: [120_000, 300_000], reason: "GitHub's secondary rate limit" }),
  },
  {
    name: "hub-pull-rate-limit",
    matches: says(/reached your (?:unauthenticated )?pull rate limit/i),
    code: "UNAVAILABLE",
    what: () => "Docker Hub: the pull rate limit of this address or account is used up",
    remedy: (fault) =>
      fault.identity === "anonymous"
        ? 'Log in ("docker login") for a higher limit, or wait: the limit counts six hours.'
        : "Wait: the limit counts six hours. A paid account has none.",
  },
  {
    name: "hub-abuse-limit",
    matches: says(/HAP429/),
    code: "UNAVAILABLE",
    what: () => "Docker Hub limits the requests of this address (abuse limit)",
    remedy: () => "Wait a minute and run the same command again.",
    patience: (fault) => ({
      tries: USUAL_TRIES,
      waits: [retryAfterMs(fault.retryAfter) ?? 60_000],
      reason: "Docker Hub's abuse limit",
    }),
  },
  {
    name: "too-many-requests",
    matches: (fault) => fault.status === 429 || says(/toomanyrequests/i)(fault),
    code: "UNAVAILABLE",
    what: (fault) => `too many requests: ${registryMessage(fault)}`,
    remedy: (fault) => `${later(fault) ?? "Wait a minute and run the same command again"}; ${CONTINUES}.`,
    patience: (fault) => {
      const asked =
        retryAfterMs(fault.retryAfter) ?? goDuration(/retry-after:\s*([\d.a-zµμ]+)/i.exec(fault.text)?.[1]);
      return { tries: USUAL_TRIES, waits: [Math.max(asked ?? 0, 1000)], reason: "the registry's rate limit" };
    },
  },
  {
    name: "immutable-tag",
    matches: (fault) =>
      says(/tag already exists and cannot be overwritten|immutable tag|tag (?:\S+ )?is immutable/i)(fault) ||
      (fault.method === "PUT" && HUB.test(fault.host) && fault.status === 403 && /immutab/i.test(fault.text)),
    code: "DENIED",
    what: () => "the tag exists with another digest, and the registry does not let it be overwritten",
    remedy: () => "Publish under a new tag.",
  },
  {
    name: "delete-unsupported",
    matches: (fault) => fault.method === "DELETE" && (fault.status === 405 || says(/unsupported/i)(fault)),
    code: "DENIED",
    what: () => "the registry cannot delete manifests over this API",
    remedy: (fault) =>
      GHCR.test(fault.host)
        ? "Delete the version with GitHub's packages REST API (DELETE /orgs/<org>/packages/container/<name>/versions/<id>)."
        : HUB.test(fault.host)
          ? "Delete the tag on hub.docker.com."
          : "Delete it in the registry's own console, or enable deletion there (distribution: storage.delete.enabled).",
  },
  {
    name: "accept-too-narrow",
    matches: says(/accept header does not support oci/i),
    code: "INTERNAL",
    what: () => "the registry says we did not accept OCI media types",
    remedy: () => "This is a fault of this program, or of a proxy that drops the Accept header.",
  },
  {
    name: "authorization-at-the-blob-store",
    matches: says(/missing x-amz-content-sha256|only one auth mechanism allowed/i),
    code: "INTERNAL",
    what: () => "the registry's blob store was sent the registry's credentials and refused",
    remedy: () => "This is a fault of this program, or of a proxy that follows redirects for it.",
  },
  {
    name: "manifest-blob-unknown",
    matches: says(/manifest blob unknown|MANIFEST_BLOB_UNKNOWN/i),
    code: "NOT_FOUND",
    what: (fault) =>
      `the manifest names content that the repository does not hold: ${registryMessage(fault)}`,
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
    what: (fault) => `the registry does not know a blob: ${registryMessage(fault)}`,
    remedy: () => "Run the same command again: it uploads what is missing.",
  },
  {
    name: "upload-too-large",
    matches: (fault) =>
      fault.status === 413 || says(/exceeds the maximum permissible limit|request body is too large/i)(fault),
    code: "DENIED",
    what: (fault) =>
      `the registry, or a proxy before it, refuses an upload of this size: ${registryMessage(fault)}`,
    remedy: () => "Raise the limit of the proxy (nginx: client_max_body_size 0).",
  },
  {
    name: "digest-invalid",
    matches: says(/DIGEST_INVALID|provided digest did not match/i),
    code: "INVALID_RESPONSE",
    what: () => "the registry received other bytes than were sent: the digest differs",
    remedy: () => "Run the same command again. If it stays, a proxy changes what passes through it.",
  },
  {
    name: "manifest-unknown",
    matches: (fault) => fault.status === 404 && says(/MANIFEST_UNKNOWN|manifest unknown/i)(fault),
    code: "NOT_FOUND",
    what: () => "there is no such tag or digest",
  },
  {
    name: "acr-no-repository",
    matches: (fault) =>
      ACR.test(fault.host) &&
      (says(/NAME_UNKNOWN/)(fault) ||
        (fault.identity === "credentials" && says(/requested access to the resource is denied/i)(fault))),
    code: "NOT_FOUND",
    what: () => "the namespace or the repository does not exist, or this account has no access",
    remedy: () =>
      "Create the namespace and the repository in the ACR console, and check the instance's host (new personal instances: crpi-<id>.<region>.personal.cr.aliyuncs.com).",
  },
  {
    name: "name-unknown",
    matches: says(/NAME_UNKNOWN/),
    code: "NOT_FOUND",
    what: () => "the registry does not know this repository",
  },
  {
    name: "acr-login",
    matches: (fault) => ACR.test(fault.host) && fault.status === 401,
    code: "UNAUTHORIZED",
    what: () => "ACR does not accept this login",
    remedy: (fault) =>
      fault.identity === "anonymous"
        ? login(fault)
        : "Use the registry password set in the ACR console (not the console login), or a fresh temporary token (valid one hour).",
  },
  {
    name: "wrong-password",
    matches: (fault) =>
      fault.identity === "credentials" &&
      says(/incorrect username or password|invalid username\/password|bad username or password/i)(fault),
    code: "UNAUTHORIZED",
    what: () => "wrong user name or password",
    remedy: login,
  },
  {
    name: "denied-or-missing",
    matches: (fault) =>
      (fault.status === 401 || fault.status === 403) &&
      (fault.stage === "token" ||
        says(/requested access to the resource is denied|insufficient_scope|"Action"/i)(fault)) &&
      fault.scheme !== "basic" &&
      fault.where.includes("/"),
    code: "DENIED",
    what: (fault) =>
      fault.identity === "anonymous"
        ? "not found, or not readable without credentials (the registry does not say which)"
        : "not found, or these credentials have no access (the registry does not say which)",
    remedy: login,
  },
  {
    name: "unauthorized",
    matches: (fault) => fault.status === 401,
    code: "UNAUTHORIZED",
    what: (fault) =>
      fault.identity === "anonymous"
        ? "the registry asks for credentials"
        : "the registry does not accept these credentials",
    remedy: login,
  },
  {
    name: "denied",
    matches: (fault) => fault.status === 403 && !isHtml(fault),
    code: "DENIED",
    what: (fault) => `the registry refuses to ${fault.doing}: ${registryMessage(fault)}`,
    remedy: login,
  },
  {
    name: "passing",
    matches: (fault) => PASSING.has(fault.status),
    code: "UNAVAILABLE",
    what: (fault) =>
      `the registry cannot ${fault.doing} now (status ${fault.status}): ${registryMessage(fault)}`,
    remedy: (fault) => `${later(fault) ?? "Run the same command again later"}; ${CONTINUES}.`,
    patience: (fault) => {
      const asked = retryAfterMs(fault.retryAfter);
      return {
        tries: USUAL_TRIES,
        ...(asked === undefined ? {} : { waits: [asked] }),
        reason: `status ${fault.status}`,
      };
    },
  },
  {
    name: "html",
    matches: isHtml,
    code: "INVALID_RESPONSE",
    what: (fault) =>
      `this is no container registry, or its front end is down: status ${fault.status} and ${registryMessage(fault)}`,
    remedy: () =>
      "Check the registry's host and port; a web server, proxy or login page may be answering in its place.",
    // During outages Docker Hub's front end was seen to answer an HTML 404 or 405.
    patience: (fault) =>
      fault.status === 404 || fault.status === 405 ? { tries: 2, reason: "an HTML page" } : undefined,
  },
  {
    name: "not-found",
    matches: (fault) => fault.status === 404,
    code: "NOT_FOUND",
    what: (fault) => `not found: ${registryMessage(fault)}`,
  },
  {
    name: "anything-else",
    matches: () => true,
    code: "INVALID_RESPONSE",
    what: (fault) =>
      `the registry's answer to "${fault.doing}" is not understood: status ${fault.status}, ${registryMessage(fault)}`,
    remedy: () => "Check that this address is a container registry.",
  },
];
