import { applyOverride } from "@tgo/catalog";
import { describe, expect, it } from "vitest";
import { describePlan, describeServices } from "../src/plan.js";

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

describe("plan and services", () => {
  it("name bases, checks and every registry, as text, Markdown and JSON", () => {
    const text = describePlan(catalog, ["web"], ["linux/arm64"], "text");
    expect(text).toContain("nginx:alpine: not pinned");
    for (const part of ["linux/arm64", "nginx:alpine", "GET :80/ is 200", "ghcr.io/tgoai/tgo-deploy/web"]) {
      expect(text).toContain(part);
    }
    expect(describePlan(catalog, ["web"], undefined, "markdown")).toContain("| registry |");
    const json = JSON.parse(describePlan(catalog, ["all"], undefined, "json")) as {
      plan: { service: string }[];
    };
    expect(json.plan.map(({ service }) => service)).toEqual(["web", "api"]);
    const digest = `sha256:${"ab".repeat(32)}`;
    const pins = { "docker.io/library/nginx:alpine": digest };
    expect(describePlan(catalog, ["web"], undefined, "text", pins)).toContain(
      `nginx:alpine: pinned to ${digest}`,
    );
    expect(JSON.parse(describePlan(catalog, ["web"], undefined, "json", pins))).toMatchObject({
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
