import { posix } from "node:path";
import type { ComposeService } from "./compose.js";
import { dockerfileDraft } from "./dockerfile-draft.js";
import type { Draft, Finding, LeftOut } from "./finding.js";
import { findImages, type ImageSource } from "./find-images.js";
import { readDockerfile } from "./from-dockerfile.js";
import { pythonDraft, readProject } from "./python.js";
import { folderOf, type Checkout } from "./read-checkout.js";
import { readPackage, staticWebDraft } from "./static-web.js";

export interface Services {
  readonly findings: readonly Finding[];
  readonly leftOut: readonly LeftOut[];
}

export interface Names {
  /** The checkout's own name, for a service in its root. */
  readonly checkout: string;
}

/** Folders of Dockerfiles that say nothing about what is built. */
const GENERIC = /^\.?(?:dockers?|dockerfiles?|containers?|images?|deploy|deployment|ci|build)$/i;

/** The folders of a checkout that become images, and those that cannot as they are. */
export async function findServices(
  checkout: Checkout,
  compose: readonly ComposeService[],
  names: Names,
): Promise<Services> {
  const { images, leftOut: unnamed } = await findImages(checkout, compose);
  const findings: Finding[] = [];
  const leftOut: LeftOut[] = [...unnamed];
  for (const image of images) {
    const { folder, file } = image;
    // What lies below a folder with a Dockerfile is a part of its image, unless it has one too or compose builds it.
    const isPart =
      file === undefined &&
      image.compose.length === 0 &&
      images.some((each) => each.file !== undefined && isBelow(folder, each));
    if (isPart) continue;
    const name = await nameOf(checkout, image, { names, taken: findings.map((each) => each.name) });
    const found = await draftsOf(checkout, image, name);
    const [first, ...others] = found.drafts;
    if (first !== undefined) findings.push({ name, folder, drafts: [first, ...others] });
    else if (found.why !== undefined) leftOut.push({ folder, why: found.why });
  }
  return { findings, leftOut };
}

/** Whether a folder is below, or beside, the Dockerfile of an image that is built from a folder above it. */
function isBelow(folder: string, { folder: context, file }: ImageSource): boolean {
  const above = folderOf(file ?? "");
  if (folder === above) return folder !== context;
  return above === context && (above === "" ? folder !== "" : folder.startsWith(`${above}/`));
}

/** The ways to build a folder: its own Dockerfile first. */
async function draftsOf(
  checkout: Checkout,
  { folder, file: path, compose }: ImageSource,
  name: string,
): Promise<{ readonly drafts: readonly Draft[]; readonly why?: string }> {
  const text = path === undefined ? undefined : await checkout.read(path);
  const file = path === undefined ? "" : posix.relative(folder, path);
  const dockerfile = text === undefined ? undefined : readDockerfile(text, path ?? "");
  const title = titleOf(name);
  const options = { title, dockerfile };
  // A Dockerfile elsewhere takes what it needs of the folder: the rest of it is not the service.
  const native = file.includes("/")
    ? []
    : [await pythonDraft(checkout, folder, options), await staticWebDraft(checkout, folder, title)];
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
  { folder, file, compose }: ImageSource,
  { names, taken }: { readonly names: Names; readonly taken: readonly string[] },
): Promise<string> {
  const [first] = compose;
  const own = posix.basename(file === undefined ? folder : folderOf(file));
  const wanted = [
    first?.image === undefined ? undefined : posix.basename(first.image),
    own === "" || GENERIC.test(own) ? posix.basename(folder) || names.checkout : own,
    first?.name,
    (await readProject(checkout, folder))?.name,
    (await readPackage(checkout, folder))?.name,
    folderOf(file ?? `${folder}/`).replaceAll("/", "-"),
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
