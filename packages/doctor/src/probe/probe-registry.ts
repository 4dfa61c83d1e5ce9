import { TgoError, problemOf, type Problem } from "@tgo/errors";
import {
  OCI_INDEX,
  OCI_MANIFEST,
  rawAnswers,
  Registry,
  type RawAnswer,
  type RegistryOptions,
} from "@tgo/registry";
import { randomBytes } from "node:crypto";
import { probeImage, type Pushed } from "./probe-image.js";

/** What a registry does in one case. */
export interface ProbeRow {
  /** The case: "mount from another repository". */
  readonly row: string;
  /** Its answer: "201". */
  readonly answer: string;
}

export interface ProbeResult {
  readonly host: string;
  readonly repository: string;
  readonly rows: readonly ProbeRow[];
  /** Tags, manifests and repositories that the registry did not remove. */
  readonly left: readonly string[];
  /** What ended the probe before its end. */
  readonly problem?: Problem;
}

const LAG_MS = 30_000;
const CHUNK = 5 << 20;

/**
 * Pushes a tiny image to a repository of the caller's, looks at how the registry answers in the cases where registries
 * differ, and removes all that it wrote. Nothing of others is read or written: every name and content is random.
 */
export async function probeRegistry(
  options: RegistryOptions,
  repository: string,
  sleep: (milliseconds: number) => Promise<void> = (milliseconds) =>
    new Promise((resolve) => setTimeout(resolve, milliseconds)),
): Promise<ProbeResult> {
  const probe = new Probe(options, repository, sleep);
  let problem: Problem | undefined;
  try {
    await probe.run();
  } catch (error) {
    problem = problemOf(error);
  }
  const left = await probe.remove();
  return {
    host: options.host,
    repository,
    rows: probe.rows,
    left,
    ...(problem === undefined ? {} : { problem }),
  };
}

class Probe {
  readonly rows: ProbeRow[] = [];
  readonly #ask: ReturnType<typeof rawAnswers>;
  readonly #image = probeImage();
  readonly #tag = `tgo-probe-${randomBytes(6).toString("hex")}`;
  readonly #manifests = new Set<string>();
  readonly #tags = new Set<string>();
  readonly #blobs = new Set<string>();

  constructor(
    private readonly options: RegistryOptions,
    private readonly repository: string,
    private readonly sleep: (milliseconds: number) => Promise<void>,
  ) {
    this.#ask = rawAnswers(options);
  }

  async run(): Promise<void> {
    await this.#login();
    await this.#blobUploads();
    await this.#manifestsAndIndexes();
    await this.#artifacts();
    await this.#lists();
  }

