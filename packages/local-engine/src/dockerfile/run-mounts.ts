import { posix } from "node:path";
import type { Instruction } from "@tgo/dockerfile";
import { invalid, unsupported } from "./refuse.js";

/** A --mount of a RUN instruction. */
export type RunMount = { readonly target: string } & (
  | {
      readonly kind: "bind";
      /** As written; undefined for the context. */
      readonly from?: string;
      /** Absolute in the source. */
      readonly source: string;
      /** Without it, what is written is thrown away. */
      readonly readOnly: boolean;
    }
  | {
      readonly kind: "cache";
      readonly id: string;
      readonly owner: string;
      readonly mode: number;
      /** No two commands use it at the same time. */
      readonly exclusive: boolean;
    }
  | { readonly kind: "tmpfs" }
  | ({ readonly kind: "secret"; readonly id: string; readonly required: boolean } & (
      { readonly variable: string } | { readonly owner: string; readonly mode: number }
    ))
);

interface MountContext {
  readonly workdir: string;
  readonly expand: (word: string) => string;
  readonly where: string;
}

const ALIASES: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
};

/** The keys of each type; those after the bar are BuildKit's only. */
const KEYS: Readonly<Record<string, string>> = {
  bind: "from source target readonly rw readwrite",
  cache: "id target sharing mode uid gid readonly rw readwrite|from source",
  tmpfs: "target|size",
  secret: "id source target required mode uid gid env",
  ssh: "|id target required mode uid gid",
};

/**
 * The mounts of a RUN instruction.
 * @throws TgoError SOURCE
 * @see https://docs.docker.com/reference/dockerfile/#run---mount
 */
export function parseMounts({ flags }: Instruction, context: MountContext): RunMount[] {
  return flags
    .filter((flag) => flag.startsWith("--mount="))
    .map((flag) => parseMount(flag.slice("--mount=".length), context));
}

function parseMount(text: string, { workdir, expand, where }: MountContext): RunMount {
  if (text.includes('"')) throw unsupported(where, "quotes in --mount");
  const fields = new Map<string, string>();
  for (const field of text.split(",")) {
    const [key = "", ...value] = field.split("=");
    const name = key.toLowerCase();
    if (name === "from" && value.join("=").includes("$"))
      throw invalid(where, "from= of a mount has no variables: name a stage that starts from it");
    fields.set(ALIASES[name] ?? name, value.length === 0 ? "true" : expand(value.join("=")));
  }
  const type = (fields.get("type") ?? "bind").toLowerCase();
  fields.delete("type");
  const [known = "", refused = ""] = (KEYS[type] ?? "").split("|");
  if (!Object.hasOwn(KEYS, type)) throw invalid(where, `there is no mount of type ${type}`);
  if (type === "ssh") throw unsupported(where, "RUN --mount=type=ssh");
  for (const key of fields.keys()) {
    if (refused.split(" ").includes(key)) throw unsupported(where, `RUN --mount=type=${type},${key}`);
    if (!known.split(" ").includes(key)) throw invalid(where, `a mount of type ${type} has no ${key}`);
  }
  const isTrue = (name: string): boolean => /^(?:1|t|true)$/i.test(fields.get(name) ?? "");
  const target = posix.resolve("/", workdir, fields.get("target") ?? "");
  const isWritable = isTrue("rw") || isTrue("readwrite") || fields.get("readonly") === "false";
  const number = (name: string, radix: number, otherwise: number): number => {
    const value = fields.get(name);
    if (value === undefined) return otherwise;
    if (!(radix === 8 ? /^[0-7]+$/ : /^\d+$/).test(value))
      throw invalid(where, `${name}=${value} is no number`);
    return Number.parseInt(value, radix);
  };
  const owner = `${number("uid", 10, 0)}:${number("gid", 10, 0)}`;
  if (type === "secret") {
    const id = fields.get("id") ?? fields.get("source") ?? posix.basename(fields.get("target") ?? "");
    if (id === "") throw invalid(where, "a secret mount needs an id or a target");
    const variable = fields.get("env");
    const common = { kind: "secret", id, required: isTrue("required") } as const;
    if (variable !== undefined) {
      if (fields.has("target")) throw unsupported(where, "RUN --mount=type=secret with env and target");
      return { ...common, target, variable };
    }
    const path = fields.has("target") ? target : `/run/secrets/${posix.basename(id)}`;
    return { ...common, target: path, owner, mode: number("mode", 8, 0o400) };
  }
  if (fields.get("target") === undefined || target === "/") throw invalid(where, "a mount needs a target");
  if (type === "tmpfs") return { kind: "tmpfs", target };
  if (type === "cache") {
    if (isTrue("readonly")) throw unsupported(where, "RUN --mount=type=cache,readonly");
    const id = fields.get("id") ?? posix.normalize(fields.get("target") ?? "");
    const sharing = fields.get("sharing") ?? "shared";
    if (!/^(?:shared|private|locked)$/i.test(sharing)) throw invalid(where, `there is no sharing=${sharing}`);
    const exclusive = !/^shared$/i.test(sharing);
    return { kind: "cache", target, id, owner, exclusive, mode: number("mode", 8, 0o755) };
  }
  const from = fields.get("from");
  const source = posix.resolve("/", fields.get("source") ?? "");
  return { kind: "bind", target, source, readOnly: !isWritable, ...(from === undefined ? {} : { from }) };
}
