import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, relative, resolve } from "node:path";
import { build } from "esbuild";
import { writeBuild } from "./built-command.mjs";
import { directImports, indexFiles } from "./direct-imports.mjs";
import { moduleApi } from "./module-api.mjs";
import { root } from "./root.mjs";

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  write: false,
  charset: "utf8",
  mainFields: ["module", "main"],
  legalComments: "none",
  logLevel: "error",
};

/** Every file that a bundle of this process was made of, as esbuild names it. */
const inputs = new Set();

/** Bundles into memory. */
async function bundle(options) {
  const result = await build({ ...common, metafile: true, ...options });
  for (const path of Object.keys(result.metafile.inputs)) inputs.add(path.replace(/^program:/, ""));
  for (const path of indexFiles()) inputs.add(path);
  return result;
}

/** The program that builders run inside containers, as the text of one file. */
export async function bundleTools() {
  const result = await bundle({
    entryPoints: ["packages/builders/src/container-tools/main.ts"],
    minify: true,
  });
  return result.outputFiles[0].text;
}

/** Resolves imports of the container tools to their text. */
export const textPlugin = {
  name: "tgo-text",
  setup(builder) {
    builder.onResolve({ filter: /^tgo:tools$/ }, () => ({ path: "tools", namespace: "tgo" }));
    builder.onLoad({ filter: /.*/, namespace: "tgo" }, async () => ({
      contents: await bundleTools(),
      loader: "text",
    }));
  },
};

/** Packages whose code decides an image's bytes; messages of the others, and what they look up, do not. */
const BYTE_PACKAGES = /^(@tgo\/(builders|dockerfile|image)|canonicalize)$/;

/**
 * Hash of the code that decides an image's bytes: builders, the reader of Dockerfiles, container tools, finalising. Report styles, release rules,
 * and the texts of errors and of the registry client are no part of it.
 * @param overrides contents of files by path, in place of those on disk; for tests
 */
export async function buildHash(overrides = {}) {
  const result = await bundle({
    stdin: {
      resolveDir: `${root}/packages/builders`,
      contents: `
        export { buildVariants, readRequest, resolveRequest } from "@tgo/builders";
        export { buildCandidate } from "${root}/packages/publishing/src/candidate/build-candidate.ts";
        export { default } from "canonicalize";
        export * as tools from "${root}/packages/builders/src/container-tools/main.ts";
      `,
    },
    loader: { ".py": "text", ".sh": "text", ".txt": "text" },
    // Without the comments that name files.
    minifyWhitespace: true,
    plugins: [
      {
        name: "tgo-build-hash",
        setup(builder) {
          builder.onResolve({ filter: /^[^./]/ }, ({ path }) =>
            BYTE_PACKAGES.test(path) ? undefined : { path, external: true },
          );
          builder.onLoad({ filter: /./ }, ({ path }) => {
            const contents = overrides[path.slice(root.length + 1)];
            return contents === undefined
              ? undefined
              : { contents, loader: path.endsWith(".ts") ? "ts" : "text" };
          });
        },
      },
    ],
  });
  return hashOf(result.outputFiles[0].text);
}

