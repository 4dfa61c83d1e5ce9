import { posix } from "node:path";
import type { ComposeService } from "./compose.js";
import { imageName } from "./find-services.js";

export interface RegistryGuess {
  /** Name in the catalog: "ghcr". */
  readonly name: string;
  readonly host: string;
  readonly repository: string;
  readonly from: string;
}

/** Names of well-known registries. */
const NAMES: Readonly<Record<string, string>> = {
  "ghcr.io": "ghcr",
  "docker.io": "dockerhub",
  "quay.io": "quay",
};

/**
 * Where the checkout's images go: the repositories of images that its compose files build or that are named like its
 * services, else GitHub's or GitLab's own registry for its remote.
 * @param remote address of git's remote "origin"
 */
export function guessRegistries(
  compose: readonly ComposeService[],
  services: readonly string[],
  remote: string | undefined,
): RegistryGuess[] {
  const images = compose.flatMap(({ image, file, folder }) =>
    image !== undefined &&
    image.includes("/") &&
    (folder !== undefined || services.includes(posix.basename(image)))
      ? [{ image, file }]
      : [],
  );
  const found = new Map<string, RegistryGuess>();
  for (const { image, file } of images) {
    const [first = ""] = image.split("/");
    const hasHost = /[.:]/.test(first) || first === "localhost";
    const host = hasHost ? first : "docker.io";
    const path = posix.dirname(hasHost ? image.slice(first.length + 1) : image);
    if (path === "." || found.has(`${host}/${path}`)) continue;
    const name = unusedName(NAMES[host] ?? (imageName(host.split(".").at(-2) ?? host) || "registry"), found);
    found.set(`${host}/${path}`, { name, host, repository: `${path}/{service}`, from: file });
  }
  if (found.size > 0) return [...found.values()];
  const [, forge = "", path = ""] =
    /^(?:https?:\/\/(?:[^@/]*@)?|(?:ssh:\/\/)?git@)([^:/]+)[:/](.+?)(?:\.git)?\/?$/.exec(remote ?? "") ?? [];
  const [owner = ""] = path.split("/");
  const from = "git's remote origin";
  if (forge === "github.com")
    return [{ name: "ghcr", host: "ghcr.io", repository: `${owner.toLowerCase()}/{service}`, from }];
  if (forge === "gitlab.com")
    return [
      { name: "gitlab", host: "registry.gitlab.com", repository: `${path.toLowerCase()}/{service}`, from },
    ];
  return [];
}

function unusedName(name: string, found: ReadonlyMap<string, RegistryGuess>): string {
  const taken = [...found.values()].map((each) => each.name);
  return taken.includes(name) ? `${name}-${taken.length + 1}` : name;
}
