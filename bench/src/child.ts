/**
 * Runs one measured build in a process of its own, so that its memory is what `tgo` would use, without leftovers of an
 * earlier build. Receives a job as a message, sends the result and exits; or reads it from the file that is its argument.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { connection, dag } from "@dagger.io/dagger";
import { startEngine } from "@tgo/local-engine";
import { Catalog } from "@tgo/catalog";
import { parse } from "@tgo/schemas";
import { buildOwnDockerfile } from "./build-dockerfile.js";
import { buildOurs } from "./build-ours.js";
import { type BuildJob, type Job, type JobResult, type Measured, SIZED_TAG } from "./job.js";
import type { TimedBuild } from "./push.js";
import { roundToMs, Steps } from "./steps.js";

/** The mirrors that build steps may reach even on this machine. */
function indexMirrors({ pypi, npm, debian, debianSecurity }: Catalog["mirrors"]): string[] {
  return [pypi, npm, debian, debianSecurity].filter((url) => url !== undefined);
}

const execute = promisify(execFile);
const interruption = new AbortController();

async function measure(job: BuildJob): Promise<Measured> {
  const catalog = parse(Catalog, job.catalog);
  const steps = new Steps();
  const engine =
    job.engine === "local"
      ? await startEngine({
          home: job.home,
          signal: interruption.signal,
          ...(job.caBundle === undefined ? {} : { caBundle: job.caBundle }),
          mirrors: catalog.mirrors.images,
          reachable: indexMirrors(catalog.mirrors),
          onEvent: steps.onEngineEvent,
        })
      : undefined;
  if (engine !== undefined) {
    process.env.DAGGER_SESSION_PORT = String(engine.port);
    process.env.DAGGER_SESSION_TOKEN = engine.token;
  }
  try {
    return await inSession(async () => {
      const host = { local: true, progress: () => undefined, signal: interruption.signal };
      const timed = await (job.build.by === "us"
        ? buildOurs(dag, job, { catalog, platforms: job.build.platforms }, steps, host)
        : buildOwnDockerfile(dag, job, job.build, steps, host));
      const built = { seconds: roundToMs(timed.seconds), peakMemory: peakMemory(), steps: [...steps.list] };
      for (const registry of job.publishTo ?? []) await timed.push(registry);
      await Promise.all(
        (job.publishTo ?? []).map((registry) => inspect(`${registry}/${job.service}:${SIZED_TAG}`)),
      );
      const name = engine === undefined ? `Dagger engine ${await dag.version()}` : "local engine";
      if (job.push === undefined) return { ...built, engine: name };
      const pushSeconds = roundToMs(await push(timed, job.push));
      return { ...built, engine: name, pushSeconds, peakMemoryPushed: peakMemory() };
    });
  } finally {
    await engine?.close();
  }
}

/** Reads the index and each platform's configuration, as somebody does who trusts no push. */
async function inspect(reference: string): Promise<void> {
  const flags = ["inspect", "--tls-verify=false"];
  await execute("skopeo", [...flags, "--raw", `docker://${reference}`]);
  for (const arch of ["amd64", "arm64"])
    await execute("skopeo", ["--override-arch", arch, ...flags, "--config", `docker://${reference}`]);
}

async function push({ push: upload }: TimedBuild, registry: string): Promise<number> {
  const started = performance.now();
  await upload(registry);
  return (performance.now() - started) / 1000;
}

/**
 * Bytes. Read from /proc where possible: getrusage's maximum survives fork and exec, and so includes the memory of the
 * parent process.
 */
function peakMemory(): number {
  if (!existsSync("/proc/self/status")) return process.resourceUsage().maxRSS * 1024;
  const highWater = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(highWater) * 1024;
}

/** Runs inside an SDK session. Passes the real error on: the SDK would report it as a failure to open the session. */
async function inSession<T>(run: () => Promise<T>): Promise<T> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  try {
    await connection(async () => {
      outcome = await run().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
    });
  } catch (error) {
    outcome ??= { error };
  }
  if (outcome === undefined) throw new Error("the SDK did not open a session");
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

async function runJob(job: Job): Promise<JobResult> {
  try {
    if (job.task === "build") return { kind: "measured", measured: await measure(job) };
    await inSession(() => dag.engine().localCache().prune());
    return { kind: "done" };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

const stop = (): void => {
  interruption.abort();
};
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
process.on("disconnect", stop);
const [, , jobFile] = process.argv;
if (jobFile !== undefined) {
  void runJob(JSON.parse(readFileSync(jobFile, "utf8")) as Job).then((result) => {
    if (result.kind === "failed") process.stderr.write(`${result.message}\n`);
    process.exit(result.kind === "failed" ? 1 : 0);
  });
}
process.once("message", (job: Job) => {
  void runJob(job).then((result) => {
    process.send?.(result, () => process.exit());
  });
});
