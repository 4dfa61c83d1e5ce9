import { expect, test } from "vitest";
import { classify, failureError, retryPolicy } from "../src/failures/response-failure.js";
import { goDuration, type RegistryFailure } from "../src/failures/registry-failure.js";

const GHCR = "ghcr.io";
const HUB = "docker.io";
const ACR = "registry.cn-shanghai.aliyuncs.com";

const oci = (code: string, message: string, detail?: unknown): string =>
  JSON.stringify({ errors: [{ code, message, detail }] });

const SENT = "application/vnd.oci.image.index.v1+json of 842 bytes";

function failed(
  host: string,
  status: number,
  text: string,
  rest: Partial<RegistryFailure> = {},
): RegistryFailure {
  return {
    host,
    status,
    text,
    where: `${host}/tgoai/tgo-api:v1`,
    action: "push the manifest",
    stage: "registry",
    method: "PUT",
    contentType: text.startsWith("<") ? "text/html" : "application/json",
    retryAfter: undefined,
    scheme: undefined,
    identity: "credentials",
    ...(rest.method === undefined ? { sent: SENT } : {}),
    ...rest,
  };
}

/** The servers' own texts, as users reported them. */
test.each<[rule: string, failure: RegistryFailure, code: string, text: RegExp, attempts: number]>([
  [
    "acr-unknown-manifest-class",
    failed(ACR, 403, oci("DENIED", "unknown manifest class for application/vnd.oci.empty.v1+json")),
    "DENIED",
    /provenance: false, sbom: false/,
    1,
  ],
  [
    "ghcr-write-package",
    failed(GHCR, 403, oci("DENIED", "permission_denied: write_package")),
    "DENIED",
    /Manage Actions access/,
    1,
  ],
  [
    "ghcr-organization-package",
    failed(GHCR, 403, oci("DENIED", "installation not allowed to Create organization package")),
    "DENIED",
    /packages: write/,
    1,
  ],
  [
    "ghcr-organization-package",
    failed(GHCR, 403, oci("DENIED", "installation not allowed to Write organization package")),
    "DENIED",
    /owner in the image name/,
    1,
  ],
  [
    "ghcr-read-package",
    failed(GHCR, 403, oci("DENIED", "permission_denied: read_package"), { method: "GET" }),
    "DENIED",
    /read:packages/,
    1,
  ],
  [
    "denied-or-missing",
    failed(GHCR, 403, oci("DENIED", "requested access to the resource is denied"), {
      stage: "token",
      method: "GET",
    }),
    "DENIED",
    /during login: not found, or these credentials have no access/,
    1,
  ],
  [
    "denied-or-missing",
    failed(GHCR, 401, oci("UNAUTHORIZED", "authentication required"), {
      stage: "token",
      method: "GET",
      identity: "anonymous",
    }),
    "DENIED",
    /not readable without credentials .*\n.*docker login ghcr\.io/,
    1,
  ],
  [
    "ghcr-token-provided",
    failed(
      GHCR,
      401,
      oci("UNAUTHORIZED", "unauthenticated: User cannot be authenticated with the token provided."),
    ),
    "UNAUTHORIZED",
    /classic personal access token/,
    1,
  ],
  [
    "ghcr-secondary-rate-limit",
    failed(GHCR, 403, "You have exceeded a secondary rate limit. Please wait a few minutes"),
    "UNAVAILABLE",
    /Wait a few minutes/,
    3,
  ],
  [
    "too-many-requests",
    failed(GHCR, 429, oci("TOOMANYREQUESTS", "retry-after: 880.092µs, allowed: 44000/minute")),
    "UNAVAILABLE",
    /too many requests/,
    5,
  ],
  [
    "hub-pull-rate-limit",
    failed(
      HUB,
      429,
      oci(
        "TOOMANYREQUESTS",
        "You have reached your pull rate limit as '***': ***. You may increase the limit by authenticating and upgrading",
      ),
      { method: "GET" },
    ),
    "UNAVAILABLE",
    /six hours/,
    1,
  ],
  [
    "hub-abuse-limit",
    failed(HUB, 429, "Too Many Requests (HAP429).\n", { contentType: "text/plain", retryAfter: "60" }),
    "UNAVAILABLE",
    /abuse limit/,
    5,
  ],
  [
    "denied-or-missing",
    failed(
      HUB,
      401,
      oci("UNAUTHORIZED", "authentication required", [
        { Type: "repository", Class: "", Name: "tgoai/x", Action: "pull" },
      ]),
      { scheme: "bearer", method: "GET" },
    ),
    "DENIED",
    /does not say which[^]*may read it/,
    1,
  ],
  [
    "denied-or-missing",
    failed(HUB, 401, oci("UNAUTHORIZED", "authentication required"), { scheme: "bearer", lacksScope: true }),
    "DENIED",
    /login itself is accepted[^]*Read & Write/,
    1,
  ],
  [
    "manifest-blob-unknown",
    failed(HUB, 400, oci("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")),
    "NOT_FOUND",
    /uploads what is missing/,
    1,
  ],
  [
    "accept-too-narrow",
    failed(
      GHCR,
      404,
      oci("MANIFEST_UNKNOWN", "OCI index found, but Accept header does not support OCI indexes"),
      { method: "GET" },
    ),
    "INTERNAL",
    /drops the Accept header/,
    1,
  ],
  [
    "manifest-unknown",
    failed(HUB, 404, oci("MANIFEST_UNKNOWN", "manifest unknown"), { method: "GET" }),
    "NOT_FOUND",
    /no such tag or digest/,
    1,
  ],
  [
    "blob-unknown",
    failed(GHCR, 404, oci("BLOB_UNKNOWN", "unknown blob")),
    "NOT_FOUND",
    /uploads what is missing/,
    1,
  ],
  [
    "blob-upload-unknown",
    failed(GHCR, 404, oci("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")),
    "UNAVAILABLE",
    /lost the upload session/,
    1,
  ],
  [
    "upload-too-large",
    failed(
      GHCR,
      416,
      oci(
        "REQUESTED_RANGE_NOT_SATISFIABLE",
        "the request body is too large and exceeds the maximum permissible limit of 4.00MiB",
      ),
    ),
    "DENIED",
    /4\.00MiB/,
    1,
  ],
  [
    "immutable-tag",
    failed(
      "x-registry.cn-shanghai.cr.aliyuncs.com",
      403,
      oci("DENIED", "The requested tag already exists and cannot be overwritten."),
    ),
    "DENIED",
    /Publish under a new tag/,
    1,
  ],
  ...[
    [400, "Repository does not allow updating assets: docker-hosted"],
    [
      400,
      "The image tag 'v1' already exists in the 'a' repository and cannot be overwritten because the tag is immutable.",
    ],
    [403, "Not enough permissions to delete/overwrite artifact"],
    [403, "cannot push to protected tag v1"],
    [409, "this tag is already assigned"],
  ].map(([status, message]): [string, RegistryFailure, string, RegExp, number] => [
    "immutable-tag",
    failed("registry.example.com", Number(status), oci("UNKNOWN", String(message))),
    "DENIED",
    /exists with another digest and is immutable.*\n.*Publish under a new tag/,
    1,
  ]),
  [
    "manifest-invalid",
    failed("quay.io", 400, oci("MANIFEST_INVALID", "manifest invalid", { message: "something went wrong" })),
    "INVALID_RESPONSE",
    /application\/vnd\.oci\.image\.index\.v1\+json of 842 bytes: MANIFEST_INVALID manifest invalid: "something went wrong"/,
    1,
  ],
  [
    "denied",
    failed("quay.io", 409, oci("CONFLICT", "busy")),
    "DENIED",
    /not allow us to push the manifest: CONFLICT busy\n {2}The registry's own log/,
    1,
  ],
  [
    "unexpected",
    failed("quay.io", 400, oci("TAG_INVALID", "tag too long")),
    "INVALID_RESPONSE",
    /TAG_INVALID tag too long; sent was application.*\n {2}The registry's own log/,
    1,
  ],
  ...[
    [500, "write /var/lib/registry/x: no space left on device"],
    [503, "filesystem: disk quota exceeded"],
    [507, ""],
  ].map(([status, message]): [string, RegistryFailure, string, RegExp, number] => [
    "disk-full",
    failed("registry.example.com", Number(status), oci("UNKNOWN", String(message))),
    "UNAVAILABLE",
    /the registry's own disk is full.*\n.*Free space in the registry's storage/,
    1,
  ]),
  [
    "delete-unsupported",
    failed(GHCR, 405, oci("UNSUPPORTED", "The operation is unsupported."), { method: "DELETE" }),
    "DENIED",
    /packages REST API/,
    1,
  ],
  [
    "authorization-at-the-blob-store",
    failed(GHCR, 400, "<Error><Message>Missing x-amz-content-sha256</Message></Error>"),
    "INTERNAL",
    /blob store/,
    1,
  ],
  [
    "authorization-at-the-blob-store",
    failed(HUB, 400, "<Error><Message>Only one auth mechanism allowed</Message></Error>"),
    "INTERNAL",
    /blob store/,
    1,
  ],
  [
    "html",
    failed(HUB, 405, "<html><head><title>405 Not Allowed</title></head></html>"),
    "INVALID_RESPONSE",
    /an HTML page \(<html><head><title>405/,
    2,
  ],
  [
    "html",
    failed("localhost:8080", 403, "<!doctype html><title>Log in</title>"),
    "INVALID_RESPONSE",
    /not a container registry/,
    1,
  ],
  [
    "temporary",
    failed(HUB, 502, "<html><head><title>502 Bad Gateway</title></head></html>"),
    "UNAVAILABLE",
    /status 502/,
    5,
  ],
  ["temporary", failed(HUB, 503, "", { stage: "token", method: "GET" }), "UNAVAILABLE", /during login/, 5],
  [
    "acr-no-repository",
    failed(ACR, 404, oci("NAME_UNKNOWN", "repository name not known to registry"), { method: "GET" }),
    "NOT_FOUND",
    /crpi-<id>/,
    1,
  ],
  [
    "acr-no-repository",
    failed(ACR, 403, oci("DENIED", "requested access to the resource is denied")),
    "NOT_FOUND",
    /Create the namespace and the repository/,
    1,
  ],
  [
    "acr-login",
    failed(ACR, 401, oci("UNAUTHORIZED", "authentication required"), { stage: "token", method: "GET" }),
    "UNAUTHORIZED",
    /registry password set in the ACR console/,
    1,
  ],
  [
    "wrong-password",
    failed(HUB, 401, JSON.stringify({ details: "incorrect username or password" }), {
      stage: "token",
      method: "GET",
    }),
    "UNAUTHORIZED",
    /wrong user name or password/,
    1,
  ],
  ["denied", failed(HUB, 403, oci("DENIED", "something new")), "DENIED", /DENIED something new/, 1],
  [
    "unexpected",
    failed(HUB, 418, "teapot", { contentType: "text/plain" }),
    "INVALID_RESPONSE",
    /status 418, "teapot"/,
    1,
  ],
])("%s", (rule, given, code, text, attempts) => {
  expect(classify(given)).toBe(rule);
  expect(failureError(given).code).toBe(code);
  expect(failureError(given).message).toMatch(text);
  expect(retryPolicy(given)?.attempts ?? 1).toBe(attempts);
});

test.each([408, 425, 429, 500, 502, 503, 504, 522])("status %d is retried", (status) => {
  expect(retryPolicy(failed("quay.io", status, ""))?.attempts).toBe(5);
});

test.each([400, 401, 403, 404, 409, 413, 501, 505])("status %d is not retried", (status) => {
  expect(retryPolicy(failed("quay.io", status, oci("X", "y")))).toBeUndefined();
});

test.each<[string, number | undefined]>([
  ["880.092µs", 0.880092],
  ["10.305464ms", 10.305464],
  ["1m30s", 90_000],
  ["2h", 7_200_000],
  ["500ns", 0.0005],
  ["soon", undefined],
])("a Go duration of %s", (text, milliseconds) => {
  const read = goDuration(text);
  if (milliseconds === undefined) expect(read).toBeUndefined();
  else expect(read).toBeCloseTo(milliseconds, 6);
});

test("the delay in GHCR's message is honoured, but never shorter than a second", () => {
  expect(
    retryPolicy(failed(GHCR, 429, oci("TOOMANYREQUESTS", "retry-after: 880.092µs, allowed: 44000/minute")))
      ?.delaysMs,
  ).toEqual([1000]);
  expect(
    retryPolicy(failed(GHCR, 429, oci("TOOMANYREQUESTS", "retry-after: 2.5s, allowed: 2000/minute")))
      ?.delaysMs,
  ).toEqual([2500]);
});