  async #login(): Promise<void> {
    const registry = new Registry({ ...this.options, retries: 0 });
    const response = await (this.options.fetch ?? fetch)(`${registry.url}/v2/`, { redirect: "manual" }).catch(
      async (cause: unknown) => {
        // Its error says why.
        await registry.probePush(this.repository);
        throw cause;
      },
    );
    await response.body?.cancel();
    const challenge = response.headers.get("www-authenticate");
    this.#say("GET /v2/ without a login", `${response.status}${challenge === null ? "" : `, ${challenge}`}`);
    const limits = [...response.headers.keys()].filter((name) => /ratelimit|retry-after/i.test(name));
    this.#say("headers about limits", limits.length === 0 ? "none" : limits.join(", "));
  }

  async #blobUploads(): Promise<void> {
    const { layer, config, emptyConfig } = this.#image;
    const begun = await this.#start({});
    if (begun.status !== 202 || begun.location === undefined) {
      const refused = begun.status === 401 || begun.status === 403;
      throw new TgoError(refused ? "DENIED" : "INVALID_RESPONSE", `no upload can be begun: ${said(begun)}`, {
        where: `${this.options.host}/${this.repository}`,
        remedy:
          begun.status === 405
            ? "The registry is read-only, or under maintenance."
            : "Name a repository that your login may push to, and that exists if the registry creates none.",
      });
    }
    this.#say(
      "upload address",
      `${begun.location.pathname.replace(/[^/]+$/, "…")}${begun.location.search === "" ? "" : "?…"}`,
    );
    const put = await this.#finish(begun.location, layer);
    this.#say("upload by POST and one PUT", said(put));
    if (put.status !== 201) throw new TgoError("INVALID_RESPONSE", `a blob cannot be uploaded: ${said(put)}`);
    for (const blob of [config, emptyConfig]) {
      const { location } = await this.#start({});
      if (location !== undefined) await this.#finish(location, blob);
    }
    await this.#chunk();
    this.#say("mount without from", said(await this.#start({ mount: layer.digest })));
    await this.#mount();
    const path = `blobs/${layer.digest}`;
    this.#say("HEAD of a blob", where(await this.#send("HEAD", path)));
    this.#say("GET of a blob", where(await this.#send("GET", path)));
    const range = await this.#send("GET", path, { range: "bytes=4-9" });
    this.#say(
      "GET of a range of a blob",
      `${where(range)}${range.status === 206 ? `, ${range.headers.get("content-range") ?? "no Content-Range"}` : ""}`,
    );
  }

  /** One chunk of 5 MiB: GHCR takes at most 4. The upload is cancelled. */
  async #chunk(): Promise<void> {
    const { location } = await this.#start({});
    if (location === undefined) return;
    const patched = await this.#ask({
      method: "PATCH",
      repository: this.repository,
      path: location,
      headers: { "content-type": "application/octet-stream", "content-range": `0-${CHUNK - 1}` },
      body: new Uint8Array(CHUNK),
    });
    this.#say("upload of a chunk of 5 MiB with Content-Range", said(patched));
    const cancelled = await this.#ask({
      method: "DELETE",
      repository: this.repository,
      path: patched.location ?? location,
    });
    this.#say("cancelling an upload", said(cancelled));
  }

  /** From this repository to another: nothing is tagged there. */
  async #mount(): Promise<void> {
    const { layer } = this.#image;
    const target = `${this.repository}-mount`;
    const mounted = await this.#ask({
      method: "POST",
      repository: target,
      path: "blobs/uploads/",
      query: { mount: layer.digest, from: this.repository },
      from: this.repository,
      body: new Uint8Array(0),
    });
    this.#say("mount from another repository", said(mounted));
    if (mounted.status === 202 && mounted.location !== undefined)
      await this.#ask({ method: "DELETE", repository: target, path: mounted.location });
    if (mounted.status !== 201) return;
    const removed = await this.#ask({ method: "DELETE", repository: target, path: `blobs/${layer.digest}` });
    if (removed.status !== 202) this.#blobs.add(`${target}@${layer.digest}`);
  }

  async #manifestsAndIndexes(): Promise<void> {
    const { manifest, other, index, indexOfNothing, large } = this.#image;
    const first = await this.#put(this.#tag, manifest);
    this.#say("PUT of a manifest", said(first));
    if (first.status !== 201)
      throw new TgoError("INVALID_RESPONSE", `a manifest cannot be pushed: ${said(first)}`);
    this.#say("found after its PUT", await this.#lag(manifest));
    const head = await this.#get(this.#tag, [OCI_MANIFEST], "HEAD");
    this.#say(
      "HEAD of a manifest",
      `${head.status}, ${head.headers.has("docker-content-digest") ? "with" : "without"} its digest`,
    );
    this.#say("PUT of the same manifest to its tag", said(await this.#put(this.#tag, manifest)));
    this.#say("PUT of another manifest to a tag", said(await this.#put(this.#tag, other)));
    this.#say(
      "PUT of an index before its manifests",
      said(await this.#put(`${this.#tag}-none`, indexOfNothing)),
    );
    this.#say("PUT of an index", said(await this.#put(`${this.#tag}-index`, index)));
    const narrow = await this.#get(`${this.#tag}-index`, [OCI_MANIFEST]);
    this.#say(
      "GET of an index that Accept does not name",
      `${said(narrow)}${narrow.status === 200 ? `, ${narrow.headers.get("content-type") ?? ""}` : ""}`,
    );
    this.#say("PUT of a manifest of more than 4 MiB", said(await this.#put(`${this.#tag}-large`, large)));
    this.#say(
      "GET of a missing tag",
      said(await this.#get(`${this.#tag}-missing`, [OCI_MANIFEST, OCI_INDEX])),
    );
  }

  async #artifacts(): Promise<void> {
    const { artifact, manifest } = this.#image;
    for (const kind of ["empty", "custom", "image"] as const) {
      const put = await this.#put(artifact(kind, false).digest, artifact(kind, false));
      this.#say(
        `PUT of an artifact with ${kind === "image" ? "an image's" : kind === "empty" ? "the empty" : "a"} config${kind === "custom" ? " of its own type" : ""}`,
        said(put),
      );
    }
    const referring = artifact("image", true);
    const put = await this.#put(referring.digest, referring);
    const subject = put.headers.get("oci-subject");
    this.#say(
      "PUT of what refers to an image",
      `${said(put)}, ${subject === null ? "without" : "with"} OCI-Subject`,
    );
    const list = await this.#send("GET", `referrers/${manifest.digest}`, { accept: OCI_INDEX });
    this.#say(
      "referrers API",
      `${where(list)}${list.status === 200 ? `, ${list.headers.get("content-type") ?? ""}` : ""}`,
    );
  }

  async #lists(): Promise<void> {
    const one = await this.#send("GET", "tags/list?n=1");
    this.#say(
      "tags/list?n=1",
      `${said(one)}, ${countTags(one)} of ${this.#tags.size} tags, ${one.headers.has("link") ? "with" : "without"} Link`,
    );
    this.#say("tags/list?n=x", said(await this.#send("GET", "tags/list?n=x")));
    const absent = `${this.repository}-${randomBytes(4).toString("hex")}`;
    this.#say(
      "tags/list of a repository that there is not",
      said(await this.#ask({ method: "GET", repository: absent, path: "tags/list" })),
    );
  }

  /** @returns what is left */
  async remove(): Promise<string[]> {
    const left: string[] = [...this.#blobs];
    let tagAnswer: string | undefined;
    let manifestAnswer: string | undefined;
    for (const tag of this.#tags) {
      // Removing a tag alone is rare; whether it works shows on the first.
      tagAnswer ??= await this.#removal(`manifests/${tag}`);
    }
    for (const digest of this.#manifests) {
      const answer = await this.#removal(`manifests/${digest}`);
      manifestAnswer ??= answer;
      if (!/^(?:202|200|204|404)/.test(answer)) left.push(`${this.repository}@${digest}`);
    }
    for (const tag of this.#tags) {
      const found = await this.#get(tag, [OCI_MANIFEST, OCI_INDEX], "HEAD").catch(() => undefined);
      if (found?.status !== 404) left.push(`${this.repository}:${tag}`);
    }
    if (tagAnswer !== undefined) this.#say("DELETE of a tag", tagAnswer);
    if (manifestAnswer !== undefined) this.#say("DELETE of a manifest", manifestAnswer);
    // The empty config, `{}`, may be a part of somebody's artifact; these two are nobody else's.
    const { layer, config } = this.#image;
    if (this.#manifests.size > 0) {
      this.#say("DELETE of a blob", await this.#removal(`blobs/${layer.digest}`));
      await this.#removal(`blobs/${config.digest}`);
    }
    return left;
  }

  async #removal(path: string): Promise<string> {
    return this.#send("DELETE", path).then(said, (error: unknown) => problemOf(error).what);
  }

  #say(row: string, answer: string): void {
    this.rows.push({ row, answer });
  }

  #start(query: Readonly<Record<string, string>>): Promise<RawAnswer> {
    const { repository } = this;
    return this.#ask({ method: "POST", repository, path: "blobs/uploads/", query, body: new Uint8Array(0) });
  }

  #finish(location: URL, { bytes, digest }: Pushed): Promise<RawAnswer> {
    const path = new URL(location);
    path.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    return this.#ask({ method: "PUT", repository: this.repository, path, headers, body: bytes });
  }

  #send(
    method: "GET" | "HEAD" | "DELETE",
    path: string,
    headers: Record<string, string> = {},
  ): Promise<RawAnswer> {
    const [plain = "", query = ""] = path.split("?");
    return this.#ask({
      method,
      repository: this.repository,
      path: plain,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers,
    });
  }

  #get(reference: string, accept: readonly string[], method: "GET" | "HEAD" = "GET"): Promise<RawAnswer> {
    return this.#send(method, `manifests/${reference}`, { accept: accept.join(", ") });
  }

  async #put(reference: string, { mediaType, bytes, digest }: Pushed): Promise<RawAnswer> {
    const answer = await this.#ask({
      method: "PUT",
      repository: this.repository,
      path: `manifests/${reference}`,
      headers: { "content-type": mediaType },
      body: bytes,
    });
    // Also of an answer that says otherwise: the registry may have stored it.
    this.#manifests.add(digest);
    if (!reference.includes(":")) this.#tags.add(reference);
    return answer;
  }

  async #lag({ digest }: Pushed): Promise<string> {
    const began = performance.now();
    for (let wait = 100; ; wait *= 2) {
      const { status } = await this.#get(digest, [OCI_MANIFEST]);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      if (status === 200) return wait === 100 ? "at once" : `after ${seconds} s`;
      if (wait > LAG_MS / 2) return `not within ${seconds} s: ${status}`;
      await this.sleep(wait);
    }
  }
}

/** The status, and the code of an error. */
function said({ status, text }: RawAnswer): string {
  const [, code] = /"code"\s*:\s*"(\w+)"/.exec(text) ?? [];
  const [, message] = /"message"\s*:\s*"([^"]{1,120})/.exec(text) ?? [];
  if (status < 400) return String(status);
  // Docker Hub's message about limits names the account.
  const words = [code, status === 429 ? undefined : message].filter((part) => part !== undefined);
  return words.length === 0 ? String(status) : `${status} ${words.join(": ")}`;
}

/** The status, and where a redirect leads, without its query: that is signed. */
function where(answer: RawAnswer): string {
  const { status, location } = answer;
  return status >= 300 && status < 400 && location !== undefined
    ? `${status} to ${location.origin}`
    : said(answer);
}

function countTags({ text }: RawAnswer): number {
  try {
    return (JSON.parse(text) as { tags?: unknown[] }).tags?.length ?? 0;
  } catch {
    return 0;
  }
}
