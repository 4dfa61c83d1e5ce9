import { posix } from "node:path";
import type { ComposeService } from "./compose.js";
import type { LeftOut } from "./finding.js";
import { readDockerfile } from "./from-dockerfile.js";
import { folderOf, isSkipped, type Checkout } from "./read-checkout.js";

/** What an image may be built from. */
export interface ImageSource {
  /** Build context, from the checkout's root. */
  readonly folder: string;
  /** Path of its Dockerfile, from the checkout's root; undefined if it has none. */
  readonly file: string | undefined;
  /** Services of compose files that it is built for. */
  readonly compose: readonly ComposeService[];
}

const DOCKERFILE = /^(?:[Dd]ockerfile|Containerfile)$/;
const NAMED = /^(?:(?:Dockerfile|Containerfile)[.-](?!dockerignore$).+|.+\.Dockerfile)$/i;
/** Names of Dockerfiles for something else than what is shipped. */
const OTHER = /dev|test|debug|local|lint|e2e|bench|\bci\b/i;
const PROJECTS = new Set(["pyproject.toml", "requirements.txt", "package.json"]);

/** Images of compose files, of other Dockerfiles, and of folders with a project only; those of one folder together. */
export async function findImages(
  checkout: Checkout,
  compose: readonly ComposeService[],
): Promise<{ readonly images: readonly ImageSource[]; readonly leftOut: readonly LeftOut[] }> {
  const images = composed(checkout, compose);
  const leftOut: LeftOut[] = [];
  const used = new Set(images.flatMap(({ file }) => file ?? []));
  const add = async (file: string): Promise<void> => {
    images.push({ folder: await contextOf(checkout, file), file, compose: [] });
  };
  const folders = [...new Set(checkout.files.map(folderOf))];
  for (const folder of folders) {
    if (images.some((each) => each.folder === folder && each.compose.length > 0)) continue;
    const own = checkout.files.filter((path) => folderOf(path) === folder);
    if (own.some((path) => used.has(path))) continue;
    const usual = own.find((path) => DOCKERFILE.test(posix.basename(path)));
    const named = own.filter((path) => NAMED.test(posix.basename(path)));
    const shipped = named.filter((path) => !OTHER.test(posix.basename(path)));
    const [first, ...others] = usual === undefined ? shipped : [usual];
    if (first !== undefined && others.length === 0) await add(first);
    else if (own.some((path) => PROJECTS.has(posix.basename(path))))
      images.push({ folder, file: undefined, compose: [] });
    else if (named.length > 0)
      leftOut.push({
        folder,
        why: `none of ${named.map((path) => posix.basename(path)).join(", ")} is named Dockerfile: name one in build.file`,
      });
  }
  const place = ({ folder, file }: ImageSource): string => (file === undefined ? folder : folderOf(file));
  return { images: images.sort((one, other) => (place(one) < place(other) ? -1 : 1)), leftOut };
}

/** Services of one folder, Dockerfile and image are one image, such as an API and its worker. */
function composed(checkout: Checkout, compose: readonly ComposeService[]): ImageSource[] {
  const images = new Map<string, ImageSource & { readonly compose: ComposeService[] }>();
  for (const service of [...compose].sort((one, other) => Number(!one.image) - Number(!other.image))) {
    const { folder, dockerfile, image } = service;
    if (folder === undefined) continue;
    const inside = (name: string): string => posix.normalize(posix.join(folder, name));
    const usual = checkout.files.find(
      (path) => folderOf(path) === folder && DOCKERFILE.test(posix.basename(path)),
    );
    const file = dockerfile === undefined ? usual : inside(dockerfile);
    const same = [...images.values()].find(
      (each) =>
        each.folder === folder &&
        each.file === file &&
        (image === undefined || each.compose.some((other) => other.image === image)),
    );
    if (same === undefined) images.set(service.name + service.file, { folder, file, compose: [service] });
    else same.compose.push(service);
  }
  return [...images.values()].map((image) => {
    const isThere = image.file !== undefined && checkout.files.includes(image.file);
    return isThere ? image : { ...image, file: undefined };
  });
}

/**
 * The folder that a Dockerfile is for: its own, or the nearest above it that has everything that it copies. What a build
 * makes first, or a pattern matches, says nothing.
 */
async function contextOf(checkout: Checkout, file: string): Promise<string> {
  const own = folderOf(file);
  const sources = (readDockerfile((await checkout.read(file)) ?? "", file)?.sources ?? []).filter(
    (source) => !source.split("/").some(isSkipped),
  );
  for (let folder = own; ; folder = folderOf(folder)) {
    const has = (source: string): boolean => {
      const path = posix.normalize(posix.join(folder, source)).replace(/^\.$|\/$/g, "");
      return checkout.files.some((each) => path === "" || each === path || each.startsWith(`${path}/`));
    };
    if (sources.every(has)) return folder;
    if (folder === "") return own;
  }
}
