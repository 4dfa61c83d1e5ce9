import { isObject } from "@tgo/schemas";
import type { Draft } from "./finding.js";
import { fileIn, folderOf, type Checkout } from "./read-checkout.js";

/** Locks that the static-web strategy reads, by package manager. */
const LOCKS = { npm: "package-lock.json", yarn: "yarn.lock", pnpm: "pnpm-lock.yaml" } as const;
const DEFAULT_NODE = 20;

/** Programs that write pages to a folder, and the folder. */
const GENERATORS: Readonly<Record<string, string>> = {
  vite: "dist",
  "@vue/cli-service": "dist",
  "react-scripts": "build",
  "@docusaurus/core": "build",
  "@11ty/eleventy": "_site",
  astro: "dist",
  parcel: "dist",
  // With output: "export" only.
  next: "out",
};

export interface NotPages {
  readonly why: string;
}

export interface Package {
  readonly name: string | undefined;
  readonly scripts: Readonly<Record<string, unknown>>;
  readonly dependencies: readonly string[];
  readonly node: string | undefined;
  readonly manager: string | undefined;
  readonly workspaces: boolean;
}

/** The draft of pages that Node builds; undefined if the folder has no package.json, or one without a build script. */
export async function staticWebDraft(
  checkout: Checkout,
  folder: string,
  title: string,
): Promise<Draft | NotPages | undefined> {
  const manifest = await readPackage(checkout, folder);
  if (manifest === undefined) return undefined;
  const generator = (await isNextExport(checkout, folder, manifest))
    ? "next"
    : Object.keys(GENERATORS).find((name) => name !== "next" && manifest.dependencies.includes(name));
  if (generator === undefined)
    return manifest.scripts.start === undefined && !manifest.dependencies.includes("next")
      ? undefined
      : { why: "package.json starts a server of its own, which needs a Dockerfile" };
  if (manifest.scripts.build === undefined) return undefined;
  if (manifest.workspaces) return { why: "package.json has workspaces, which need a Dockerfile" };
  const locks = Object.entries(LOCKS).filter(([, file]) => fileIn(checkout, folder, file) !== undefined);
  const [manager = ""] = manifest.manager?.split("@") ?? [];
  const lock = manager in LOCKS ? LOCKS[manager as keyof typeof LOCKS] : locks[0]?.[1];
  if (manager !== "" && !(manager in LOCKS)) return { why: `package manager ${manager} needs a Dockerfile` };
  if (BUN.some((name) => fileIn(checkout, folder, name) !== undefined) && locks.length === 0)
    return { why: "package manager bun needs a Dockerfile" };
  if (locks.length === 0 && isInWorkspace(checkout, folder))
    return { why: "it is part of a workspace, whose lock is in a folder above: that needs a Dockerfile" };
  if (lock === undefined || locks.length === 0)
    return { why: "package.json without package-lock.json, yarn.lock or pnpm-lock.yaml" };
  if (manager === "" && locks.length > 1)
    return {
      why: `several locks (${locks.map(([, file]) => file).join(", ")}) and no packageManager in package.json`,
    };
  if (lock === "yarn.lock" && (await isBerry(checkout, folder)))
    return { why: "yarn 2 or newer needs a Dockerfile" };
  const output = (await outputOf(checkout, folder)) ?? GENERATORS[generator] ?? "dist";
  if (output.split("/").includes(".."))
    return { why: `it writes its pages to ${output}, outside its folder: that needs a Dockerfile` };
  const node = nodeMajor(manifest.node);
  return {
    definition: {
      title,
      build: {
        strategy: "static-web",
        ...(node === DEFAULT_NODE ? {} : { builder: `docker.io/library/node:${node}-alpine` }),
        ...(output === "dist" ? {} : { output }),
      },
      image: { ports: [80] },
      smoke: { http: [{ port: 80, path: "/" }] },
    },
    reasons: {
      build: `Pages of ${generator}, built once with ${lock} and served by nginx on every platform.`,
      ...(node === DEFAULT_NODE
        ? {}
        : { "build.builder": `package.json wants Node ${manifest.node ?? ""}.` }),
      ...(output === "dist" ? {} : { "build.output": "The folder that its build script writes." }),
    },
    gaps: (await buildValues(checkout, folder)).map(
      (name) => `whether ${name} is set at build time: then it belongs in build.values`,
    ),
  };
}

