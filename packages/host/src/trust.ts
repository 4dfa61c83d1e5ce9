import type { Stats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { shellQuote } from "@tgo/errors";

/** Why a found file does not count as the caller's. */
export interface TrustProblem {
  /** To follow the file's name and a colon. */
  readonly reason: string;
  readonly remedy: string;
}

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Whether a file found on the way up from the current folder speaks for the caller: only the caller or root may have
 * written it, put it there or linked to it. Undefined if so, and on Windows, which has no such owners.
 * @param opened of the file as it was opened
 */
export async function trustProblem(path: string, opened: Stats): Promise<TrustProblem | undefined> {
  const trusted = trustedUsers();
  if (trusted === undefined) return undefined;
  const link = await lstat(path);
  const target = await realpath(path);
  for (const [file, stats] of [
    [path, link],
    [target, opened],
  ] as const) {
    if (!trusted.includes(stats.uid)) return notOwned(file, stats);
    if (!stats.isSymbolicLink() && (stats.mode & OTHERS_WRITE) !== 0) return writable(file);
  }
  for (const folder of new Set([dirname(path), dirname(target)])) {
    const stats = await stat(folder);
    if (!trusted.includes(stats.uid)) return notOwned(folder, stats);
    // In a sticky folder such as /tmp, only its owner can replace a file.
    if ((stats.mode & OTHERS_WRITE) !== 0 && (stats.mode & STICKY) === 0) return writable(folder);
  }
  return undefined;
}

/** The caller and root; with sudo, whoever called it, as for git. */
function trustedUsers(): readonly number[] | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  const sudo = uid === 0 ? Number.parseInt(process.env.SUDO_UID ?? "", 10) : NaN;
  return Number.isNaN(sudo) ? [uid, 0] : [uid, 0, sudo];
}

function notOwned(file: string, { uid }: Stats): TrustProblem {
  return {
    reason: `${file} belongs to user ${uid}, neither you nor root`,
    remedy: "If you trust what it says, copy it into a file of your own.",
  };
}

function writable(file: string): TrustProblem {
  return {
    reason: `others can write ${file}`,
    remedy: `If you trust what it says: chmod go-w ${shellQuote(file)}`,
  };
}
