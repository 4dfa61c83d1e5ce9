import { setTimeout as sleep } from "node:timers/promises";
import { digestOf, MANIFEST_TYPES, type UpstreamRequest, type UpstreamResponse } from "./upstream.js";

/** What a registry does its own way: answers a request itself, or changes it, or the answer of the registry behind. */
export type Quirk = (request: UpstreamRequest, pass: Pass) => Promise<UpstreamResponse>;
export type Pass = (request: UpstreamRequest) => Promise<UpstreamResponse>;

const INDEX = "application/vnd.oci.image.index.v1+json";

/** The texts with which registries refuse to overwrite an immutable tag: public reports, and ACR's documentation. */
export const IMMUTABLE_TAG_REFUSALS = {
  dockerHub: {
    status: 403,
    code: "DENIED",
    message:
      "requested access to the resource is denied - This tag is already assigned to an image in this repository and cannot be updated due to immutability settings. To push this image, use a different tag.",
  },
  artifactRegistry: {
    status: 403,
    code: "DENIED",
    message: "cannot update tag latest. The repository has enabled tag immutability",
  },
  harbor: {
    status: 412,
    code: "PRECONDITION",
    message: "Failed to process request due to 'latest' configured as immutable.",
  },
  acr: {
    status: 403,
    code: "DENIED",
    message: "The requested tag already exists and cannot be overwritten.",
  },
} as const;

/**
 * A tag that exists cannot be written again, not even with the digest that it has.
 * @param tags those that are immutable; default all
 */
export function immutableTags(by: keyof typeof IMMUTABLE_TAG_REFUSALS, tags = /^/): Quirk {
  const { status, code, message } = IMMUTABLE_TAG_REFUSALS[by];
  return async (request, pass) => {
    const { tag } = manifestOf(request.path);
    if (request.method !== "PUT" || tag === undefined || !tags.test(tag)) return pass(request);
    const present = await pass(reading(request, request.path));
    return present.status === 200 ? jsonAnswer(status, { errors: [{ code, message }] }) : pass(request);
  };
}

/** For this long after a write, a tag is read as it was before: GHCR, Docker Hub. @param tags default all */
export function laggingTags(lagMs: number, tags = /^/): Quirk {
  const past = new Map<string, { before: UpstreamResponse; until: number }>();
  return async (request, pass) => {
    const { tag } = manifestOf(request.path);
    if (tag === undefined || !tags.test(tag)) return pass(request);
    if (request.method === "PUT") {
      const before = await pass(reading(request, request.path));
      const response = await pass(request);
      if (response.status === 201) past.set(request.path, { before, until: performance.now() + lagMs });
      return response;
    }
    const known = past.get(request.path);
    return known !== undefined && performance.now() < known.until ? known.before : pass(request);
  };
}

/** Says `OCI-Subject` to a manifest with a subject, as if it had a referrers API: Amazon ECR. */
export function subjectHeader(): Quirk {
  return async (request, pass) => {
    const response = await pass(request);
    const subject = request.method === "PUT" ? subjectOf(request) : undefined;
    if (subject === undefined || response.status !== 201) return response;
    return { ...response, headers: { ...response.headers, "oci-subject": subject } };
  };
}

export interface ReferrersApiOptions {
  /** What the API lists of the manifests that were pushed. Default "all". */
  readonly lists?: "all" | "nothing";
  /** Default: all on one page. */
  readonly pageSize?: number;
  /** Of its responses. Default that of an index. */
  readonly contentType?: string;
  /** Whether it says `OCI-Subject`, as the specification demands. Default true. */
  readonly header?: boolean;
  /** How long a new referrer is not listed, in milliseconds. Default 0. */
  readonly lagMs?: number;
}

/** The referrers API, which distribution 2.8 does not have; for manifests that were pushed through it. */
export function referrersApi({
  lists = "all",
  pageSize = Infinity,
  contentType = INDEX,
  header = true,
  lagMs = 0,
}: ReferrersApiOptions = {}): Quirk {
  const referrers = new Map<string, { descriptor: object; from: number }[]>();
  const claim = header ? subjectHeader() : undefined;
  return async (request, pass) => {
    const [, repository = "", digest] = /^\/v2\/(.+)\/referrers\/([^/?]+)/.exec(request.path) ?? [];
    if (digest !== undefined) {
      const found = lists === "nothing" ? [] : (referrers.get(`${repository} ${digest}`) ?? []);
      const all = found.filter(({ from }) => performance.now() >= from).map(({ descriptor }) => descriptor);
      const { searchParams } = new URL(request.path, "http://localhost");
      const start = Number(searchParams.get("start") ?? 0);
      const end = start + pageSize;
      const response = jsonAnswer(200, {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: all.slice(start, end),
      });
      const link = `</v2/${repository}/referrers/${digest}?start=${end}>; rel="next"`;
      const headers = { "content-type": contentType, ...(end < all.length ? { link } : {}) };
      return { ...response, headers: { ...response.headers, ...headers } };
    }
    const response = claim === undefined ? await pass(request) : await claim(request, pass);
    const subject = request.method === "PUT" ? subjectOf(request) : undefined;
    if (subject === undefined || response.status !== 201) return response;
    const key = `${manifestOf(request.path).repository} ${subject}`;
    const descriptor = descriptorOf(request);
    const others = (referrers.get(key) ?? []).filter(
      (other) => JSON.stringify(other.descriptor) !== JSON.stringify(descriptor),
    );
    referrers.set(key, [...others, { descriptor, from: performance.now() + lagMs }]);
    return response;
  };
}

