import { lstatSync, readFileSync } from "node:fs";
import { TgoError } from "@tgo/errors";
import { resolveIn } from "./paths.js";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Bytes. The image decides what is there: not a file that never ends, nor a pipe. */
const MAX_BYTES = 16 << 20;

/** The lines of /etc/passwd or /etc/group, split into fields. */
function lines(root: string, file: string): readonly (readonly string[])[] {
  try {
    const path = resolveIn(root, file);
    const info = lstatSync(path);
    if (!info.isFile() || info.size > MAX_BYTES) return [];
    const text = readFileSync(path, "utf8");
    return text.split("\n").map((line) => line.split(":"));
  } catch {
    return [];
  }
}

export interface User extends Owner {
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly home: string;
}

/**
 * The user that an image's config names: `name`, `uid`, `name:group`, `uid:gid`, or nothing for root. A name must be in
 * /etc/passwd; a number need not.
 */
export function findUser(root: string, spec: string): User {
  const [name = "", group] = spec === "" ? ["0"] : spec.split(":");
  const passwd = lines(root, "/etc/passwd");
  const entry = passwd.find((line) => line[0] === name) ?? passwd.find((line) => line[2] === name);
  if (!entry && !/^\d+$/.test(name))
    throw new TgoError("BUILD", `the image has no user ${name}`, {
      remedy: "use a number, or create the user first",
    });
  const uid = Number(entry?.[2] ?? name);
  const gid = group === undefined || group === "" ? Number(entry?.[3] ?? 0) : findGroup(root, group);
  const groups = lines(root, "/etc/group")
    .filter((line) => entry && (line[3] ?? "").split(",").includes(entry[0] ?? ""))
    .map((line) => Number(line[2]));
  return { uid, gid, groups, home: entry?.[5] ?? (uid === 0 ? "/root" : "/") };
}

function findGroup(root: string, group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const entry = lines(root, "/etc/group").find((line) => line[0] === group);
  if (!entry) throw new TgoError("BUILD", `the image has no group ${group}`, { remedy: "use a number" });
  return Number(entry[2]);
}

/** The owner of copied files: `user[:group]`; the group of a plain number is the same number. */
export function findOwner(root: string, spec = ""): Owner | undefined {
  if (spec === "") return undefined;
  const { uid, gid } = findUser(root, /^\d+$/.test(spec) ? `${spec}:${spec}` : spec);
  return { uid, gid };
}
