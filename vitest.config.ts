import { readFile } from "node:fs/promises";
import { defineConfig, type Plugin } from "vitest/config";
import { bundleTools } from "./scripts/bundle.mjs";

/** Imports of scripts, tool locks and the container tools as text, as in scripts/bundle.mjs. */
const text: Plugin = {
  name: "tgo-text",
  enforce: "pre",
  resolveId: (id) => (id === "tgo:tools" ? id : undefined),
  load: async (id) => {
    const content = id === "tgo:tools" ? await bundleTools() : undefined;
    const file = /\.(py|sh|txt)$/.test(id) ? await readFile(id, "utf8") : undefined;
    const found = content ?? file;
    return found === undefined ? undefined : `export default ${JSON.stringify(found)}`;
  },
};

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [text],
        test: {
          name: "unit",
          include: [
            "apps/*/test/**/*.test.ts",
            "packages/*/test/**/*.test.ts",
            "pipelines/*/test/**/*.test.ts",
            "bench/test/**/*.test.ts",
            "scripts/test/**/*.test.mjs",
          ],
          testTimeout: 20_000,
        },
      },
      {
        // Real registries, real images, a real engine.
        plugins: [text],
        test: {
          name: "integration",
          include: ["{apps,packages}/*/test/**/*.test.itg.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
        },
      },
      {
        // The product as users run it.
        plugins: [text],
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.e2e.ts"],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
