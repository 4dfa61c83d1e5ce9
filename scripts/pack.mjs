/**
 * Packs what can be used outside this repository: the command, and the clients of registries and images. A package in the
 * workspace exports its sources; a packed one has JavaScript and types. Packages that are not packed are bundled into
 * those that are, so their interfaces stay ours to change; libraries of others are dependencies of the clients, and part
 * of the command.
 *
 * node scripts/pack.mjs [FOLDER]          writes the three .tgz files into the folder; default dist/packages
 * node scripts/pack.mjs prepack|postpack  makes `npm pack` in a package's own folder pack the same, and puts back what
 *                                         was there
 */
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { bundleCli, bundleLibrary } from "./bundle.mjs";
import { bundleTypes } from "./declarations.mjs";
import { root, workspaces } from "./root.mjs";

const CLIENTS = ["packages/registry", "packages/image"];
const COMMAND = "apps/tgo";

/** Where the files wait that a packed package's take the place of. */
const KEPT = ".cache/packed";

async function packAll(destination) {
  await mkdir(destination, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), "tgo-pack-"));
  try {
    const packed = { ...(await clientFiles(CLIENTS)), [COMMAND]: await commandFiles() };
    for (const [path, files] of Object.entries(packed)) await writeFiles(join(folder, path), files);
    const folders = Object.keys(packed).map((path) => `./${path}`);
    execFileSync("npm", ["pack", "--silent", "--pack-destination", destination, ...folders], {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The files of the packed clients, by folder and path. */
async function clientFiles(folders) {
  const packed = await Promise.all(CLIENTS.map(nameOf));
  const isOurs = (path) => /^(?:[./]|@tgo[/])/.test(path) || isAbsolute(path);
  const isExternal = (path) => packed.includes(path) || !isOurs(path);
  const versions = await versionsOfDependencies();
  const types = await bundleTypes(
    folders.map((folder) => `${folder}/src/index.ts`),
    { external: isExternal },
  );
  const entries = folders.map(async (folder, at) => {
    const code = await bundleLibrary(folder, isExternal);
    const imports = [...new Set([...code.imports, ...types[at].imports])].filter(
      (name) => !name.startsWith("node:"),
    );
    const main = { types: "./dist/index.d.ts", default: "./dist/index.js" };
    const files = {
      "package.json": await manifest(folder, {
        exports: { ".": main, "./package.json": "./package.json" },
        types: main.types,
        sideEffects: false,
        files: ["dist"],
        dependencies: Object.fromEntries(imports.sort().map((name) => [name, versions[name]])),
      }),
      "dist/index.js": code.text,
      "dist/index.d.ts": types[at].code,
      ...(await documents(folder)),
    };
    return [folder, files];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function documents(folder) {
  return {
    "README.md": await readFile(`${root}/${folder}/README.md`, "utf8"),
    LICENSE: await readFile(`${root}/LICENSE`, "utf8"),
  };
}

/** The files of the packed command by path. */
async function commandFiles() {
  const { files, packages } = await bundleCli();
  const dist = Object.fromEntries(Object.entries(files).map(([name, content]) => [`dist/${name}`, content]));
  const { bin } = JSON.parse(await readFile(`${root}/${COMMAND}/package.json`, "utf8"));
  return {
    "package.json": await manifest(COMMAND, {
      bin,
      // A program: what it does can be called by its command line only.
      exports: { "./package.json": "./package.json" },
      files: ["bin/tgo.js", ...Object.keys(dist), "dist/licenses.txt"],
    }),
    "bin/tgo.js": await readFile(`${root}/${COMMAND}/bin/tgo.js`, "utf8"),
    ...dist,
    "dist/licenses.txt": (await Promise.all(packages.map(licenseOf))).join("\n"),
    ...(await documents(COMMAND)),
  };
}

async function manifest(folder, fields) {
  const { engines } = JSON.parse(await readFile(`${root}/package.json`, "utf8"));
  const { name, version, description, license, type } = JSON.parse(
    await readFile(`${root}/${folder}/package.json`, "utf8"),
  );
  return `${JSON.stringify({ name, version, description, license, type, engines, ...fields }, null, 2)}\n`;
}

async function nameOf(folder) {
  return JSON.parse(await readFile(`${root}/${folder}/package.json`, "utf8")).name;
}

/** The exact versions that this repository is tested with. */
async function versionsOfDependencies() {
  const manifests = await Promise.all(
    workspaces().map(async (folder) => JSON.parse(await readFile(`${root}/${folder}/package.json`, "utf8"))),
  );
  return Object.assign({}, ...manifests.map(({ dependencies }) => dependencies));
}

/** A package's name, version and license: its conditions for being part of the command. */
async function licenseOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${root}/${folder}/package.json`, "utf8"));
  const file = (await readdir(`${root}/${folder}`)).find((entry) => /^licen[cs]e(?:[.-]|$)/i.test(entry));
  const text = file === undefined ? "" : await readFile(`${root}/${folder}/${file}`, "utf8");
  return `${name} ${version}: ${license}\n\n${text}\n${"-".repeat(80)}\n`;
}

async function replace(folder) {
  const files = folder === COMMAND ? await commandFiles() : (await clientFiles([folder]))[folder];
  const target = `${root}/${folder}`;
  await rm(`${target}/${KEPT}`, { recursive: true, force: true });
  for (const path of Object.keys(files))
    await cp(`${target}/${path}`, `${target}/${KEPT}/${path}`).catch((error) => {
      if (error.code !== "ENOENT") throw error;
    });
  await writeFiles(`${target}/${KEPT}`, { "packed.json": JSON.stringify(Object.keys(files)) });
  await writeFiles(target, files);
}

async function putBack(target) {
  const paths = JSON.parse(await readFile(`${target}/${KEPT}/packed.json`, "utf8"));
  for (const path of paths) {
    await rm(`${target}/${path}`, { force: true });
    await cp(`${target}/${KEPT}/${path}`, `${target}/${path}`).catch((error) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  await rm(`${target}/${KEPT}`, { recursive: true });
}

async function writeFiles(folder, files) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(`${folder}/${path}`), { recursive: true });
    await writeFile(`${folder}/${path}`, content);
  }
}

const [argument = "dist/packages"] = process.argv.slice(2);
if (argument === "prepack") await replace(relative(root, process.cwd()));
else if (argument === "postpack") await putBack(process.cwd());
else await packAll(resolve(root, argument));
