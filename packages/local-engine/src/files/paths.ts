import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { TgoError } from "@tgo/errors";

/** An absolute path from one that may be relative to `base`; `..` cannot leave the root. */
export function absolute(path: string, base = "/"): string {
  return posix.resolve("/", base, path);
}

/**
 * The real path below `root` of a container's path. Symbolic links are followed as a process inside would follow them, so
 * an absolute one cannot lead to the host's files. The last part may be missing.
 * @param followLast false: a link at the end is not followed
 */
export function resolveIn(root: string, path: string, followLast = true): string {
  let todo = path.split("/").filter((part) => part !== "" && part !== ".");
  let at = "/";
  for (let hops = 0; todo.length > 0;) {
    const [part = "", ...rest] = todo;
    todo = rest;
    if (part === "..") {
      at = dirname(at);
      continue;
    }
    const next = posix.join(at, part);
    const stat = lstatSync(join(root, next), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() && (followLast || rest.length > 0)) {
      if (++hops > 40) throw new TgoError("USAGE", "too many symbolic links", { where: path });
      const target = readlinkSync(join(root, next));
      if (target.startsWith("/")) at = "/";
      todo = [...target.split("/").filter((p) => p !== "" && p !== "."), ...rest];
      continue;
    }
    at = next;
  }
  return join(root, at);
}
