import { measureCommand, type CommandToMeasure, type MeasuredCommand } from "./measured-command.js";

/** One `tgo publish`, measured from the command to the digest. */
export interface PublishRun extends Pick<MeasuredCommand, "seconds" | "processorSeconds"> {
  /** Of the index that was published. */
  readonly digest: string;
}

export interface PublishCommand extends Omit<CommandToMeasure, "argv" | "cwd"> {
  /** The checkout whose `tgo` runs. */
  readonly checkout: string;
  readonly args: readonly string[];
}

/** @throws Error with the end of what it printed */
export async function runPublish({ checkout, args, ...command }: PublishCommand): Promise<PublishRun> {
  const argv = [process.execPath, "apps/tgo/bin/tgo.js", "publish", ...args];
  const run = await measureCommand({ ...command, argv, cwd: checkout });
  const digest = /"digest": *"(sha256:[0-9a-f]{64})"/.exec(run.stdout)?.[1];
  if (run.code !== 0 || digest === undefined)
    throw new Error(`tgo publish ended with ${run.code ?? "a signal"}\n${run.stderr.slice(-2000)}`);
  return { seconds: run.seconds, processorSeconds: run.processorSeconds, digest };
}
