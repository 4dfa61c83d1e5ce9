import { spawn, execFile, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyImage } from "@tgo/image";
import { attachArtifact, copyImage, Registry } from "@tgo/registry";
import { BOTH_PLATFORMS, MemoryRegistry, serveMemory, stageImage, startRegistry } from "@tgo/testing";
import type { Program } from "./programs.js";

interface Running {
  readonly host: string;
  readonly stop: () => Promise<void>;
}

/** The registries that the client is tried on, and the conformance program. */
function registries(programs: Readonly<Record<Program, string>>): Record<string, () => Promise<Running>> {
  return {
    "docker-registry 2.8.2": () => startRegistry({ auth: "none" }),
    "distribution 3.1.2": () => startDistribution(programs.registry),
    "go-containerregistry 0.22.1": () =>
      startProgram(programs["ggcr-registry"], (port) => [`127.0.0.1:${port}`]),
    "our registry in memory": () => serveMemory(new MemoryRegistry("localhost")),
  };
}

async function startDistribution(program: string): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-distribution-"));
  const file = join(folder, "config.yml");
  const started = await startProgram(program, async (port) => {
    const config = {
      version: "0.1",
      storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}` },
    };
    // JSON is YAML.
    await writeFile(file, JSON.stringify(config));
    return ["serve", file];
  });
  return {
    ...started,
    stop: async () => {
      await started.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startProgram(
  program: string,
  args: (port: number) => string[] | Promise<string[]>,
): Promise<Running> {
  const port = await freePort();
  const child = spawn(program, await args(port), { stdio: "ignore" });
  await isListening(child, port);
  return {
    host: `localhost:${port}`,
    stop: async () => {
      child.kill();
      if (child.exitCode === null) await new Promise((resolve) => child.once("close", resolve));
    },
  };
}

async function isListening(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (child.exitCode !== null) throw new Error(`the registry ended with ${child.exitCode}`);
    const found = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
    if (found !== undefined) return;
    await sleep(100);
  }
  throw new Error("the registry does not listen");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** Pushes, copies, verifies and annotates an image, as a release does. */
async function tryClient(host: string): Promise<void> {
  const registry = new Registry({ host });
  const variants = BOTH_PLATFORMS.map((platform) => ({ platform }));
  const { digest } = await stageImage(registry, "judges/from", "1", variants);
  const [from, to] = ["judges/from", "judges/to"].map((repository) => ({ registry, repository }));
  if (from === undefined || to === undefined) throw new Error("no repository");
  await copyImage({ from, to, digest, tag: "1" });
  const target = { name: "here", registry, repository: "judges/to", reference: "1" };
  const { ok, targets } = await verifyImage({ targets: [target], platforms: BOTH_PLATFORMS, elf: true });
  if (!ok) throw new Error(targets.flatMap(({ problems }) => problems.map(({ what }) => what)).join("; "));
  const { descriptor } = await registry.manifest("judges/to", digest);
  await attachArtifact({ registry, repository: "judges/to" }, descriptor, {
    type: "application/vnd.example.note",
    content: Buffer.from("checked"),
  });
}

/**
 * Tries the client on each registry, and counts what the conformance program finds there.
 * @returns failures of the client
 */
export async function judgeRegistries(
  programs: Readonly<Record<Program, string>>,
  print: (text: string) => void,
): Promise<string[]> {
  const failures: string[] = [];
  const rows: string[] = [];
  for (const [name, start] of Object.entries(registries(programs))) {
    const { host, stop } = await start();
    try {
      const client = await tryClient(host).then(
        () => "works",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (client !== "works") failures.push(`${name}: ${client}`);
      rows.push(`| ${name} | ${client} | ${await conformance(programs.conformance, host)} |`);
    } finally {
      await stop();
    }
  }
  print(["| registry | client | conformance |", "| --- | --- | --- |", ...rows].join("\n"));
  return failures;
}

/** How many tests of the conformance program pass, of those that the registry is not excused from. */
async function conformance(program: string, host: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-conformance-"));
  try {
    const env = {
      ...process.env,
      OCI_ROOT_URL: `http://${host}`,
      OCI_NAMESPACE: "conformance/one",
      OCI_CROSSMOUNT_NAMESPACE: "conformance/two",
      OCI_TEST_PULL: "1",
      OCI_TEST_PUSH: "1",
      OCI_TEST_CONTENT_DISCOVERY: "1",
      OCI_TEST_CONTENT_MANAGEMENT: "1",
    };
    await new Promise((resolve) => {
      // It fails with any test; its report is what counts.
      execFile(program, [], { env, cwd: folder, timeout: 120_000, maxBuffer: 1 << 28 }, resolve);
    });
    const report = await readFile(join(folder, "results/junit.xml"), "utf8");
    const [tests = 0, failures = 0, skipped = 0, disabled = 0] = [
      "tests",
      "failures",
      "skipped",
      "disabled",
    ].map((name) => Number(new RegExp(`^<testsuites .*?\\b${name}="(\\d+)"`).exec(report)?.[1]));
    const counted = tests - skipped - disabled;
    return `${counted - failures} of ${counted} tests`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
