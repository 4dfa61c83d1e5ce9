import { publishService } from "@tgo/publishing";
import { parseVersion } from "@tgo/release-rules";
import { defined, type ReportFormat } from "@tgo/report";
import type { Call } from "./call.js";
import { reportServices } from "./report-services.js";
import type { ShellArguments } from "./shell-arguments.js";
import { prepareOptions, type SourceArguments } from "./source-arguments.js";

/** Publishes the services' candidates to every registry. No version tag moves. */
export function publish(
  call: Call,
  names: readonly string[],
  source: SourceArguments & ShellArguments<{ version: string }>,
  format: ReportFormat,
): Promise<string> {
  const version = source.version === undefined ? undefined : parseVersion(source.version, "--version").text;
  const options = { ...prepareOptions(source), ...defined({ version }) };
  return reportServices(
    call,
    { command: "publish", names, source, format, flags: { version } },
    (context, { name, service }) => publishService(context, name, service, options),
  );
}
