import { readFileSync } from "node:fs";
import { lchown } from "node:fs/promises";
import { TgoError } from "@tgo/errors";
import { resolveIn, type Owner } from "./paths.js";

/** A line of /etc/passwd or /etc/group, split. */
type Line = readonly string[];

function lines(root: string, file: string): Line[] {
  try {
    return readFileSync(resolveIn(root, file), "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly home: string;
}

/**
 * The user an image's config names: `name`, `uid`, `name:group`, `uid:gid`, or nothing for root.
 * A number needs no entry in /etc/passwd; a name does.
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
  const groups = entry
    ? lines(root, "/etc/group")
        .filter((line) => (line[3] ?? "").split(",").includes(entry[0] ?? ""))
        .map((line) => Number(line[2]))
    : [];
  return { uid, gid, groups, home: entry?.[5] ?? (uid === 0 ? "/root" : "/") };
}

function findGroup(root: string, group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const entry = lines(root, "/etc/group").find((line) => line[0] === group);
  if (!entry) throw new TgoError("BUILD", `the image has no group ${group}`, { remedy: "use a number" });
  return Number(entry[2]);
}

/** The owner of copied files: `user[:group]`; a missing group is the user's number. */
export function findOwner(root: string, spec: string | undefined): Owner | undefined {
  if (spec === undefined || spec === "") return undefined;
  const [user = "", group] = spec.split(":");
  const uid = findUser(root, user).uid;
  const gid =
    group === undefined ? (/^\d+$/.test(user) ? uid : findUser(root, user).gid) : findGroup(root, group);
  return { uid, gid, apply: (path) => lchown(path, uid, gid) };
}
