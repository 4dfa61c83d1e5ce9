import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a folder and its missing parents, all with mode 0755, whatever the umask of this process. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let at = path; at.length >= first.length; at = dirname(at)) await chmod(at, 0o755);
}

/** Writes a file with mode 0644, whatever the umask of this process. */
export async function writePlainFile(path: string, contents: string): Promise<void> {
  await writeFile(path, contents);
  await chmod(path, 0o644);
}
