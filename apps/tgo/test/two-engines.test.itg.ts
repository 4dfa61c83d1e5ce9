import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@tgo/report";
import { startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onTwoEngines } from "./two-engines.js";

const SAMPLES = fileURLToPath(new URL("../../../examples/repos", import.meta.url));
/** By hand also samples, such as tgo-api,tgo-web: on a machine that is emulated as a whole, they take many minutes. */
const SERVICES = (process.env.TGO_TEST_SERVICES ?? "tiny").split(",");
const LIMIT_MS = process.env.TGO_TEST_SERVICES === undefined ? 300_000 : 3_600_000;
const DOCKERFILE = "FROM docker.io/library/node:20-alpine\nRUN uname -m\nCOPY Dockerfile /Dockerfile\n";
const TWO = ["--engine", "linux/amd64=local", "--engine", "linux/arm64=local"];

let folder: string;
let source: string;
let mirror: LocalRegistry;
let registry: LocalRegistry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-two-engines-"));
  source = SERVICES.includes("tiny") ? join(folder, "source") : SAMPLES;
  await mkdir(join(folder, "source"));
  await writeFile(join(folder, "source/Dockerfile"), DOCKERFILE);
  [mirror, registry] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startRegistry({ auth: "none" }),
  ]);
});

afterAll(async () => {
  await Promise.all([mirror, registry].map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

/** @param repository a prefix: under another one, nothing is found */
async function publish(
  repository: string,
  engines: readonly string[],
): Promise<{ readonly code: number; readonly stderr: string; readonly report: Report | undefined }> {
  const catalog = join(folder, `${repository}.json`);
  const only = { host: registry.host, repository: `${repository}/{service}`, referrers: true };
  const registries = { ghcr: null, dockerhub: null, acr: null, open: only };
  const services = { tiny: { title: "Tiny", build: { strategy: "dockerfile" } } };
  const mirrors = { images: { "docker.io": mirror.host } };
  await writeFile(catalog, JSON.stringify({ registries, mirrors, services }));
  const args = ["publish", "--service", SERVICES.join(","), "--source", source, "--format", "json"];
  const { code, stdout, stderr } = await onTwoEngines(folder, [...args, "--catalog", catalog, ...engines]);
  return { code, stderr, report: stdout === "" ? undefined : (JSON.parse(stdout) as Report) };
}

describe("publish with an engine for each platform", () => {
  it(
    "gives the digest of one engine, and says where each platform ran, and how",
    async () => {
      const one = await publish("one", ["--engine", "local"]);
      const { report, stderr, code } = await publish("two", TWO);
      if (code !== 0) console.error(stderr.slice(-4000));
      expect(report?.services.map(({ service, state, digest }) => [service, state, digest])).toEqual(
        one.report?.services.map(({ service, digest }) => [service, "published", digest]),
      );
      for (const { variants, notes } of report?.services ?? []) {
        expect(variants.map(({ platform, smoke }) => [platform, smoke?.native, smoke?.engine])).toEqual([
          ["linux/amd64", true, "local"],
          ["linux/arm64", false, "local"],
        ]);
        expect(notes.filter((note) => note.startsWith("linux/"))).toEqual([
          "linux/amd64: ran natively on local",
          expect.stringMatching(/^linux\/arm64: ran under emulation by QEMU [\d.]+ on local$/),
        ]);
      }
      expect(report?.engine).toBe("local engine: linux/amd64 on local, linux/arm64 on local");
    },
    LIMIT_MS,
  );
});
