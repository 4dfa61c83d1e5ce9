import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "@tgo/report";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  reportOf,
  SAMPLES,
  type EngineName,
  type Harness,
} from "./harness.js";

const SERVICES = ["tgo-api", "tgo-web"];
const PLATFORMS = ["linux/amd64", "linux/arm64"];

/** The local engine replaces Dagger's: its images must be identical, down to the owner of every file. */
describe.skipIf(!hasEngine("dagger"))("both engines", () => {
  const harnesses = new Map<EngineName, Harness>();
  const reports = new Map<EngineName, Report>();

  beforeAll(async () => {
    for (const engine of ENGINES) {
      const harness = await createHarness(engine);
      harnesses.set(engine, harness);
      const args = ["publish", "--service", SERVICES.join(","), "--source", SAMPLES, "--format", "json"];
      reports.set(engine, reportOf(await harness.run(args)));
    }
  });
  afterAll(() => Promise.all([...harnesses.values()].map((harness) => harness.close())));

  it("produce the same report, except for digests, sizes and durations", () => {
    const [local, dagger] = ENGINES.map((engine) => comparable(reports.get(engine), harnesses.get(engine)));
    expect(local).toEqual(dagger);
  });

  const images = SERVICES.flatMap((service) => PLATFORMS.map((platform) => [service, platform] as const));

  it.each(images)("produce the same files and configuration of %s for %s", async (service, platform) => {
    const [local, dagger] = await Promise.all(
      ENGINES.map(async (engine) => {
        const tag = reports.get(engine)?.services.find((row) => row.service === service)?.tag ?? "";
        const host = harnesses.get(engine)?.registries.open.host ?? "";
        return contents(`docker://${host}/tgoai/${service}:${tag}`, platform);
      }),
    );
    expect(local?.config).toEqual(dagger?.config);
    expect(local?.files.filter((line) => !dagger?.files.includes(line))).toEqual([]);
    expect(dagger?.files.filter((line) => !local?.files.includes(line))).toEqual([]);
    expect(local?.files.length).toBeGreaterThan(1000);
  });
});

/** A report without what may differ: engine, times, digests, sizes, ports of the registries, and how to call it again. */
function comparable(report: Report | undefined, harness: Harness | undefined): unknown {
  const hosts = Object.entries(harness?.registries ?? {}).map(([name, { host }]) => [host, name] as const);
  const text = JSON.stringify(report, (key, value: unknown) =>
    ["engine", "began", "digest", "size", "durationMs", "uploaded"].includes(key) ? undefined : value,
  );
  const same = text
    .replaceAll(harness?.folder ?? "", "FOLDER")
    .replaceAll(/--engine (?:local|dagger)/g, "--engine NAME");
  return JSON.parse(hosts.reduce((result, [host, name]) => result.replaceAll(host, name), same)) as unknown;
}

/** An image as buildah and skopeo see it: its configuration, and one line per file. */
async function contents(image: string, platform: string): Promise<{ config: unknown; files: string[] }> {
  const [, architecture = ""] = platform.split("/");
  const inspect = [
    "inspect",
    "--config",
    "--raw",
    "--tls-verify=false",
    "--override-arch",
    architecture,
    image,
  ];
  const config = JSON.parse((await execute("skopeo", inspect)).stdout) as Record<string, unknown>;
  const name = `tgo-e2e-${createHash("sha256")
    .update(image + platform)
    .digest("hex")
    .slice(0, 12)}`;
  await execute("buildah", ["from", "--name", name, "--tls-verify=false", "--platform", platform, image]);
  try {
    const root = (await execute("buildah", ["mount", name])).stdout.trim();
    // Layer digests differ with the engines' compression and folder timestamps.
    return { config: { ...config, rootfs: undefined }, files: await list(root, "") };
  } finally {
    await execute("buildah", ["rm", name]);
  }
}

async function list(root: string, path: string): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(join(root, path))).sort()) {
    const entry = join(path, name);
    const file = join(root, entry);
    const info = await lstat(file);
    const attributes = `${entry} ${(info.mode & 0o7777).toString(8)} ${info.uid}:${info.gid}`;
    if (info.isSymbolicLink()) lines.push(`${attributes} -> ${await readlink(file)}`);
    else if (info.isDirectory()) lines.push(`${attributes} directory`, ...(await list(root, entry)));
    else if (info.isFile())
      lines.push(
        `${attributes} ${createHash("sha256")
          .update(await readFile(file))
          .digest("hex")}`,
      );
  }
  return lines;
}
