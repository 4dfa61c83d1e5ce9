import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { engineMirrors } from "../src/engine-mirrors.js";

it("tells the local engine the mirrors of images, and the package indexes that build steps may reach", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tgo-mirrors-"));
  try {
    const mirrors = {
      images: { "docker.io": "localhost:1/hub", "ghcr.io": "localhost:2" },
      ...{ npm: "http://localhost:4873/", debian: 7 },
    };
    writeFileSync(join(folder, "catalog.json"), JSON.stringify({ mirrors }));
    const flags = [
      "docker.io=localhost:5000",
      "pypi=http://localhost:3141/simple",
      "debian=file:///etc",
      "nothing",
      "quay.io=http://localhost:6/",
    ];
    const values = new Map<string, string | string[]>([
      ["catalog", "catalog.json"],
      ["mirror", flags],
    ]);
    expect(await engineMirrors(values, folder)).toEqual({
      images: { "docker.io": "localhost:5000", "ghcr.io": "localhost:2" },
      indexes: ["http://localhost:4873/", "http://localhost:3141/simple"],
    });
    expect(await engineMirrors(new Map(), folder)).toEqual({ images: {}, indexes: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
