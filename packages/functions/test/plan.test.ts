import { applyOverride } from "@tgo/catalog";
import { describe, expect, it } from "vitest";
import { describePlan, describeServices } from "../src/describe-plan.js";

const catalog = applyOverride({
  services: {
    web: {
      title: "Web",
      build: {
        strategy: "static-web",
        values: { VITE_URL: { default: "/api" }, VITE_VERSION: { default: "{version}" }, VITE_KEY: {} },
      },
      smoke: { http: [{ port: 80, path: "/" }] },
    },
    api: { title: "API", build: { strategy: "python" } },
  },
});

const described = (change: Partial<Parameters<typeof describePlan>[0]>): string =>
  describePlan({ catalog, names: ["web"], platforms: undefined, format: "text", pins: {}, ...change });

describe("plan and services", () => {
  it("name bases, checks and every registry, as text, Markdown and JSON", () => {
    const text = described({ platforms: ["linux/arm64"] });
    expect(text).toContain("nginx:alpine: not pinned");
    for (const part of ["linux/arm64", "nginx:alpine", "GET :80/ is 200", "ghcr.io/tgoai/tgo-deploy/web"]) {
      expect(text).toContain(part);
    }
    expect(described({ format: "markdown" })).toContain("| registry |");
    const json = JSON.parse(described({ names: ["all"], format: "json" })) as {
      plan: { service: string }[];
    };
    expect(json.plan.map(({ service }) => service)).toEqual(["web", "api"]);
    const digest = `sha256:${"ab".repeat(32)}`;
    const pins = { "docker.io/library/nginx:alpine": digest };
    expect(described({ pins })).toContain(`nginx:alpine: pinned to ${digest}`);
    expect(JSON.parse(described({ format: "json", pins }))).toMatchObject({
      plan: [
        {
          bases: [
            { name: "docker.io/library/node:20-alpine", digest: null },
            { name: "docker.io/library/nginx:alpine", digest },
          ],
        },
      ],
    });
    expect(describeServices(catalog, "text")).toMatch(/api +python/);
  });
});
