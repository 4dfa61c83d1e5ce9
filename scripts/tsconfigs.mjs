import { readFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { PACKAGES, SHELLS, USERS_OF_TESTING } from "./import-table.mjs";
import { root } from "./root.mjs";

const STYLE = await resolveConfig(`${root}/package.json`);

/** Where `tsc -b` puts a project's declarations; not committed. */
const OUT = ".cache/types";

/** The projects of the modules' sources for the tools of the host; the command uses the first one. */
const MODULE = "pipelines/tgo/tsconfig.host.json";
const MODULES = [MODULE, "pipelines/multiarch/tsconfig.host.json"];
const text = (config) => format(JSON.stringify(config), { ...STYLE, parser: "json" });

/**
 * The TypeScript projects of packages and apps: the sources (tsconfig.json), which emit declarations, and their tests
 * (test/tsconfig.json), which emit nothing. References follow package.json. tsconfig.tests.json is for `npm test`: all
 * that emits nothing in one project, which the compiler checks faster than each package's tests by themselves.
 */
export async function typescriptProjects() {
  const folders = [...Object.keys(PACKAGES).map((name) => `packages/${name}`), "apps/tgo"];
  const files = await Promise.all(folders.map(projectsOf));
  return Object.assign({ "tsconfig.tests.json": await allTests([...folders, ...MODULES]) }, ...files);
}

function allTests(references) {
  return text({
    extends: "./tsconfig.base.json",
    compilerOptions: { noEmit: true, incremental: true, tsBuildInfoFile: ".cache/tests.tsbuildinfo" },
    include: ["apps/*/test", "packages/*/test", ...USERS_OF_TESTING, "vitest.config.ts"],
    references: references.map((path) => ({ path })),
  });
}

async function projectsOf(folder) {
  const manifest = JSON.parse(await readFile(`${root}/${folder}/package.json`, "utf8"));
  const dependencies = internal(manifest.dependencies);
  const forTests = new Set([...dependencies, ...internal(manifest.devDependencies), "testing"]);
  forTests.delete(folder.split("/")[1]);
  return {
    [`${folder}/tsconfig.json`]: await text({
      extends: "../../tsconfig.base.json",
      compilerOptions: {
        composite: true,
        emitDeclarationOnly: true,
        rootDir: "src",
        outDir: OUT,
        tsBuildInfoFile: `${OUT}/tsconfig.tsbuildinfo`,
      },
      include: ["src", "../../scripts/text-modules.d.ts"],
      references: [...dependencies, ...(folder in SHELLS ? ["module"] : [])].map((name) => ({
        path: name === "module" ? `../../${MODULE}` : `../../packages/${name}`,
      })),
    }),
    [`${folder}/test/tsconfig.json`]: await text({
      extends: "../../../tsconfig.base.json",
      compilerOptions: { noEmit: true, incremental: true, tsBuildInfoFile: `../.cache/tests.tsbuildinfo` },
      include: [".", "../../../scripts/text-modules.d.ts"],
      references: [
        { path: ".." },
        ...[...forTests].sort().map((name) => ({ path: `../../../packages/${name}` })),
      ],
    }),
  };
}

/** Names of this repository's packages among the dependencies, without scope. */
const internal = (dependencies = {}) =>
  Object.keys(dependencies)
    .map((name) => /^@tgo\/(.*)$/.exec(name)?.[1])
    .filter((name) => name in PACKAGES)
    .sort();
