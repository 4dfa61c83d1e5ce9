import { healthRequest } from "@tgo/catalog";
import { isObject } from "@tgo/schemas";
import { posix } from "node:path";
import { parse } from "yaml";
import type { Health } from "./finding.js";
import { folderOf, type Checkout } from "./read-checkout.js";

/** A service of a compose file that this checkout builds, or pulls by its own name. */
export interface ComposeService {
  readonly name: string;
  readonly file: string;
  /** Folder that it is built from, from the checkout's root; undefined if the file only names its image. */
  readonly folder: string | undefined;
  /** Dockerfile in that folder, if it has another name. */
  readonly dockerfile: string | undefined;
  readonly target: string | undefined;
  /** Image without its tag. */
  readonly image: string | undefined;
  /** Ports inside the container. */
  readonly ports: readonly number[];
  readonly health: Health | undefined;
  /** Build arguments that it is given, with plain values. */
  readonly args: Readonly<Record<string, string>>;
  /** Names of variables that it is given. */
  readonly variables: readonly string[];
}

const NAMES = /^(?:docker-)?compose(?:\.[\w.-]+)?\.ya?ml$/;

/** Services of all compose files at the root and one folder below; a file that cannot be parsed has none. */
export async function readCompose(checkout: Checkout): Promise<ComposeService[]> {
  const files = checkout.files.filter(
    (path) => path.split("/").length <= 2 && NAMES.test(posix.basename(path)),
  );
  const found = await Promise.all(
    files.map(async (file) => {
      const document = parseYaml((await checkout.read(file)) ?? "");
      const services = isObject(document) && isObject(document.services) ? document.services : {};
      return Object.entries(services).flatMap(([name, service]) =>
        isObject(service) ? [readService(name, file, extended(service, services))] : [],
      );
    }),
  );
  return found.flat();
}

/** A service with what it extends in the same file, whose own fields count first. */
function extended(
  service: Readonly<Record<string, unknown>>,
  services: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { extends: base } = service;
  const name = isObject(base) && base.file === undefined ? base.service : base;
  const found = typeof name === "string" ? services[name] : undefined;
  return isObject(found) ? { ...found, ...service } : service;
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { merge: true, logLevel: "silent" });
  } catch {
    return undefined;
  }
}

function readService(name: string, file: string, service: Readonly<Record<string, unknown>>): ComposeService {
  const { build, image, ports, expose, healthcheck, environment } = service;
  const context = typeof build === "string" ? build : isObject(build) ? (build.context ?? ".") : undefined;
  const text = (field: string): string | undefined => {
    const value = isObject(build) ? build[field] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const health = healthRequest(JSON.stringify(isObject(healthcheck) ? [healthcheck.test] : []));
  return {
    name,
    file,
    folder: typeof context === "string" ? folderFrom(folderOf(file), context) : undefined,
    dockerfile: text("dockerfile"),
    target: text("target"),
    image: typeof image === "string" ? withoutTag(image) : undefined,
    ports: [...new Set([...listOf(ports), ...listOf(expose)].flatMap((port) => containerPort(port) ?? []))],
    health: health && { ...health, from: `${file}, healthcheck of ${name}` },
    args: argsOf(isObject(build) ? build.args : undefined),
    variables: variablesOf(environment),
  };
}

/** @returns undefined for a folder outside the checkout, or one that a variable names */
function folderFrom(base: string, context: string): string | undefined {
  if (context.includes("$") || context.startsWith("/") || context.includes("://")) return undefined;
  const path = posix.normalize(posix.join(base === "" ? "." : base, context)).replace(/\/$/, "");
  return path.startsWith("..") ? undefined : path === "." ? "" : path;
}

/** @returns undefined for an image that a variable names */
function withoutTag(image: string): string | undefined {
  const plain = image.replace(/@.*$/, "").replace(/:(?:\$\{[^}]*\}|[^/:]*)$/, "");
  return plain.includes("$") ? undefined : plain;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** Short syntax `[[ip:]host:]container[/protocol]`, or the long one. https://docs.docker.com/reference/compose-file/services/#ports */
function containerPort(value: unknown): number | undefined {
  const text = isObject(value) ? String(value.target) : String(value);
  const port = Number(/(?:^|:)(\d+)(?:-\d+)?(?:\/tcp)?$/.exec(text)?.[1]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** `KEY=value` entries or fields; what a variable names is left out. */
function argsOf(args: unknown): Record<string, string> {
  const entries = isObject(args)
    ? Object.entries(args)
    : listOf(args).map((entry) => String(entry).split(/=(.*)/s).slice(0, 2));
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      const isPlain = ["string", "number", "boolean"].includes(typeof value) && !String(value).includes("$");
      return typeof name === "string" && isPlain ? [[name, String(value)]] : [];
    }),
  );
}

function variablesOf(environment: unknown): string[] {
  if (isObject(environment)) return Object.keys(environment);
  return listOf(environment).flatMap((entry) =>
    typeof entry === "string" ? (entry.split("=")[0] ?? []) : [],
  );
}
