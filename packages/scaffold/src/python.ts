import { parse } from "smol-toml";
import { isObject } from "@tgo/schemas";
import type { Draft, Health } from "./finding.js";
import { healthRoute } from "./health.js";
import type { DockerfileFacts } from "./from-dockerfile.js";
import { fileIn, type Checkout } from "./read-checkout.js";

const LOCKS = ["poetry.lock", "uv.lock", "requirements.txt"] as const;

/** The Python of the base image that a definition has without `build.base`. */
const DEFAULT_MINOR = 11;
const DEFAULT_PORT = 8000;

/** A Python project without a lock that the python strategy reads: why. */
export interface Unlocked {
  readonly why: string;
}

/** The draft of a Python service; undefined if the folder has no Python project. */
export async function pythonDraft(
  checkout: Checkout,
  folder: string,
  { title, dockerfile }: { readonly title: string; readonly dockerfile: DockerfileFacts | undefined },
): Promise<Draft | Unlocked | undefined> {
  const project = await readProject(checkout, folder);
  const lock = LOCKS.find((name) => fileIn(checkout, folder, name) !== undefined);
  if (project === undefined && lock === undefined) return undefined;
  if (lock === undefined || (lock !== "requirements.txt" && project === undefined))
    return {
      why:
        lock === undefined
          ? "pyproject.toml without poetry.lock, uv.lock or requirements.txt: write one with `poetry lock` or `uv lock`"
          : `${lock} without pyproject.toml`,
    };
  if (project?.isWorkspace === true)
    return { why: "pyproject.toml has a uv workspace, which needs a Dockerfile" };
  const requirements = lock === "requirements.txt" ? await readIn(checkout, folder, lock) : undefined;
  if (requirements !== undefined && !requirements.includes("--hash="))
    return {
      why:
        "requirements.txt without versions and hashes: write it with `uv pip compile --generate-hashes` or " +
        "`pip-compile --generate-hashes`",
    };
  // A large lock is not read.
  const locked = await readIn(checkout, folder, lock);
  const application = await findApplication(
    checkout,
    folder,
    (server) =>
      locked === undefined ||
      new RegExp(`^(?:name = "${server}"|${server}(?:\\[[^\\]]*\\])?==)`, "m").test(locked),
  );
  const start = startOf(dockerfile, application);
  const port = dockerfile?.ports[0] ?? start?.port;
  const health: Health | undefined =
    dockerfile?.health ??
    (port === undefined || application?.health === undefined
      ? undefined
      : { port, path: application.health, from: `a route in ${application.file}` });
  const minor = pythonMinor(project?.requires);
  const packages = dockerfile?.packages.filter((name) => !BUILD_ONLY.test(name)) ?? [];
  return {
    definition: {
      title,
      build: {
        strategy: "python",
        ...(minor === DEFAULT_MINOR ? {} : { base: `docker.io/library/python:3.${minor}-slim` }),
        ...(packages.length === 0 ? {} : { packages }),
      },
      image: {
        ...(start === undefined ? {} : { command: [...start.command] }),
        ...(port === undefined ? {} : { ports: dockerfile?.ports.length ? [...dockerfile.ports] : [port] }),
      },
      ...(health === undefined ? {} : { smoke: { http: [{ port: health.port, path: health.path }] } }),
    },
    reasons: {
      build: `The packages of ${lock}, installed natively for every platform.`,
      ...(minor === DEFAULT_MINOR
        ? {}
        : { "build.base": `pyproject.toml wants Python ${project?.requires ?? ""}.` }),
      ...(packages.length === 0
        ? {}
        : { "build.packages": "Debian packages that the Dockerfile's last stage installs." }),
      ...(start === undefined ? {} : { "image.command": `From ${start.from}.` }),
      ...(health === undefined ? {} : { "smoke.http": `From ${health.from}.` }),
    },
    gaps: [
      ...(start === undefined ? ["the command that starts it (image.command)"] : []),
      ...(health === undefined
        ? [
            "a request that it answers when it is healthy (smoke.http): smoke runs import its packages, and do not start it",
          ]
        : []),
      ...(dockerfile === undefined
        ? ["Debian packages that it needs at run time (build.packages), if any"]
        : []),
      ...(dockerfile === undefined ? ["variables that it needs to start (smoke.env), if any"] : []),
    ],
  };
}

/** For compilers and headers, which an image of wheels does without. */
const BUILD_ONLY = /^(?:build-essential|g\+\+|gcc|make|git|.*-dev)$/;

interface Project {
  readonly name: string | undefined;
  /** `requires-python`, or Poetry's `python`. */
  readonly requires: string | undefined;
  readonly isWorkspace: boolean;
}