function hashOf(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** What is replaced by a hash in the bundle. */
const PIPELINE = "0000000000000000";
const BUILD_HASH = "1111111111111111";

/**
 * The Dagger modules, and the files of their bundles. core.js is the entry; each import() in the packages makes a part that
 * is loaded when it is needed: images.js, the functions on any image, layers.js, the reader of layers, releases.js,
 * attest.js, signatures with Sigstore's libraries, and pnpm-packages.js, with a parser of YAML. What several of them share is in files that are named after them;
 * common.js is part of all. programs.js has the texts of the scripts, container tools and tool locks that are used inside
 * containers.
 */
export const MODULES = {
  "pipelines/tgo": {
    parts: [
      "attest-core-images-layers-releases.js",
      "attest-core-images-releases.js",
      "attest-images-layers.js",
      "attest-images.js",
      "attest.js",
      "common.js",
      "core-images-layers-releases.js",
      "core-images-releases.js",
      "core-releases.js",
      "core.js",
      "images-releases.js",
      "images.js",
      "layers.js",
      "pnpm-packages.js",
      "programs.js",
      "releases.js",
    ],
  },
  "pipelines/multiarch": {
    parts: [
      "attest-core-layers.js",
      "attest-core.js",
      "attest-layers.js",
      "attest.js",
      "common.js",
      "core-layers.js",
      "core.js",
      "layers.js",
      "pnpm-packages.js",
      "programs.js",
    ],
  },
};
const noticeOf = (folder) => `// @generated by npm run generate from ${folder}/core.ts. Do not edit.`;

/**
 * A module's files by path: lib/core.js, which contains the hash of all its code, and what it imports: see MODULES.
 * @param folder of the module
 */
export async function bundleCore(folder = "pipelines/tgo") {
  const lib = `${folder}/lib`;
  const notice = noticeOf(folder);
  const programs = new Map();
  const result = await bundle({
    entryPoints: { core: `${folder}/core.ts` },
    outdir: lib,
    splitting: true,
    external: ["@dagger.io/dagger"],
    plugins: [programsPlugin(programs), directImports, leanSigstore],
    banner: { js: notice },
  });
  const names = partNames(result.metafile);
  const renamed = (text) =>
    text.replaceAll(/(?<="[.][/])[\w-]+[.]js(?=")/g, (name) => names.get(name) ?? name);
  const files = new Map([["programs.js", programsModule(programs, notice)]]);
  for (const { path, text } of result.outputFiles) files.set(names.get(basename(path)), renamed(text));
  const found = [...files.keys()].sort();
  const { parts } = MODULES[folder];
  if (found.join() !== parts.join())
    throw new Error(`the bundle of ${folder} has the files ${found.join(", ")}`);
  for (const [name, text] of files) files.set(name, withRequire(text));
  const core = files.get("core.js").replace(`"${BUILD_HASH}"`, `"${await buildHash()}"`);
  files.set("core.js", core);
  files.set("core.js", core.replace(`"${PIPELINE}"`, `"${hashOf([...files.values()].join(""))}"`));
  return Object.fromEntries(parts.map((name) => [`${lib}/${name}`, files.get(name)]));
}

/** The reader of layers is loaded by the module that verifies them. */
const ENTRY_NAMES = { "verify-elf": "layers" };

function entryName({ name }) {
  const own = name.replace(/(?:-[A-Z0-9]{8})?[.]js$/, "");
  return ENTRY_NAMES[own] ?? own;
}

/** By esbuild's names, which have a hash: a file of another name after every change would only make noise. */
function partNames({ outputs }) {
  const parts = Object.entries(outputs).map(([path, output]) => ({ name: basename(path), ...output }));
  const isShared = ({ name }) => name.startsWith("chunk-");
  const entries = parts.filter((part) => !isShared(part));
  return new Map(
    parts.map((part) => {
      if (!isShared(part)) return [part.name, `${entryName(part)}.js`];
      const users = entries.filter(({ imports }) =>
        imports.some(({ path, kind }) => kind === "import-statement" && basename(path) === part.name),
      );
      const isCommon = users.length === entries.length;
      return [part.name, isCommon ? "common.js" : `${users.map(entryName).sort().join("-")}.js`];
    }),
  );
}

/**
 * Sigstore's HTTP client can keep responses on disk, and decode pages in old character sets. Signatures need neither, and
 * both together are 800 kB.
 */
const leanSigstore = {
  name: "tgo-lean-sigstore",
  setup(builder) {
    builder.onResolve({ filter: /^(cacache|iconv-lite)$/ }, ({ path }) => ({ path, namespace: "unused" }));
    builder.onLoad({ filter: /./, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** Leads imports of programs to lib/programs.js, and collects their texts by exported name. */
function programsPlugin(programs) {
  return {
    name: "tgo-programs",
    setup(builder) {
      const namespace = "program";
      builder.onResolve({ filter: /^[.][/]programs[.]js$/, namespace }, ({ path }) => ({
        path,
        external: true,
      }));
      builder.onResolve({ filter: /^tgo:tools$|[.](py|sh|txt)$/ }, ({ path, resolveDir }) => ({
        // Relative: esbuild writes it above the code, and the bundle is the same on every machine.
        path: path === "tgo:tools" ? path : relative(root, resolve(resolveDir, path)),
        namespace,
      }));
      builder.onLoad({ filter: /./, namespace }, async ({ path }) => {
        const isTools = path === "tgo:tools";
        const source = isTools ? "packages/builders/src/container-tools" : path;
        const name = source.replace(/^packages[/]|src[/]/g, "").replace(/\W+/g, "_");
        programs.set(name, {
          source,
          text: isTools ? await bundleTools() : await readFile(`${root}/${path}`, "utf8"),
        });
        return { contents: `export { ${name} as default } from "./programs.js";`, resolveDir: root };
      });
    },
  };
}

function programsModule(programs, notice) {
  const quoted = (text) => `\`${text.replace(/[\\`]|\$(?=\{)/g, "\\$&")}\``;
  const constants = [...programs]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { source, text }]) => `/** ${source} */\nexport const ${name} = ${quoted(text)};\n`);
  return [`${notice}\n`, ...constants].join("\n");
}

