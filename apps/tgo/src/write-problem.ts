import { access, constants, stat } from "node:fs/promises";
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
