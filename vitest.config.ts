import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts", "pipelines/*/test/**/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        // Real registries, real images, a real engine.
        test: {
          name: "integration",
          include: ["packages/*/test/**/*.test.itg.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.e2e.ts"],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