/** Gives CommonJS libraries, such as the command line parser, a `require`. */
const requireShim = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`;

/**
 * Sigstore's libraries are CommonJS, and require parts of Node: esbuild's own function for that works only where there is a
 * global `require`. No global name: the command bundles this file again, and has such a name itself.
 */
function withRequire(text) {
  const own = /var __require = [^]*?\n\}\);\n/;
  if (!own.test(text)) {
    if (text.includes("__require =")) throw new Error("the bundle's require is not esbuild's any more");
    return text;
  }
  const lines = [
    `import { createRequire as __requireOf } from "node:module";`,
    `var __require = __requireOf(import.meta.url);`,
  ];
  return text.replace(own, `${lines.join("\n")}\n`);
}

/** Parts of the SDK that the command never uses. Loading them takes 100 MB of memory and half a second per start. */
const UNUSED = {
  // The entry point of modules, with the TypeScript compiler.
  "module/entrypoint/entrypoint.js": "export const entrypoint = undefined;",
  // Traces with all their exporters, sent only if OTEL_ variables are set.
  "telemetry/init.js": "export class DaggerOtelConfigurator { initialize() {} async close() {} }",
};

/** Bundles the SDK without the unused parts. */
export const sdkPlugin = {
  name: "tgo-sdk",
  setup(builder) {
    builder.onLoad({ filter: /[\\/]dagger[\\/]dist[\\/]src[\\/].*\.js$/ }, ({ path }) => {
      const unused = Object.keys(UNUSED).find((part) => path.replaceAll("\\", "/").endsWith(`/${part}`));
      return unused === undefined ? undefined : { contents: UNUSED[unused] };
    });
  },
};

/**
 * What the module's shell imports of the SDK, where the command runs it: decorators only describe it to Dagger's engine,
 * and the client is passed. Functions that need no engine must not load the SDK.
 */
const SHELL_SDK = `
  export const dag = undefined;
  const decorator = () => () => undefined;
  export { decorator as argument, decorator as check, decorator as func, decorator as generate, decorator as object };
`;

export const shellPlugin = {
  name: "tgo-shell",
  setup(builder) {
    const namespace = "shell";
    builder.onResolve({ filter: /^@dagger\.io[/]dagger$/ }, ({ importer, path }) =>
      importer.replaceAll("\\", "/").includes("/pipelines/tgo/src/") ? { path, namespace } : undefined,
    );
    builder.onLoad({ filter: /./, namespace }, () => ({ contents: SHELL_SDK }));
  },
};

/** Gives the command a module bundle and API that match the sources, even if the committed ones are stale. */
function modulePlugin(files, api) {
  return {
    name: "tgo-module",
    setup(builder) {
      builder.onLoad({ filter: /[/\\]module-api[.]json$/ }, () => ({ contents: api, loader: "json" }));
      const namespace = "core";
      const path = (name) => `pipelines/tgo/lib/${name}`;
      builder.onResolve({ filter: /[/]lib[/]core[.]js$/ }, () => ({ path: path("core.js"), namespace }));
      builder.onResolve({ filter: /^[.][/][\w-]+[.]js$/, namespace }, ({ path: name }) => ({
        path: path(name.slice(2)),
        namespace,
      }));
      builder.onLoad({ filter: /./, namespace }, ({ path }) => ({ contents: files[path], resolveDir: root }));
    },
  };
}

/**
 * Writes apps/tgo/dist: the command with the module's classes and everything they import. It is split, so that help and
 * usage errors load no function, and functions without an engine neither the SDK nor an engine.
 * @returns its files' contents by name, and the packages of others in it
 */
export async function bundleCli() {
  const began = Date.now();
  const [core, api] = await Promise.all([bundleCore(), moduleApi()]);
  const { outputFiles, metafile } = await bundle({
    entryPoints: { tgo: "apps/tgo/src/main.ts" },
    outdir: "apps/tgo/dist",
    splitting: true,
    minifyWhitespace: true,
    plugins: [shellPlugin, sdkPlugin, modulePlugin(core, api), directImports],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    banner: { js: requireShim },
  });
  const files = Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  await writeBuild({ files, inputs, began });
  return { files, packages: packagesOf(metafile) };
}

/** The packages of others that are part of a bundle, as paths of folders in node_modules. */
function packagesOf({ inputs }) {
  const found = Object.keys(inputs).map((path) => /^.*node_modules[/](?:@[^/]+[/])?[^/]+/.exec(path)?.[0]);
  return [...new Set(found.filter((path) => path !== undefined))].sort();
}

/**
 * A package as one JavaScript module.
 * @param folder of the package, relative to the repository
 * @param external which imports stay
 * @returns the module's text, and the packages that it imports
 */
export async function bundleLibrary(folder, external) {
  const { outputFiles, metafile } = await bundle({
    entryPoints: [`${folder}/src/index.ts`],
    plugins: [
      {
        name: "tgo-library",
        setup(builder) {
          builder.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind !== "entry-point" && external(path) ? { path, external: true } : undefined,
          );
        },
      },
    ],
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const names = imports.map(({ path }) => path).filter((path) => !path.startsWith("node:"));
  return { text: outputFiles[0].text, imports: [...new Set(names)].sort() };
}
