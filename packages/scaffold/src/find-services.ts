import { posix } from "node:path";
import type { ComposeService } from "./compose.js";
import { dockerfileDraft } from "./dockerfile-draft.js";
import type { Draft, Finding, LeftOut } from "./finding.js";
import { readDockerfile } from "./from-dockerfile.js";
import { pythonDraft, readProject } from "./python.js";
import { fileIn, folderOf, type Checkout } from "./read-checkout.js";
import { readPackage, staticWebDraft } from "./static-web.js";

export interface Services {
  readonly findings: readonly Finding[];
  readonly leftOut: readonly LeftOut[];
}

export interface Names {
  /** The checkout's own name, for a service in its root. */
  readonly checkout: string;
}

/** A Dockerfile's usual names: `Dockerfile`; others, such as Dockerfile.dev, are for something else. */
const DOCKERFILE = "Dockerfile";
const MARKERS = [DOCKERFILE, "pyproject.toml", "requirements.txt", "package.json"];

/** The folders of a checkout that become images, and those that cannot as they are. */
export async function findServices(
  checkout: Checkout,
  compose: readonly ComposeService[],
  names: Names,
): Promise<Services> {
  const findings: Finding[] = [];
  const leftOut: LeftOut[] = [];
  const folders = new Set([
    ...compose.flatMap(({ folder }) => folder ?? []),
    ...checkout.files.filter((path) => MARKERS.includes(posix.basename(path))).map(folderOf),
  ]);
  for (const folder of [...folders].sort()) {
    const named = compose.filter((each) => each.folder === folder);
    // What lies below a folder with a Dockerfile is a part of its image, unless it has one too or compose builds it.
    const isPart = findings.some(
      (each) => isBelow(folder, each) && fileIn(checkout, folder, DOCKERFILE) === undefined,
    );
    if (isPart && named.length === 0) continue;
    const name = await nameOf(checkout, folder, { named, names, taken: findings.map((each) => each.name) });
    const found = await draftsOf(checkout, folder, { name, compose: named[0] });
    const [first, ...others] = found.drafts;
    if (first !== undefined) findings.push({ name, folder, drafts: [first, ...others] });
    else if (found.why !== undefined) leftOut.push({ folder, why: found.why });
  }
  return { findings, leftOut };
}

function isBelow(folder: string, { folder: above, drafts: [first] }: Finding): boolean {
  const inside = above === "" ? folder !== "" : folder.startsWith(`${above}/`);
  return inside && first.definition.build.strategy === "dockerfile";
}

/** The ways to build a folder: its own Dockerfile first. */
async function draftsOf(
  checkout: Checkout,
  folder: string,
  { name, compose }: { readonly name: string; readonly compose: ComposeService | undefined },
): Promise<{ readonly drafts: readonly Draft[]; readonly why?: string }> {
  const file = compose?.dockerfile ?? DOCKERFILE;
  const path = fileIn(checkout, folder, posix.normalize(file));
  const text = path === undefined ? undefined : await checkout.read(path);
  const dockerfile = text === undefined ? undefined : readDockerfile(text, path ?? file);
  const title = titleOf(name);
  const options = { title, dockerfile };
  const native = [
    await pythonDraft(checkout, folder, options),
    await staticWebDraft(checkout, folder, title),
  ];
  const own =
    dockerfile === undefined
      ? []
      : [await dockerfileDraft(checkout, folder, { ...options, dockerfile, file, compose })];
  const drafts = [
    ...own,
    ...native.flatMap((each) => (each !== undefined && "definition" in each ? [each] : [])),
  ];
  const [why] = native.flatMap((each) => (each !== undefined && "why" in each ? [each.why] : []));
  return {
    drafts: drafts.map((draft) => inFolder(draft, folder, name)),
    ...(why === undefined ? {} : { why }),
  };
}

/** Says where the source is, unless it is where services are looked for. */
function inFolder(draft: Draft, folder: string, name: string): Draft {
  if (folder === "" || folder === `repos/${name}`) return draft;
  const { title, ...rest } = draft.definition;
  return { ...draft, definition: { title, source: { path: folder }, ...rest } };
}

async function nameOf(
  checkout: Checkout,
  folder: string,
  options: {
    readonly named: readonly ComposeService[];
    readonly names: Names;
    readonly taken: readonly string[];
  },
): Promise<string> {
  const { named, names, taken } = options;
  const [compose] = named;
  const image = compose?.image === undefined ? undefined : posix.basename(compose.image);
  const wanted = [
    image,
    folder === "" ? names.checkout : posix.basename(folder),
    compose?.name,
    (await readProject(checkout, folder))?.name,
    (await readPackage(checkout, folder))?.name,
    folder.replaceAll("/", "-"),
  ];
  const possible = wanted.map((word) => imageName(word ?? "")).filter((word) => word !== "");
  return possible.find((word) => !taken.includes(word)) ?? `service-${taken.length + 1}`;
}

/** A name as catalogs and registries take it; "" if nothing is left of it. */
export function imageName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/[._-]*([._-])[._-]*/g, "$1")
    .replaceAll(/^[._-]+|[._-]+$/g, "");
}

function titleOf(name: string): string {
  const text = name.replaceAll(/[._-]+/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
