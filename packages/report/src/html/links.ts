import { html, type Markup, type Part } from "./markup.js";

/** Addresses that a page may link to: https, a host name, a plain path. */
const PLAIN = /^https:\/\/[a-z0-9.-]+(?::\d+)?(?:\/[\w.%~/-]*)?$/i;

/** A link to another site; without a plain address, the text alone. */
export function link(address: string | undefined, text: Part): Markup {
  if (address === undefined || !PLAIN.test(address)) return html`${text}`;
  return html`<a href="${address}" rel="noreferrer noopener">${text}</a>`;
}

/** The page of a commit, as GitHub, GitLab, Gitee and Gitea have it. */
export function commitPage(source: string | undefined, revision: string): string | undefined {
  if (source === undefined || !/^[0-9a-f]{40}$/.test(revision)) return undefined;
  return `${source.replace(/(?:\.git)?\/*$/, "")}/commit/${revision}`;
}

/** The page of an image's repository, where its registry has one. @param reference host/repository:tag */
export function repositoryPage(reference: string): string | undefined {
  const [, host = "", path = ""] = /^([a-z0-9.-]+)\/([a-z0-9._/-]+)(?:[:@].*)?$/.exec(reference) ?? [];
  if (host === "docker.io") {
    const [, name] = /^library\/(.+)$/.exec(path) ?? [];
    return name === undefined ? `https://hub.docker.com/r/${path}` : `https://hub.docker.com/_/${name}`;
  }
  // Both lead a browser to the page of the package.
  if (host === "ghcr.io" || host === "quay.io") return `https://${host}/${path}`;
  const [, region] = /^registry\.([a-z0-9-]+)\.aliyuncs\.com$/.exec(host) ?? [];
  const console = "https://cr.console.aliyun.com/repository";
  return region === undefined ? undefined : `${console}/${region}/${path}/details`;
}
