import { TgoError } from "@tgo/errors";
import { isDigest } from "./digest.js";

/** An image's address: https://github.com/distribution/reference/blob/v0.6.0/reference.go */
export interface Reference {
  /** The registry as references name it, such as "ghcr.io", "docker.io" or "localhost:5001". */
  readonly host: string;
  /** The path below the host; a one-part path on Docker Hub has its `library/`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const HOST =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_PATH = 255;

/**
 * Parses an image reference by Docker's grammar.
 * @throws TgoError USAGE that quotes the text and says which part is wrong
 */
export function parseReference(text: string): Reference {
  const fail = (why: string, remedy?: string): never => {
    throw new TgoError(
      "USAGE",
      `"${text}" is not an image reference: ${why}`,
      remedy === undefined ? {} : { remedy },
    );
  };
  if (/^[a-z]+:\/\//.test(text))
    fail("it starts with a scheme", `Leave out the scheme: ${text.replace(/^[a-z]+:\/\//, "")}`);

  const [nameAndTag = "", digest, ...rest] = text.split("@");
  if (rest.length > 0) fail("it has more than one digest");
  if (digest !== undefined && !isDigest(digest))
    fail(`"${digest}" is not a digest (sha256: and 64 lower-case hex digits)`);

  const [, name = "", tag] = /^(.*?)(?::([^/:]*))?$/.exec(nameAndTag) ?? [];
  if (tag !== undefined && !isTag(tag)) fail(`"${tag}" is not a tag`, TAG_REMEDY);

  const { host, path } = splitHost(name);
  if (!isHost(host)) fail(`"${host}" is not a registry host`);
  const repository = host === "docker.io" && path !== "" && !path.includes("/") ? `library/${path}` : path;
  if (/^[0-9a-f]{64}$/.test(name)) fail("64 hex digits are an image id, not a name");
  const problem = repositoryProblem(repository);
  if (problem !== undefined)
    fail(problem, repository.toLowerCase() === repository ? undefined : `Write ${name.toLowerCase()}`);
  return {
    host,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The full text of a reference; {@link parseReference} parses it back. */
export function formatReference({ host, repository, tag, digest }: Reference): string {
  return `${host}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

export function isHost(text: string): boolean {
  const port = /:(\d+)$/.exec(text)?.[1];
  return HOST.test(text) && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535));
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** What is wrong with this repository path, or undefined. */
export function repositoryProblem(path: string): string | undefined {
  if (path === "") return "it has no repository name";
  if (path.length > MAX_PATH) return `the repository name is longer than ${MAX_PATH} characters`;
  if (PATH.test(path)) return undefined;
  return path !== path.toLowerCase() && PATH.test(path.toLowerCase())
    ? `repository name (${path}) must be lowercase`
    : `"${path}" is not a repository name`;
}

/**
 * Called before any request, so that a malformed name is never sent.
 * @throws TgoError USAGE
 */
export function assertNames(host: string, repository: string, tagOrDigest?: string): void {
  const problem = repositoryProblem(repository);
  if (problem !== undefined) throw new TgoError("USAGE", problem, { where: `${host}/${repository}` });
  if (tagOrDigest !== undefined && !isTag(tagOrDigest) && !isDigest(tagOrDigest)) {
    const kind = tagOrDigest.includes(":") ? "digest" : "tag";
    throw new TgoError("USAGE", `"${tagOrDigest}" is not a ${kind}`, {
      where: `${host}/${repository}`,
      remedy: kind === "tag" ? TAG_REMEDY : "A digest is sha256: and 64 lower-case hex digits.",
    });
  }
}

const TAG_REMEDY = "A tag has 1 to 128 letters, digits, '_', '.', '-', and does not start with '.' or '-'.";

/** The first part is a host if it can be nothing else; otherwise the name is Docker Hub's. */
function splitHost(name: string): { host: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  if (first === "" || !(/[.:A-Z]/.test(first) || first === "localhost"))
    return { host: "docker.io", path: name };
  return { host: first === "index.docker.io" ? "docker.io" : first, path: name.slice(slash + 1) };
}