export async function readProject(checkout: Checkout, folder: string): Promise<Project | undefined> {
  const text = await readIn(checkout, folder, "pyproject.toml");
  if (text === undefined) return undefined;
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch {
    // The build says what is wrong with it.
    return { name: undefined, requires: undefined, isWorkspace: false };
  }
  const { project, tool } = document;
  const poetry = isObject(tool) ? tool.poetry : undefined;
  const dependencies = isObject(poetry) ? poetry.dependencies : undefined;
  return {
    name: textOf(project, "name") ?? textOf(poetry, "name"),
    requires: textOf(project, "requires-python") ?? textOf(dependencies, "python"),
    isWorkspace: isObject(tool) && isObject(tool.uv) && tool.uv.workspace !== undefined,
  };
}

function textOf(object: unknown, field: string): string | undefined {
  const value = isObject(object) ? object[field] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** The minor version of Python 3 to use: 11, unless the project wants a newer or an older one. */
function pythonMinor(requires = ""): number {
  const bounds = [...requires.matchAll(/([<>=~^]*)\s*3\.(\d+)/g)].map(([, operator = "", minor]) => ({
    operator,
    minor: Number(minor),
  }));
  const lowest = Math.max(
    0,
    ...bounds.filter(({ operator }) => !operator.startsWith("<")).map(({ minor }) => minor),
  );
  const exact = bounds.find(({ operator }) => ["==", "", "~"].includes(operator));
  const highest = Math.min(
    ...bounds.flatMap(({ operator, minor }) =>
      operator === "<" ? [minor - 1] : operator === "<=" ? [minor] : [99],
    ),
    99,
  );
  return exact?.minor ?? Math.min(Math.max(DEFAULT_MINOR, lowest), highest);
}

interface Application {
  /** "uvicorn", "gunicorn" … with its words. */
  readonly command: readonly string[];
  readonly file: string;
  readonly health: string | undefined;
}

const FRAMEWORKS = /^(\w+)\s*(?::\s*\w+)?\s*=\s*(FastAPI|Starlette|Flask|Litestar|Quart|Sanic)\(/m;
/** Django's entry, in a module of its own. */
const DJANGO = /^(\w+)\s*=\s*get_([aw]sgi)_application\(/m;
const ASGI = ["FastAPI", "Starlette", "Litestar", "Quart"];

/**
 * The module that makes a web application, and how servers usually start it.
 * @param isLocked whether a server is among the packages that are installed
 */
async function findApplication(
  checkout: Checkout,
  folder: string,
  isLocked: (server: string) => boolean,
): Promise<Application | undefined> {
  const inside = folder === "" ? "" : `${folder}/`;
  const sources = checkout.files
    .filter((path) => path.startsWith(inside) && path.endsWith(".py"))
    .map((path) => path.slice(inside.length))
    .filter((path) => path.split("/").length <= 4)
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, 200);
  const texts = await Promise.all(sources.map((path) => checkout.read(inside + path)));
  const health = texts.map((text) => healthRoute(text ?? "")).find((path) => path !== undefined);
  for (const [index, path] of sources.entries()) {
    const text = texts[index] ?? "";
    const [, variable, framework = ""] = FRAMEWORKS.exec(text) ?? DJANGO.exec(text) ?? [];
    const server = [...ASGI, "asgi"].includes(framework) ? "uvicorn" : "gunicorn";
    if (variable === undefined || !isLocked(server)) continue;
    const root = path.startsWith("src/") ? path.slice(4) : path;
    const module = root.replace(/(?:\/__init__)?\.py$/, "").replaceAll("/", ".");
    const address = ["--host", "0.0.0.0", "--port", String(DEFAULT_PORT)];
    const command =
      server === "uvicorn"
        ? ["uvicorn", `${module}:${variable}`, ...address]
        : ["gunicorn", `${module}:${variable}`, "--bind", `0.0.0.0:${DEFAULT_PORT}`];
    return { command, file: path, health };
  }
  return undefined;
}

/** Files near the root and named like an entry first. */
function rank(path: string): number {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return path.split("/").length * 10 + (["main.py", "app.py", "asgi.py", "wsgi.py"].includes(name) ? 0 : 5);
}

function startOf(
  dockerfile: DockerfileFacts | undefined,
  application: Application | undefined,
):
  | { readonly command: readonly string[]; readonly from: string; readonly port: number | undefined }
  | undefined {
  if (dockerfile?.command !== undefined)
    return { command: dockerfile.command, from: "the Dockerfile's CMD", port: dockerfile.ports[0] };
  if (application === undefined) return undefined;
  return { command: application.command, from: application.file, port: DEFAULT_PORT };
}

function readIn(checkout: Checkout, folder: string, name: string): Promise<string | undefined> {
  const path = fileIn(checkout, folder, name);
  return path === undefined ? Promise.resolve(undefined) : checkout.read(path);
}