export async function readPackage(checkout: Checkout, folder: string): Promise<Package | undefined> {
  const path = fileIn(checkout, folder, "package.json");
  const text = path === undefined ? undefined : await checkout.read(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { name, scripts, dependencies, devDependencies, engines, packageManager, workspaces } = value;
  const node = isObject(engines) ? engines.node : undefined;
  return {
    name: typeof name === "string" ? name.replace(/^@[^/]*\//, "") : undefined,
    scripts: isObject(scripts) ? scripts : {},
    dependencies: [dependencies, devDependencies].flatMap((each) =>
      isObject(each) ? Object.keys(each) : [],
    ),
    node: typeof node === "string" ? node : undefined,
    manager: typeof packageManager === "string" ? packageManager : undefined,
    workspaces: workspaces !== undefined,
  };
}

const BUN = ["bun.lock", "bun.lockb"];

/** Whether a lock with workspaces is in a folder above. */
function isInWorkspace(checkout: Checkout, folder: string): boolean {
  for (let at = folder; at !== "";) {
    at = folderOf(at);
    if ([...Object.values(LOCKS), ...BUN].some((name) => fileIn(checkout, at, name) !== undefined))
      return true;
  }
  return false;
}

/** Whether Next.js writes pages to a folder, instead of serving them itself. */
async function isNextExport(checkout: Checkout, folder: string, { dependencies }: Package): Promise<boolean> {
  if (!dependencies.includes("next")) return false;
  const names = ["js", "mjs", "ts", "cjs"].map((suffix) => `next.config.${suffix}`);
  const path = names.map((name) => fileIn(checkout, folder, name)).find((each) => each !== undefined);
  const text = path === undefined ? undefined : await checkout.read(path);
  return /output:\s*["'`]export["'`]/.test(text ?? "");
}

async function isBerry(checkout: Checkout, folder: string): Promise<boolean> {
  const path = fileIn(checkout, folder, "yarn.lock");
  const text = path === undefined ? undefined : await checkout.read(path);
  return fileIn(checkout, folder, ".yarnrc.yml") !== undefined || text?.includes("__metadata:") === true;
}

/** `build.outDir` of Vite's configuration, if it is a plain text. */
async function outputOf(checkout: Checkout, folder: string): Promise<string | undefined> {
  const names = ["ts", "js", "mts", "mjs"].map((suffix) => `vite.config.${suffix}`);
  const path = names.map((name) => fileIn(checkout, folder, name)).find((each) => each !== undefined);
  const text = path === undefined ? undefined : await checkout.read(path);
  const [, output] = /outDir:\s*["'`](?:\.\/)?([\w./-]+)["'`]/.exec(text ?? "") ?? [];
  return output?.replace(/\/$/, "");
}

/** The major version of Node to build with: 20, unless package.json wants a newer one. */
function nodeMajor(wanted = ""): number {
  const [major] = [...wanted.matchAll(/(?:>=|\^|~|=|\s|^)\s*v?(\d+)/g)].map(([, number]) => Number(number));
  return major === undefined || (major < DEFAULT_NODE && /[>*]/.test(wanted)) ? DEFAULT_NODE : major;
}

/** Names of variables that Vite compiles into pages, in an example of its environment. */
async function buildValues(checkout: Checkout, folder: string): Promise<string[]> {
  const paths = [".env.example", ".env.sample", ".env.production.example"].flatMap(
    (name) => fileIn(checkout, folder, name) ?? [],
  );
  const texts = await Promise.all(paths.map((path) => checkout.read(path)));
  return [
    ...new Set(
      texts.flatMap((text) => [...(text ?? "").matchAll(/^(VITE_\w+)=/gm)].map(([, name = ""]) => name)),
    ),
  ];
}
