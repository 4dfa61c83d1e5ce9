/**
 * Compares the deep verification of an image, all its platforms, with `gzip -t` of the same layers one after the other.
 *
 * npx tsx --import ./scripts/text-loader.mjs bench/read.ts localhost:5001/tgoai/tgo-api:1.2.3 [ROUNDS]
 *
 * Ours is a new process each time, which reads the layers from the registry; gzip reads them from files in memory. Both
 * take turns. Printed are wall-clock and processor seconds of the whole processes, and the peak of memory of ours.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { isIndex, parseReference, Registry } from "@tgo/registry";
import { textPlugin } from "../scripts/bundle.mjs";
import { spreadOf } from "./src/statistics.js";

const OURS = `
  import { verifyImage } from "@tgo/image";
  import { parseReference, Registry } from "@tgo/registry";
  const { host, repository, tag, digest } = parseReference(process.argv[2]);
  const registry = new Registry({ host });
  const { ok, targets, variants } = await verifyImage({
    targets: [{ name: host, registry, repository, reference: digest ?? tag }],
    platforms: process.argv.slice(3),
    elf: true,
  });
  if (!ok) throw new Error(JSON.stringify(targets));
  console.log(JSON.stringify({ elf: variants.map(({ elf }) => elf.elf), kilobytes: process.resourceUsage().maxRSS }));
`;

const median = (values: readonly number[]): number => spreadOf(values)?.median ?? Number.NaN;

interface Run {
  readonly wall: number;
  readonly processor: number;
  readonly output: string;
}

/** Seconds of a whole process, measured by GNU time. */
function timed(command: string, args: readonly string[]): Run {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync("/usr/bin/time", ["-f", "%U %S", command, ...args], {
    encoding: "utf8",
  });
  const wall = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
  const [user = 0, system = 0] = stderr.trim().split("\n").at(-1)?.split(" ").map(Number) ?? [];
  return { wall, processor: user + system, output: stdout };
}

async function main([text = "", rounds = "7"]: readonly string[]): Promise<void> {
  const { host, repository, tag = "latest", digest } = parseReference(text);
  const registry = new Registry({ host });
  const { value: index } = await registry.manifest(repository, digest ?? tag);
  if (!isIndex(index)) throw new Error(`${text} is not an index`);
  const folder = mkdtempSync(join(tmpdir(), "tgo-read-"));
  try {
    const layers = new Map<string, { digest: string; size: number }>();
    const platforms: string[] = [];
    for (const child of index.manifests) {
      const { value } = await registry.manifest(repository, child.digest);
      if (isIndex(value) || child.platform === undefined) continue;
      platforms.push(`${child.platform.os}/${child.platform.architecture}`);
      for (const layer of value.layers) layers.set(layer.digest, layer);
    }
    const files: string[] = [];
    for (const layer of layers.values()) {
      const file = join(folder, `${layer.digest.replace(":", "-")}.gz`);
      await writeFile(file, await registry.blob(repository, layer));
      files.push(file);
    }
    const program = join(folder, "ours.mjs");
    await build({
      stdin: { resolveDir: import.meta.dirname, contents: OURS },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      outfile: program,
      plugins: [textPlugin],
      logLevel: "error",
    });
    const bytes = [...layers.values()].reduce((sum, { size }) => sum + size, 0);
    console.log(
      `${platforms.join(" and ")}: ${files.length} layers, ${(bytes / 1e6).toFixed(0)} MB compressed`,
    );
    const runs = { gzip: [] as Run[], ours: [] as Run[] };
    const gzip = `for file in ${folder}/*.gz; do gzip -t "$file"; done`;
    for (let round = 0; round < Number(rounds); round++) {
      runs.gzip.push(timed("sh", ["-c", gzip]));
      runs.ours.push(timed(process.execPath, [program, text, ...platforms]));
    }
    for (const key of ["wall", "processor"] as const) {
      const of = (name: "gzip" | "ours"): number[] => runs[name].map((run) => run[key]);
      const show = (name: "gzip" | "ours"): string =>
        `${name} ${median(of(name)).toFixed(2)} s (${of(name)
          .map((seconds) => seconds.toFixed(2))
          .join(", ")})`;
      const ratios = runs.gzip.map((run, at) => run[key] / (runs.ours[at]?.[key] ?? Number.NaN));
      console.log(
        `${key}: ${show("gzip")}, ${show("ours")}: ${median(ratios).toFixed(2)} times as fast, by rounds`,
      );
    }
    console.log(`ours says: ${runs.ours.at(-1)?.output.trim() ?? ""}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
