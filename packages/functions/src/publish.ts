import { publishService } from "@tgo/publishing";
import { parseVersion } from "@tgo/release-rules";
import { defined, type ReportFormat } from "@tgo/report";
import { waitTime, type AssembleFlags } from "./assemble-flags.js";
import type { withAssembly } from "./variants/with-assembly.js";
import type { Call } from "./call.js";
import { reportServices } from "./report-services.js";
import type { ShellArguments } from "./shell-arguments.js";
import type { SigningFlags } from "./signing-flags.js";
import { prepareOptions, type SourceArguments } from "./source-arguments.js";

export type PublishFlags = ShellArguments<{
  version: string;
  /** Whether differences between the platforms' contents are a failure, not a note. */
  strictParity: boolean;
  /** Whether smoke runs repeat on every platform what a native run tells of the others. */
  fullSmoke: boolean;
}> &
  AssembleFlags &
  SigningFlags;

/**
 * Publishes the services' candidates to every registry. No version tag moves.
 * @param assembling loads what takes images that other machines built
 */
export function publish(
  call: Call,
  names: readonly string[],
  source: SourceArguments & PublishFlags,
  format: ReportFormat,
  assembling: () => Promise<typeof withAssembly>,
): Promise<string> {
  const version = source.version === undefined ? undefined : parseVersion(source.version, "--version").text;
  const { strictParity = false, fullSmoke = false, signingKey, signingKeyPassword, identityToken } = source;
  const signing = { signingKey, signingKeyPassword, identityToken };
  const options = { ...prepareOptions(source), ...defined({ version }) };
  const { assemble = false, wait, requireNative = false } = source;
  waitTime(source);
  const flags = { version, strictParity, fullSmoke, assemble, wait, requireNative };
  return reportServices(
    call,
    { command: "publish", names, source, format, flags, signing },
    async (opened, { name, service }) => {
      const context = assemble ? (await assembling())(opened, source) : opened;
      return publishService({ ...context, strictParity, fullSmoke }, name, service, options);
    },
  );
}
