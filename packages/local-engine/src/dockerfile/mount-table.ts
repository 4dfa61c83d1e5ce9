import { posix } from "node:path";

/** One line of a mountinfo file. */
interface MountEntry {
  /** Of the file system, as `major:minor`. */
  readonly device: string;
  /** The folder of the file system that is mounted. */
  readonly root: string;
  readonly target: string;
  /** Of the file system: `overlay`. */
  readonly type: string;
}

/** A folder or file by its file system, whatever paths lead there. */
export interface Place {
  readonly device: string;
  readonly path: string;
}

/**
 * The mounts of a process.
 * @param text its mountinfo file
 * @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
export class MountTable {
  readonly #entries: readonly MountEntry[];

  constructor(text: string) {
    this.#entries = text.split("\n").flatMap((line) => {
      const [first = "", second = ""] = line.split(" - ");
      const [, , device, root, target] = first.split(" ");
      if (device === undefined || root === undefined || target === undefined) return [];
      return [
        { device, root: unescape(root), target: unescape(target), type: second.split(" ", 1)[0] ?? "" },
      ];
    });
  }

  /** Where a path without symbolic links leads. */
  locate(path: string): Place | undefined {
    // Of two mounts on one target, the later one is seen.
    const found = this.#entries.reduce<MountEntry | undefined>((best, entry) => {
      const better = best === undefined || entry.target.length >= best.target.length;
      return better && isWithin(path, entry.target) ? entry : best;
    }, undefined);
    if (found === undefined) return undefined;
    return { device: found.device, path: posix.join(found.root, path.slice(found.target.length)) };
  }

  /** The overlays mounted where the pattern matches. */
  overlays(target: RegExp): ReadonlySet<string> {
    const found = this.#entries.filter((entry) => entry.type === "overlay" && target.test(entry.target));
    return new Set(found.map(({ device }) => device));
  }
}

/** Whether a path is a folder or below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** Blanks, tabs, line ends and backslashes are written as octal numbers. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
