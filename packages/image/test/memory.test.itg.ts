import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { tarHeader } from "./tar-header.js";

const run = promisify(execFile);
const MB = 1024 * 1024;
const CHUNKS = 128;

/** In MB; also on Node 22 and newer, where garbage of buffers would pile up. */
const LIMIT = 150;

/** A gzip layer with one incompressible file of 1 GiB, in members of 8 MiB; generated as it is read. */
function* layer(chunk: Buffer, member: Buffer): Generator<Buffer> {
  yield gzipSync(tarHeader({ name: "opt/model.bin", size: CHUNKS * chunk.length }));
  for (let at = 0; at < CHUNKS; at++) yield member;
  yield gzipSync(Buffer.alloc(1024));
}

async function send(response: ServerResponse, parts: Iterable<Buffer>): Promise<void> {
  for (const part of parts) if (!response.write(part)) await once(response, "drain");
  response.end();
}

test(`a layer of 1 GiB is read, checked and scanned in less than ${LIMIT} MB, by the bundle that a module carries`, async () => {
  const chunk = randomBytes(8 * MB);
  const member = gzipSync(chunk, { level: 1 });
  const hash = createHash("sha256");
  let size = 0;
  for (const part of layer(chunk, member)) {
    hash.update(part);
    size += part.length;
  }
  const digest = `sha256:${hash.digest("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), "tgo-memory-"));
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/octet-stream" });
    void send(response, layer(chunk, member));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const bundle = join(folder, "scan.mjs");
    await build({
      stdin: {
        resolveDir: import.meta.dirname,
        contents: `
          import { Registry } from "@tgo/registry";
          import { scanLayers } from "../src/index.js";
          const [host, digest, size] = process.argv.slice(2);
          const registry = new Registry({ host });
          const started = performance.now();
          const before = process.resourceUsage().maxRSS;
          const open = () => registry.blob("t/app", { digest, size: Number(size) });
          const report = await scanLayers([{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", open }], "linux/amd64");
          console.log(JSON.stringify({ report, before, peak: process.resourceUsage().maxRSS, seconds: (performance.now() - started) / 1000 }));`,
      },
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: bundle,
      logLevel: "error",
    });
    const { stdout } = await run(process.execPath, [
      bundle,
      `127.0.0.1:${(server.address() as AddressInfo).port}`,
      digest,
      String(size),
    ]);
    const { report, before, peak, seconds } = JSON.parse(stdout) as {
      report: unknown;
      before: number;
      peak: number;
      seconds: number;
    };
    console.log(
      `1 GiB layer: ${Math.round(peak / 1024)} MB at most (${Math.round(before / 1024)} MB before), ${seconds.toFixed(1)} s`,
    );
    expect(report).toMatchObject({ files: 1, elf: 0, machines: {}, foreign: [] });
    expect(peak / 1024).toBeLessThan(LIMIT);
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});
