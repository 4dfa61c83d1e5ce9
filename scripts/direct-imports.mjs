import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { root } from "./root.mjs";

/** Sources of packages, whose relative imports are all of their own TypeScript. */
const PACKAGE = /[\\/]packages[\\/][a-z-]+[\\/]src[\\/].*\.ts$/;
const SOURCE = /[\\/](?:(?:packages|apps)[\\/][a-z-]+[\\/]src[\\/].*|pipelines[\\/][a-z-]+[\\/]core)\.ts$/;
const PACKAGE_IMPORT = /^import \{([^}]*)\} from "@tgo\/([a-z-]+)";$/gm;
const INDEX_EXPORT = /^export \{([^}]*)\} from "\.\/([^"]+)\.js";$/gm;

/** By package: where its index takes each exported name from; undefined where it exports another module whole. */
const indexes = new Map();

/** The indexes that were read, relative to the repository: esbuild does not see them. */
export function indexFiles() {
  return [...indexes.keys()].map(indexPath);
}

const indexPath = (name) => `packages/${name}/src/index.ts`;

/**
 * Leads imports from this repository's packages to the files that declare the names. esbuild takes a whole package for
 * reachable when its index is: without this, what one function loads lazily would be part of every other function.
 */
export const directImports = {
  name: "tgo-direct-imports",
  setup(builder) {
    builder.onLoad({ filter: SOURCE }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(PACKAGE_IMPORT, directly),
      loader: "ts",
    }));
    builder.onResolve({ filter: /^@tgo\/[a-z-]+\/.+/ }, ({ path }) => {
      const [, name, file] = /^@tgo\/([a-z-]+)\/(.+)$/.exec(path);
      return { path: `${root}/packages/${name}/src/${file}.ts`, sideEffects: false };
    });
    // Relative imports too: esbuild reads the nearest package.json only for paths that it resolves itself, so that the
    // code around CommonJS libraries would depend on which import of a file comes first.
    builder.onResolve({ filter: /^[.]{1,2}[/].*[.]js$/ }, ({ path, importer }) =>
      PACKAGE.test(importer)
        ? { path: resolve(dirname(importer), path.replace(/[.]js$/, ".ts")), sideEffects: false }
        : undefined,
    );
  },
};

function directly(statement, names, name) {
  const declared = indexOf(name);
  if (declared === undefined) return statement;
  const imports = valuesOf(names).map(([exported, local]) => {
    const found = declared.get(exported);
    if (found === undefined) throw new Error(`@tgo/${name} does not export ${exported}`);
    return `import { ${found.name} as ${local} } from "@tgo/${name}/${found.file}";`;
  });
  return imports.join(" ") + "\n".repeat(statement.split("\n").length - 1);
}

function indexOf(name) {
  if (!indexes.has(name)) {
    const text = readFileSync(`${root}/${indexPath(name)}`, "utf8");
    const declared = [...text.matchAll(INDEX_EXPORT)].flatMap(([, names, file]) =>
      valuesOf(names).map(([own, exported]) => [exported, { name: own, file }]),
    );
    indexes.set(name, text.includes("export *") ? undefined : new Map(declared));
  }
  return indexes.get(name);
}

/** `a, type B, c as d` as [["a", "a"], ["c", "d"]]: types have no code. */
function valuesOf(names) {
  return names
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith("type "))
    .map((each) => {
      const [name, alias = name] = each.split(" as ");
      return [name, alias];
    });
}
