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
    const assembly = ["[assemble]", "[wait]", "[require-native]"];
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
      "build-variant": [
        ...["service", ...about, "[version]", "[git-tag]", "[require-native]", ...signing, "[format]"],
      ],
      publish: [
        ...["service", ...about, "[version]", "[strict-parity]", "[full-smoke]", ...assembly],
        ...[...signing, "[format]"],
      ],
      preflight: ["[service]", "[version]", "[git-tag]", ...about, "[format]"],
      release: [
        ...["[service]", "[version]", "[git-tag]", ...about, ...moves, "[full-smoke]", "[strict-parity]"],
        ...[...assembly, ...signing, "[format]"],
      ],
      promote: ["version", "[service]", ...moves, "[format]"],
      status: ["[service]", "[format]"],
      watch: ["[service]", "[format]"],
      prune: ["[service]", "[days]", "[keep]", "[undated]", "[format]"],
      "prune-apply": ["[service]", "[days]", "[keep]", "[undated]", "[format]"],
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

  it("has these for other modules and Dagger's checks, and none of them in the command", () => {
    const described = (functions: { command: string; arguments: { flag: string; optional: boolean }[] }[]) =>
      Object.fromEntries(
        functions.map((each) => [
          each.command,
          each.arguments.map(({ flag, optional }) => (optional ? `[${flag}]` : flag)),
        ]),
      );
    expect(described(surface.moduleFunctions)).toEqual({
      image: ["service"],
      "check-published": ["workspace"],
      "check-bases": ["workspace"],
      "check-smoke": ["workspace"],
      "refresh-bases": ["workspace"],
    });
    const { Image, Candidate, Release, Verification } = surface.objects;
    expect(described(Image.functions)).toEqual({
      "with-source": ["source", "[revision]", "[created]"],
      "with-registry": ["host", "repository", "[username]", "[password]"],
      "with-value": ["name", "value"],
      "with-platform": ["platform"],
      candidate: ["[version]"],
      release: ["version"],
      verification: ["[tag]"],
    });
    const exposed = (fields: { name: string; exposed?: boolean }[]): string[] =>
      fields.flatMap(({ name, exposed = false }) => (exposed ? [name] : []));
    expect(exposed(Image.fields)).toEqual([]);
    expect(exposed(Candidate.fields)).toEqual(["digest", "references", "key"]);
    expect(Object.keys(described(Candidate.functions))).toEqual(["variant", "report"]);
    expect(exposed(Release.fields)).toEqual(["version", "digest", "tags"]);
    expect(Object.keys(described(Release.functions))).toEqual(["record", "report"]);
    expect(exposed(Verification.fields)).toEqual(["ok", "problems", "digest"]);
    expect(Object.keys(described(Verification.functions))).toEqual(["report"]);
  });

  it("has no type with the name of one of Dagger's", async () => {
    const core = await readFile(
      new URL("../../../node_modules/@dagger.io/dagger/dist/src/api/client.gen.d.ts", import.meta.url),
      "utf8",
    );
    const taken = [...core.matchAll(/^export declare (?:class|enum) (\w+)/gm)].map(([, name]) => name);
    expect(taken).toContain("Container");
    for (const name of [...Object.keys(surface.objects), ...Object.keys(surface.enums)])
      expect(taken).not.toContain(name);
  });

  it("explains every function, every argument and every value, in a first line that is whole: Dagger lists that alone", () => {
    const texts = [
      surface.description,
      ...surface.constructor.arguments.map(({ description }) => description),
      ...[
        ...surface.functions,
        ...surface.moduleFunctions,
        ...Object.values(surface.objects).flatMap(({ functions }) => functions),
      ].flatMap((each) => [each.description, ...each.arguments.map(({ description }) => description)]),
      ...Object.values(surface.objects).map(({ description }) => description),
      ...Object.values(surface.enums).flatMap((each) => each.values.map(({ description }) => description)),
    ];
    for (const text of texts) {
      const [first = ""] = text.split("\n");
      expect(first.length).toBeGreaterThan(10);
      expect(first).toMatch(/\.$/);
    }
  });

  it("says in every function's help where the constructor's flags go", () => {
    for (const { description } of [...surface.functions, ...surface.moduleFunctions]) {
      expect(description).toContain("the constructor's flags come before the function's name");
    }
  });

  it("never answers from a cache where the answer depends on a registry or a floating base", async () => {
    const source = await readFile(new URL("../src/index.ts", import.meta.url), "utf8");
    const objects = await readFile(new URL("../src/image.ts", import.meta.url), "utf8");
    const once = [...objects.matchAll(/@func\(\{ cache: "session" \}\)\s+async (\w+)/g)].map(
      ([, name]) => name,
    );
    expect(once).toEqual(["candidate", "release", "verification", "variant"]);
    const cached = [...source.matchAll(/@func\(\)\s+(?:async )?(\w+)/g)].map(([, name]) => name);
    expect(cached).toEqual(["services", "plan", "image"]);
  });
});
