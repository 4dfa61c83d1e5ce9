/** A command ended in another way than expected; becomes the SDK's ExecError. */
export class ExecFailure extends Error {
  constructor(
    readonly cmd: readonly string[],
    readonly exitCode: number,
    readonly stdout: string,
    readonly stderr: string,
    message?: string,
  ) {
    super(message ?? `process "${cmd.join(" ")}" did not complete successfully: exit code: ${exitCode}`);
  }
}