/** What a registry without a referrers API answers when it is asked for one. */
export function referrersAnswer(response: {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}): Quirk {
  const { status, headers = {}, body = "" } = response;
  return (request, pass) =>
    /^\/v2\/.+\/referrers\//.test(request.path)
      ? Promise.resolve({ status, headers, body: Buffer.from(body) })
      : pass(request);
}

/** A web page, as a proxy in front of a registry sends it. */
export const REFERRERS_PAGE = {
  status: 404,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><title>404</title><h1>Not Found</h1>",
} as const;

/** GHCR: to a web page of GitHub. */
export const REFERRERS_REDIRECT = {
  status: 303,
  headers: { location: "https://github.com/-/v2/packages/container/x/referrers" },
} as const;

/** Reads the tag `sha256-<hex>` as the digest, so the tag of an image's referrers answers with the image. */
export function listTagIsDigest(): Quirk {
  return (request, pass) =>
    pass(
      request.method === "PUT"
        ? request
        : {
            ...request,
            path: request.path.replace(/\/manifests\/sha256-([0-9a-f]{64})$/, "/manifests/sha256:$1"),
          },
    );
}

/** Sends what is under the tags of referrers with this `Content-Type`. */
export function listTagType(contentType: string): Quirk {
  return async (request, pass) => {
    const response = await pass(request);
    if (request.method === "PUT" || response.status !== 200) return response;
    if (!/^sha256-/.test(manifestOf(request.path).tag ?? "")) return response;
    return { ...response, headers: { ...response.headers, "content-type": contentType } };
  };
}

/** Conditional requests (RFC 9110, section 13) for manifests: `If-Match` and `If-None-Match` against the digest. */
export function conditionalWrites(): Quirk {
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  return async (request, pass) => {
    if (request.method !== "PUT" || manifestOf(request.path).tag === undefined) {
      const response = await pass(request);
      const digest = response.headers["docker-content-digest"];
      if (typeof digest !== "string" || response.status !== 200) return response;
      return { ...response, headers: { ...response.headers, etag: `"${digest}"` } };
    }
    return inTurn(async () => {
      const { "if-match": match, "if-none-match": none } = request.headers;
      const present = await pass(reading(request, request.path));
      const etag = present.status === 200 ? `"${digestOf(present.body)}"` : undefined;
      if ((match !== undefined && match !== etag) || (none === "*" && etag !== undefined))
        return jsonAnswer(412, { errors: [{ code: "PRECONDITION_FAILED", message: "the tag has changed" }] });
      return pass(request);
    });
  };
}

/** Calls a function between the moment a manifest's write arrives and the moment it takes place, or after it. */
export function aroundWrites(
  tags: RegExp,
  { before, after }: { readonly before?: () => Promise<void>; readonly after?: () => Promise<void> },
): Quirk {
  return async (request, pass) => {
    if (request.method !== "PUT" || !tags.test(manifestOf(request.path).tag ?? "")) return pass(request);
    await before?.();
    const response = await pass(request);
    await after?.();
    return response;
  };
}

/** Every request takes this much longer, in milliseconds. */
export function slow(ms: number): Quirk {
  return async (request, pass) => {
    await sleep(ms);
    return pass(request);
  };
}

/** Several quirks at once; the first one sees a request first. */
export function combined(quirks: readonly Quirk[]): Quirk {
  return (request, pass) => {
    const next = (index: number): Pass => {
      const quirk = quirks[index];
      return quirk === undefined ? pass : (passed) => quirk(passed, next(index + 1));
    };
    return next(0)(request);
  };
}

function manifestOf(path: string): { repository: string; tag: string | undefined } {
  const [, repository = "", reference] = /^\/v2\/(.+)\/manifests\/([^/?]+)$/.exec(path) ?? [];
  return { repository, tag: reference?.includes(":") === true ? undefined : reference };
}

function reading({ headers }: UpstreamRequest, path: string): UpstreamRequest {
  const { authorization, host } = headers;
  const kept = { host, accept: MANIFEST_TYPES, ...(authorization === undefined ? {} : { authorization }) };
  return { method: "GET", path, headers: kept, body: Buffer.alloc(0) };
}

interface PushedManifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: { readonly mediaType?: string };
  readonly annotations?: object;
  readonly subject?: { readonly digest?: string };
}

function pushed({ path, body }: UpstreamRequest): PushedManifest | undefined {
  if (!path.includes("/manifests/")) return undefined;
  try {
    return JSON.parse(body.toString()) as PushedManifest;
  } catch {
    return undefined;
  }
}

function subjectOf(request: UpstreamRequest): string | undefined {
  return pushed(request)?.subject?.digest;
}

/** distribution-spec, "Listing Referrers": what a list says of an artifact. */
function descriptorOf(request: UpstreamRequest): object {
  const { mediaType, artifactType, config, annotations } = pushed(request) ?? {};
  return {
    mediaType: mediaType ?? request.headers["content-type"],
    digest: digestOf(request.body),
    size: request.body.length,
    artifactType: artifactType ?? config?.mediaType,
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function jsonAnswer(status: number, value: object): UpstreamResponse {
  const body = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: { "content-type": "application/json", "content-length": String(body.length) },
    body,
  };
}
