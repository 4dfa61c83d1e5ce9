import { stripVTControlCharacters } from "node:util";
import type { Client, ContainerWithExecOpts } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { FunctionFailed } from "../function-failed.js";
import type { HostOptions, ScanResult } from "../host.js";

/** The scanner that a module runs, as it has no programs of its caller's. */
const SCANNER_IMAGE = "docker.io/anchore/grype:v0.121.2";

/** `ReturnType.Any`, without the SDK at run time. */
const ANY_EXIT_CODE = { expect: "ANY" } as unknown as ContainerWithExecOpts;

/**
 * Shows what a scanner finds in a bill of materials: a program of this machine, or in a module a container. It brings its
 * own database of vulnerabilities, and decides by its own configuration what is a failure.
 * @throws FunctionFailed with its output when it ends with another code than 0; TgoError ENVIRONMENT where there is none
 */
export async function scanBill(
  { client, host }: { readonly client: Client; readonly host: HostOptions },
  document: string,
): Promise<string> {
  const result = host.local === true ? await host.scan?.(document) : await scanInContainer(client, document);
  if (result === undefined)
    throw new TgoError("ENVIRONMENT", "nothing was scanned: there is no scanner on this machine", {
      remedy:
        "Install grype or trivy, so that PATH has it. Or run the module's sbom function with --scan: Dagger runs grype in a container.",
    });
  const { program, output, errors, exitCode } = result;
  if (exitCode === 0) return output;
  const said = stripVTControlCharacters(`${output}${errors}`);
  throw new FunctionFailed(`${said}${program} ended with ${exitCode}\n`);
}

async function scanInContainer(client: Client, document: string): Promise<ScanResult> {
  const ran = client
    .container()
    .from(SCANNER_IMAGE)
    .withNewFile("/bill.json", document)
    // Its database is newer every day: the engine must not remember yesterday's result.
    .withEnvVariable("TGO_SCANNED_AT", new Date().toISOString())
    .withExec(["/grype", "sbom:/bill.json"], ANY_EXIT_CODE);
  const [output, errors, exitCode] = await Promise.all([ran.stdout(), ran.stderr(), ran.exitCode()]);
  return { program: SCANNER_IMAGE, output, errors, exitCode };
}
