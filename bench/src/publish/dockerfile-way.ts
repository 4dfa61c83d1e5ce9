import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startRegistry } from "@tgo/testing";
import type { BuildJob } from "../job.js";
import { ROOT } from "../samples.js";
import { measureCommand, type CommandToMeasure, type MeasuredCommand } from "./measured-command.js";

export interface DockerfileWay extends Omit<CommandToMeasure, "argv" | "cwd"> {
  /** The bundled child process. */
  readonly program: string;
  readonly work: string;
  readonly job: Omit<BuildJob, "task" | "push" | "publishTo">;
}

/**
 * A service's own Dockerfile to the same end as a publish: built for both platforms, the foreign one under emulation, pushed
 * to three registries, and inspected there. Nothing is checked or run, and the registries ask for no password.
 * @throws Error with the end of what it printed
 */
export async function runDockerfileWay({
  program,
  work,
  job,
  ...command
}: DockerfileWay): Promise<Pick<MeasuredCommand, "seconds" | "processorSeconds">> {
  const registries = await Promise.all([1, 2, 3].map(() => startRegistry({ auth: "none" })));
  try {
    const file = join(work, "dockerfile-job.json");
    const publishTo = registries.map(({ host }) => host);
    const whole: BuildJob = { ...job, task: "build", push: undefined, publishTo };
    await writeFile(file, JSON.stringify(whole));
    const run = await measureCommand({
      ...command,
      argv: [process.execPath, program, file],
      cwd: ROOT,
      onDagger: job.engine === "dagger",
    });
    if (run.code !== 0)
      throw new Error(
        `the Dockerfile's build ended with ${run.code ?? "a signal"}\n${run.stderr.slice(-2000)}`,
      );
    return run;
  } finally {
    await Promise.all(registries.map((registry) => registry.stop()));
  }
}
