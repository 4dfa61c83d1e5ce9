/** Measures whole publishes: `npm run bench -- publish`. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, relative } from "node:path";
import { promisify } from "node:util";
import { dockerConfig, startRegistry } from "@tgo/testing";
import { startBases } from "./src/bases.js";
import { bundleChild } from "./src/bundle.js";
import { describeMachine } from "./src/machine.js";
import { measureRound, type PublishBench } from "./src/publish/measure-publish.js";
import { parsePublishOptions, PUBLISH_HELP, type PublishOptions } from "./src/publish/publish-options.js";
import { readPublishes, withRun } from "./src/publish/publish-file.js";
import type { PublishResults } from "./src/publish/publish-results.js";
import { publishTables } from "./src/publish/publish-tables.js";
import { writePublishes } from "./src/publish/write-publishes.js";
import { textTable } from "./src/render.js";
import { findSamples, readCatalog, ROOT } from "./src/samples.js";
import { createWorkFolder, removeFolder } from "./src/state.js";

/** @returns the exit code */
export async function publishBench(
  args: readonly string[],
  signal: AbortSignal,
  print: (text?: string) => void,
): Promise<number> {
  const options = parsePublishOptions(args, process.env);
  if (options === undefined) {
    print(PUBLISH_HELP);
    return 0;
  }
  const catalog = await readCatalog(undefined);
  const samples = findSamples(catalog, options.services, `${ROOT}/examples/repos`);
  const [native, foreign] =
    process.arch === "arm64"
      ? (["linux/arm64", "linux/amd64"] as const)
      : (["linux/amd64", "linux/arm64"] as const);
  const work = await createWorkFolder();
  const [program, bases] = await Promise.all([bundleChild(), startBases(samples, native, print)]);
  const started = await Promise.all(
    (["none", "basic", "bearer"] as const).map((auth) => startRegistry({ auth })),
  );
  const failures: string[] = [];
  try {
    const registries = started.map(({ host }, at) => ({
      name: ["open", "basic", "bearer"][at] ?? host,
      host,
      isPublic: at === 0,
    }));
    const file = join(work, "docker-config.json");
    await writeFile(file, dockerConfig(started), { mode: 0o600 });
    const bench: PublishBench = {
      options,
      native,
      foreign,
      program,
      catalog: {
        ...catalog,
        registries: {},
        mirrors: {
          ...catalog.mirrors,
          images: { ...catalog.mirrors.images, "docker.io": bases.registry.host },
        },
      },
      mirror: bases.registry.host,
      registries,
      dockerConfig: file,
      work,
      signal,
      print,
    };
    let results = await earlierResults(options);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const sample of samples) {
        await measureRound(
          bench,
          { sample, round },
          {
            onRun: (run) => {
              const own = { commit: results.commits[run.code] ?? "", machine: results.machine };
              results = withRun({ ...results, date: new Date().toISOString() }, { ...run, ...own });
            },
            onFailure: (failure) => failures.push(failure),
          },
        );
        if (signal.aborted) return 130;
        // After each service: an interrupted run keeps its rounds.
        if (options.output !== undefined)
          await writeFile(options.output, `${JSON.stringify(results, null, 2)}\n`);
      }
    }
    print(`\n${publishTables(results).map(textTable).join("\n\n")}\n`);
    for (const failure of failures) print(`FAILED: ${failure}`);
    if (options.write) print(`Written: ${relative(ROOT, await writePublishes(results))}`);
    return failures.length > 0 ? 1 : 0;
  } finally {
    await Promise.all([bases.registry, ...started].map((registry) => registry.stop()));
    await removeFolder(work);
  }
}

async function earlierResults({ output, checkouts, engine }: PublishOptions): Promise<PublishResults> {
  const commits = Object.fromEntries(
    await Promise.all(
      Object.entries(checkouts).map(async ([code, folder]) => {
        const { stdout } = await promisify(execFile)("git", [
          "-C",
          folder,
          "rev-parse",
          "--short=12",
          "HEAD",
        ]);
        return [code, stdout.trim()] as const;
      }),
    ),
  );
  const { cpu, cores, os } = await describeMachine();
  const earlier = output === undefined ? undefined : await readPublishes(output);
  // It is published: without where things are on this machine.
  const args = process.argv.slice(2).map((arg) => (isAbsolute(arg) ? `../${basename(arg)}` : arg));
  const command = ["npm run bench --", ...args].join(" ");
  return {
    commands: [...(earlier?.commands ?? []), command],
    commits,
    machine: `${cores} cores (${cpu}), ${os}`,
    date: new Date().toISOString(),
    engine,
    runs: earlier?.runs ?? [],
  };
}
