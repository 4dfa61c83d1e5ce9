/** Holds imports to scripts/import-table.mjs. Run by `npm run lint`. */
import { PACKAGES, SDK, SHELLS, TESTS, USERS_OF_TESTING } from "./scripts/import-table.mjs";

const NAMES = Object.keys(PACKAGES);
const FOLDERS = "packages|apps|pipelines/tgo|pipelines/multiarch|pipelines/services";

/** The rows of the table for one package: its sources, its tests, and whether it may know Dagger. */
function rowsOf(folder, { may, sdk = false }) {
  const [, name] = folder.split("/");
  const others = NAMES.filter((other) => other !== name && !may.includes(other));
  const forTests = ["testing", ...(TESTS[name] ?? [])];
  const sources = { path: `^${folder}/`, pathNot: `^${folder}/test/` };
  const anyOf = (names) => `^packages/(${names.join("|")})/`;
  const rows = [
    {
      name: `imports-of-${name}`,
      comment: `${folder} may import ${may.join(", ") || "no other package"} (scripts/import-table.mjs)`,
      from: sources,
      to: { path: anyOf(others) },
    },
    {
      name: `imports-of-tests-of-${name}`,
      comment: `tests of ${folder} may also import ${forTests.join(", ")} (scripts/import-table.mjs)`,
      from: { path: `^${folder}/test/` },
      to: { path: anyOf(others.filter((other) => !forTests.includes(other))) },
    },
  ];
  if (!sdk)
    rows.push({
      name: `no-dagger-in-${name}`,
      comment: `${SDK} is for builders, what imports builders, and tests`,
      from: sources,
      to: { path: `^node_modules/${SDK}/` },
    });
  return rows.map((row) => ({ severity: "error", ...row }));
}

/** The files of a package that others may import. */
const INDEX =
  "^(packages/[^/]+/src/index[.]ts|pipelines/tgo/(src/index[.]ts|lib/core[.]js|module-api[.]json)|pipelines/services/[^/]+/service[.]json)$";

export default {
  forbidden: [
    {
      name: "no-circle",
      severity: "error",
      comment: "files import each other, types included: move what both need into a third file",
      // Parts of a bundle: a loader and what it loads.
      from: { pathNot: "^pipelines/[^/]+/lib/" },
      to: { circular: true },
    },
    ...NAMES.flatMap((name) => rowsOf(`packages/${name}`, PACKAGES[name])),
    ...Object.entries(SHELLS).flatMap(([folder, shell]) => rowsOf(folder, shell)),
    {
      name: "past-an-index",
      severity: "error",
      comment: "another package is imported by its name, never by a file inside it",
      from: { path: "^((?:packages|apps)/[^/]+|pipelines/(?:tgo|multiarch)|pipelines/services/[^/]+)/" },
      to: {
        path: `^(${FOLDERS})/`,
        pathNot: ["^$1/", INDEX],
      },
    },
    {
      name: "past-an-index-from-outside",
      severity: "error",
      comment: "another package is imported by its name, never by a file inside it",
      from: { pathNot: "^(packages|apps|pipelines)/" },
      to: { path: `^(${FOLDERS})/`, pathNot: INDEX },
    },
    {
      name: "not-for-packages",
      severity: "error",
      comment: "packages, apps and pipelines import nothing from the folders that use them",
      from: { path: "^(packages|apps|pipelines)/", pathNot: "/test/" },
      to: { path: `^(${USERS_OF_TESTING.join("|")})/` },
    },
    {
      name: "unknown-module",
      severity: "error",
      comment: "the import leads nowhere",
      from: {},
      to: { couldNotResolve: true, pathNot: "^tgo:" },
    },
    {
      name: "undeclared-library",
      severity: "error",
      comment: "a library is declared in the package.json of the package that imports it",
      from: { path: "^(packages|apps)/[^/]+/src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "npm-dev"] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    preserveSymlinks: false,
    combinedDependencies: false,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(examples|e2e/fixtures|apps/[^/]+/dist|pipelines/[^/]+/sdk)/|/[.]cache/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      mainFields: ["module", "main", "types"],
    },
  },
};
