import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "**/dist/**",
      "**/.cache/**",
      "**/node_modules/**",
      "pipelines/*/lib/**",
      "pipelines/*/sdk/**",
      "examples/**",
    ],
  },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    // Each file is read by the project nearest to it, with the declarations of the projects it refers to.
    languageOptions: { parserOptions: { project: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    // Programs of the host get nothing of the caller's environment; the command of a cmd: secret is the caller's own.
    files: ["packages/local-engine/src/**/*.ts"],
    ignores: [
      "packages/local-engine/src/host-process.ts",
      "packages/local-engine/src/api/resolvers/secret.ts",
    ],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          name: "node:child_process",
          allowTypeImports: true,
          message: "Start it with startHostProcess or runHostCommand.",
        },
      ],
    },
  },
  {
    files: ["pipelines/tgo/**/*.ts"],
    languageOptions: { parserOptions: { project: "pipelines/tgo/tsconfig.host.json" } },
  },
  {
    files: ["vitest.config.ts"],
    languageOptions: { parserOptions: { project: "scripts/tsconfig.json" } },
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", Buffer: "readonly", URL: "readonly" },
    },
  },
);
