import { access, constants, readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Why a file cannot be written, to follow a colon, found out before anything runs; undefined if it can. A pipe would wait
 * for its reader, and a device can do anything.
 */
export async function writeProblem(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const [file, parent] = await Promise.all([path, folder].map((each) => stat(each).catch(() => undefined)));
  if (parent?.isDirectory() !== true) return `no such folder: ${folder}`;
  if (file?.isDirectory() === true) return "it is a folder";
  if (file?.isFile() === false) return "it is not a regular file";
  try {
    await access(file === undefined ? folder : path, constants.W_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** As {@link writeProblem}, for a folder, which is new or empty: what is there already would be part of the result. */
export async function folderProblem(path: string): Promise<string | undefined> {
  const files = await readdir(path).catch(() => undefined);
  if (files === undefined) return writeProblem(path);
  return files.length === 0 ? undefined : "the folder is not empty";
}
