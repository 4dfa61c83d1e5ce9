import { cruise } from "dependency-cruiser";
import { readFile } from "node:fs/promises";
import config from "../.dependency-cruiser.mjs";
import { root } from "./root.mjs";

const PAGE = "docs/background/architecture.md";
const BEGIN = "<!-- packages -->";
const END = "<!-- /packages -->";

/** docs/background/architecture.md with the package graph between its markers. */
export async function pageWithPackageGraph() {
  const page = await readFile(`${root}/${PAGE}`, "utf8");
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} lacks the markers ${BEGIN} and ${END}`);
  const graph = drawn(await importsBetweenPackages());
  return { [PAGE]: `${page.slice(0, begin)}${BEGIN}\n\n${graph}\n\n${page.slice(end)}` };
}

/** What the sources of each package, app and the module import of the others. */
async function importsBetweenPackages() {
  const { output } = await cruise(
    ["packages", "apps", "pipelines/tgo", "pipelines/multiarch"],
    {
      baseDir: root,
      tsPreCompilationDeps: true,
      doNotFollow: { path: "node_modules" },
      exclude: { path: "/(test|dist|lib|sdk)/" },
    },
    config.options.enhancedResolveOptions,
  );
  const imports = new Map();
  for (const { source, dependencies } of output.modules) {
    const from = packageOf(source);
    if (from === undefined) continue;
    const found = imports.get(from) ?? new Set();
    imports.set(from, found);
    for (const { resolved } of dependencies) {
      const to = packageOf(resolved);
      if (to !== undefined && to !== from) found.add(to);
    }
  }
  return imports;
}

const packageOf = (file) =>
  /^(?:packages\/([^/]+)|(apps\/[^/]+|pipelines\/(?:tgo|multiarch)))\//.exec(file)?.slice(1).find(Boolean);

/** An arrow that a longer way says too is left out. */
function drawn(imports) {
  const reaches = (from, to) =>
    [...(imports.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  const lines = [...imports].flatMap(([from, found]) =>
    [...found]
      .filter((to) => ![...found].some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${node(from)} --> ${node(to)}`),
  );
  return ["```mermaid", "flowchart TD", ...lines.sort(), "```"].join("\n");
}

/** A slash is no part of an identifier in mermaid. */
const node = (name) => (name.includes("/") ? `${name.replace("/", "-")}["${name}"]` : name);
