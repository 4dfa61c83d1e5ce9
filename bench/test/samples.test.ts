import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyOverride } from "@tgo/catalog";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dockerfileBases } from "../src/bases.js";
import { editSource } from "../src/edit.js";
import { declaredArgs, findSamples } from "../src/samples.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-bench-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, content = ""): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), content);
}

const catalog = applyOverride({
  services: {
    shop: { title: "Shop", build: { strategy: "python" } },
    pages: { title: "Pages", build: { strategy: "static-web" } },
    other: { title: "Other", build: { strategy: "python" } },
  },
});

describe("the services to measure", () => {
  it("are those of the catalog that have a folder, with or without repos/", async () => {
    await put("shop/Dockerfile");
    await put("repos/pages/package.json");
    await put("stranger/pyproject.toml");
    const found = findSamples(catalog, [], folder);
    expect(found.map(({ name, hasDockerfile }) => [name, hasDockerfile])).toEqual([
      ["shop", true],
      ["pages", false],
    ]);
  });

  it("must exist if they are named", async () => {
    await put("shop/pyproject.toml");
    expect(() => findSamples(catalog, ["other"], folder)).toThrow("no source for other");
    expect(() => findSamples(catalog, ["shpo"], folder)).toThrow("shop");
  });
});

describe("an edit", () => {
  it("changes the main source file, not a test or a migration", async () => {
    for (const path of [
      "app/__init__.py",
      "app/main.py",
      "tests/main.py",
      "migrations/main.py",
      "setup.py",
    ]) {
      await put(path, "x = 1\n");
    }
    expect(await editSource(folder, "python", "round 2")).toBe("app/main.py");
    expect(await readFile(join(folder, "app/main.py"), "utf8")).toBe('x = 1\n\nEDITED = "round 2"\n');
    expect(await readFile(join(folder, "tests/main.py"), "utf8")).toBe("x = 1\n");
  });

  it("of pages changes code that is part of the bundle", async () => {
    await put("src/main.tsx", "render();\n");
    await put("vite.config.ts");
    await put("node_modules/a/main.ts");
    expect(await editSource(folder, "static-web", "round 1")).toBe("src/main.tsx");
    expect(await readFile(join(folder, "src/main.tsx"), "utf8")).toContain('console.info("edited round 1")');
  });
});

describe("the bases of a Dockerfile", () => {
  it("are the images in FROM and COPY --from, with host and tag, without its own stages", () => {
    const text = [
      "ARG BUILDPLATFORM=linux/amd64",
      "ARG BASE=python:3.11-slim",
      "FROM --platform=$BUILDPLATFORM node:20-alpine AS build",
      "FROM build AS test",
      "FROM ${BASE}",
      "COPY --from=ghcr.io/someone/tool /tool /tool",
      "COPY --from=build /dist /dist",
    ].join("\n");
    expect(dockerfileBases(text, "linux/amd64")).toEqual([
      "docker.io/library/node:20-alpine",
      "docker.io/library/python:3.11-slim",
      "ghcr.io/someone/tool:latest",
    ]);
  });
});

describe("build arguments", () => {
  it("are passed to the Dockerfiles that declare them", async () => {
    await put("Dockerfile", "FROM scratch\nARG MIRROR=\n# ARG OTHER\n");
    expect(await declaredArgs({ folder }, { MIRROR: "a", OTHER: "b" })).toEqual({ MIRROR: "a" });
  });
});
