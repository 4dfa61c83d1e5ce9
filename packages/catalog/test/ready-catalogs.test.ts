import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { applyOverride, parseOverrideFile, registryRepository } from "../src/index.js";

const TGO_SERVICES = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];

it("catalogs/tgo-2026.json is TGO as its compose files pull it, and keeps the old address of every image", async () => {
  const file = "catalogs/tgo-2026.json";
  const text = await readFile(new URL(`../../../${file}`, import.meta.url), "utf8");
  const builtIn = TGO_SERVICES.map((name) => [name, { title: name, build: { strategy: "python" } }]);
  const catalog = applyOverride(
    { services: Object.fromEntries(builtIn) as unknown },
    parseOverrideFile(text, file),
    file,
  );
  const repositories = (registry: string): string[] =>
    Object.keys(catalog.services).map((service) => {
      const found = catalog.registries[registry];
      if (found === undefined) throw new Error(`no registry ${registry}`);
      const { host, repository } = registryRepository(found, service);
      return `${host}/${repository}`;
    });

  const shipped = [
    ...["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web"],
    ...["tgo-widget-js", "tgo-workflow", "tgo-device-control", "tgo-plugin-runtime"],
  ];
  expect(repositories("ghcr")).toEqual(shipped.map((name) => `ghcr.io/tgoai/tgo/${name}`));
  expect(repositories("dockerhub")).toEqual(shipped.map((name) => `docker.io/tgoai/${name}`));
  expect(repositories("ghcr-deploy")).toEqual(
    expect.arrayContaining(TGO_SERVICES.map((name) => `ghcr.io/tgoai/tgo-deploy/${name}`)),
  );
  expect(catalog.registries["ghcr-deploy"]?.required).toBe(false);
  expect(catalog.release.alias).toBe("v{version}");
});
