import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's top folder, without a trailing slash. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Folders of the packages that npm and turbo know, from the top folder. */
export function workspaces() {
  const { workspaces } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  return workspaces.flatMap((pattern) => {
    if (!pattern.endsWith("/*")) return [pattern];
    const parent = pattern.slice(0, -"/*".length);
    return readdirSync(`${root}/${parent}`).map((name) => `${parent}/${name}`);
  });
}
