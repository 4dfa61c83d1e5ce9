import { Ajv2020 } from "ajv/dist/2020.js";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@tgo/report";
import { dockerConfig, startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testing";

export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
export const SAMPLES = join(ROOT, "examples/repos");

const TGO = [process.execPath, join(ROOT, "apps/tgo/bin/tgo.js")];
/** Where npm links `tgo`. */
const PROGRAMS = join(ROOT, "node_modules/.bin");

/** The engines every test runs on; Dagger's only if the environment points to one. */
export const ENGINES = ["local", "dagger"] as const;
export type EngineName = (typeof ENGINES)[number];

export function hasEngine(engine: EngineName): boolean {
  return engine === "local" || process.env._EXPERIMENTAL_DAGGER_RUNNER_HOST !== undefined;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Three real registries with different credentials, a mirror with base images, and settings for `tgo` to use them. */
export interface Harness {
  readonly folder: string;
  readonly registries: {
    readonly open: LocalRegistry;
    readonly basic: LocalRegistry;
    readonly bearer: LocalRegistry;
  };
  /** `localhost:PORT` of the registry with the base images. */
  readonly mirror: string;
  readonly catalogFile: string;
  readonly dockerConfigFile: string;
  /** The output of all commands so far. */
  readonly printed: () => string;
  readonly tgo: (args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  /** Runs `tgo` with this harness's catalog and credentials. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Outcome>;
  /** Runs a command line that was printed, such as `next` of a report, as it stands in a shell. */
  readonly paste: (line: string | undefined, options?: Pick<RunOptions, "env">) => Promise<Outcome>;
  /** Writes a catalog file: this harness's with changes. */
  readonly catalog: (name: string, change: object) => Promise<string>;
  readonly close: () => Promise<void>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Called on every output with all of stderr so far; may kill the process. */
  readonly watch?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void;
}

export async function createHarness(engine: EngineName): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-e2e-"));
  const [mirror, open, basic, bearer] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startRegistry({ auth: "none" }),
    startRegistry({ auth: "basic" }),
    startRegistry({ auth: "bearer" }),
  ]);
  const registries = { open, basic, bearer };
  const settings = {
    registries: {
      ghcr: null,
      dockerhub: null,
      acr: null,
      ...Object.fromEntries(
        Object.entries(registries).map(([name, { host }]) => [
          name,
          { host, repository: "tgoai/{service}", public: name === "open" },
        ]),
      ),
    },
    mirrors: { images: { "docker.io": mirror.host } },
  };
  const catalog = async (name: string, change: object): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, JSON.stringify({ ...settings, ...change }));
    return file;
  };
  const catalogFile = await catalog("tgo.catalog.json", {});
  const dockerConfigFile = join(folder, "docker-config.json");
  await writeFile(dockerConfigFile, dockerConfig(Object.values(registries)), { mode: 0o600 });
  let printed = "";
  const start = async (command: readonly string[], options: RunOptions = {}): Promise<Outcome> => {
    const outcome = await runCommand(command, options);
    printed += outcome.stdout + outcome.stderr;
    return outcome;
  };
  const tgo: Harness["tgo"] = (args, options) => start([...TGO, "--engine", engine, ...args], options);
  return {
    folder,
    registries,
    mirror: mirror.host,
    catalogFile,
    dockerConfigFile,
    printed: () => printed,
    tgo,
    run: (args, options) => {
      const [command = "", ...rest] = args;
      const given = (flag: string): boolean => rest.includes(flag);
      const defaults = [
        ...(given("--catalog") ? [] : ["--catalog", catalogFile]),
        ...(given("--docker-config") ? [] : ["--docker-config", `file:${dockerConfigFile}`]),
      ];
      return tgo([command, ...defaults, ...rest], options);
    },
    paste: (line = "", { env } = {}) => {
      if (!/^(?:npx --no-install )?tgo /.test(line)) throw new Error(`not a command of ours: "${line}"`);
      return start(["sh", "-c", line], { env: { ...env, PATH: `${PROGRAMS}:${process.env.PATH ?? ""}` } });
    },
    catalog,
    close: async () => {
      await Promise.all([mirror, open, basic, bearer].map((registry) => registry.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function runCommand(
  [program = "", ...args]: readonly string[],
  { env, cwd = ROOT, watch }: RunOptions,
): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(program, args, {
    cwd,
    // Keeps reports of tests out of the job summary.
    env: { ...process.env, GITHUB_STEP_SUMMARY: "", GITHUB_OUTPUT: "", NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    watch?.(stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code: code ?? 128, stdout, stderr, durationMs: performance.now() - started });
    });
  });
}

/** Every JSON report of a test has to be as documented. */
const isReport = new Ajv2020({ allErrors: true }).compile(
  JSON.parse(readFileSync(join(ROOT, "docs/reference/report.schema.json"), "utf8")) as object,
);

export function reportOf(outcome: Outcome): Report {
  let report: unknown;
  try {
    report = JSON.parse(outcome.stdout);
  } catch {
    throw new Error(
      `no JSON report on stdout (exit code ${outcome.code})\n${outcome.stdout}\n${outcome.stderr}`,
    );
  }
  if (!isReport(report))
    throw new Error(
      `the JSON is not as docs/reference/report.schema.json says: ${JSON.stringify(isReport.errors)}`,
    );
  return report as Report;
}

/** Tags of a repository, read with skopeo. */
export async function tagsIn(registry: LocalRegistry, repository: string): Promise<string[]> {
  const args = [
    "list-tags",
    "--tls-verify=false",
    ...credentials(registry),
    `docker://${registry.host}/${repository}`,
  ];
  const { code, stdout } = await execute("skopeo", args);
  return code === 0 ? (JSON.parse(stdout) as { Tags: string[] }).Tags : [];
}

/** The bytes under a tag, read with skopeo. */
export async function rawManifest(registry: LocalRegistry, reference: string): Promise<Buffer> {
  const args = [
    "inspect",
    "--raw",
    "--tls-verify=false",
    ...credentials(registry),
    `docker://${registry.host}/${reference}`,
  ];
  const { code, bytes, stderr } = await execute("skopeo", args);
  if (code !== 0) throw new Error(stderr);
  return bytes;
}

function credentials({ username, password }: LocalRegistry): string[] {
  return username === undefined ? [] : ["--creds", `${username}:${password ?? ""}`];
}

export async function makeFolder(
  harness: Harness,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = join(harness.folder, name);
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

export function execute(
  command: string,
  args: readonly string[],
  cwd?: string,
): Promise<{ code: number; stdout: string; stderr: string; bytes: Buffer }> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const bytes = Buffer.concat(chunks);
      resolve({ code: code ?? 128, stdout: bytes.toString(), stderr, bytes });
    });
  });
}
