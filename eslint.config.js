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
      // Modules of others: what Dagger generates for them is not here.
      "pipelines/*/examples/**",
    ],
  },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    // One project for all files: a run over several packages reads each source and each library once.
    languageOptions: { parserOptions: { project: "tsconfig.json", tsconfigRootDir: import.meta.dirname } },
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
    files: ["**/*.{js,mjs}"],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", Buffer: "readonly", URL: "readonly" },
    },
  },
);
