import { readFile } from "node:fs/promises";
import { applyOverride, registryRepository } from "@tgo/catalog";
import { describe, expect, it } from "vitest";
import { BUILT_IN } from "../lib/core.js";
import surface from "../module-api.json";

describe("the built-in catalog", () => {
  const catalog = applyOverride(BUILT_IN);

  it("ships TGO's six services for both platforms", () => {
    expect(Object.keys(catalog.services)).toEqual([
      "tgo-api",
      "tgo-ai",
      "tgo-platform",
      "tgo-rag",
      "tgo-web",
      "tgo-widget-app",
    ]);
    expect(catalog.platforms).toEqual(["linux/amd64", "linux/arm64"]);
  });

  it("publishes where TGO's users pull from", () => {
    const addresses = Object.values(catalog.registries).map((registry) => {
      const { host, repository } = registryRepository(registry, "tgo-api");
      return `${host}/${repository}`;
    });
    expect(addresses).toEqual([
      "ghcr.io/tgoai/tgo-deploy/tgo-api",
      "docker.io/tgoai/tgo-api",
      "registry.cn-shanghai.aliyuncs.com/tgoai/tgo-api",
    ]);
  });

  it.each(Object.entries(catalog.services))("asks %s for an answer on a port it exposes", (_, service) => {
    expect(service.smoke.http.length).toBeGreaterThan(0);
    for (const { port } of service.smoke.http) expect(service.image.ports).toContain(port);
  });
});

describe("the module's surface", () => {
  it("has these functions with these flags", () => {
    const flags = (list: { flag: string; optional: boolean }[]): string[] =>
      list.map(({ flag, optional }) => (optional ? `[${flag}]` : flag));
    const moves = ["[allow-backwards]", "[adopt-latest]"];
    const signing = ["[signing-key]", "[signing-key-password]", "[identity-token]"];
    const about = ["[source]", "[revision]", "[created]", "[value]"];
    expect(flags(surface.constructor.arguments)).toEqual([
      ...["[catalog]", "[registry]", "[registry-service]", "[platform]", "[base-lock]", "[mirror]"],
      ...["[docker-config]", "[ca-bundle]", "[netrc]", "[npmrc]", "[build-secrets]"],
      ...["[trusted-key]", "[trusted-identity]", "[trusted-root]", "[repos]"],
    ]);
    expect(
      Object.fromEntries(surface.functions.map((each) => [each.command, flags(each.arguments)])),
    ).toEqual({
      services: ["[format]"],
      plan: ["service", "[format]"],
      "lock-bases": ["[service]"],
      build: ["service", ...about],
      smoke: ["service", ...about, "[full-smoke]", "[strict-parity]", "[format]"],
      publish: ["service", ...about, "[version]", "[strict-parity]", "[full-smoke]", ...signing, "[format]"],
      preflight: ["[service]", "[version]", "[git-tag]", ...about, "[format]"],
      release: [
        ...["[service]", "[version]", "[git-tag]", ...about, ...moves, "[full-smoke]", "[strict-parity]"],
        ...[...signing, "[format]"],
      ],
      promote: ["version", "[service]", ...moves, "[format]"],
      status: ["[service]", "[format]"],
      watch: ["[service]", "[format]"],
      prune: ["[service]", "[days]", "[keep]", "[undated]", "[remove]", "[format]"],
      verify: [
        ...["[reference]", "[service]", "[tag]", "[elf]", "[strict-parity]", "[fast]"],
        ...[...about, "[format]"],
      ],
      inspect: ["reference", "[contents]", "[format]"],
      tags: ["reference", "[digest]", "[format]"],
      diff: ["reference", "[semantic]", "[format]"],
      combine: ["reference", "to", "[annotation]", "[adopt-latest]", "[dry-run]", "[format]"],
      sbom: ["reference", "[scan]", "[format]"],
      reproduce: ["reference", "[provenance]", "[source]", "[format]"],
      export: ["reference"],
      import: ["layout", "to", "[name]", "[adopt-latest]", "[format]"],
    });
  });

  it("explains every function, every argument and every value, in a first line that is whole: Dagger lists that alone", () => {
    const texts = [
      surface.description,
      ...surface.constructor.arguments.map(({ description }) => description),
      ...surface.functions.flatMap((each) => [
        each.description,
        ...each.arguments.map(({ description }) => description),
      ]),
      ...Object.values(surface.enums).flatMap((each) => each.values.map(({ description }) => description)),
    ];
    for (const text of texts) {
      const [first = ""] = text.split("\n");
      expect(first.length).toBeGreaterThan(10);
      expect(first).toMatch(/\.$/);
    }
  });

  it("says in every function's help where the constructor's flags go", () => {
    for (const { description } of surface.functions) {
      expect(description).toContain("the constructor's flags come before the function's name");
    }
  });

  it("never answers from a cache where the answer depends on a registry or a floating base", async () => {
    const source = await readFile(new URL("../src/index.ts", import.meta.url), "utf8");
    const cached = [...source.matchAll(/@func\(\)\s+async (\w+)/g)].map(([, name]) => name);
    expect(cached).toEqual(["services", "plan"]);
  });
});
