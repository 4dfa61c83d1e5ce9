import type { Container, Directory } from "@dagger.io/dagger";
import { DISK_FULL, isDiskFull, TgoError } from "@tgo/errors";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { returnsFolder, type ModuleFunction } from "./module-api.js";

/**
 * Writes a function's result to the --output file if there is one, and returns the text for stdout. An image is built
 * here, so this runs inside the session.
 */
export async function writeResult(
  fn: ModuleFunction,
  value: unknown,
  target: { readonly cwd: string; readonly output: string | undefined },
): Promise<string> {
  if (fn.returns.kind === "object" && fn.returns.name === "Container") {
    return writeContainer(value as Container, target.cwd, target.output);
  }
  if (returnsFolder(fn)) {
    if (target.output === undefined) throw new TgoError("INTERNAL", "no --output for a folder");
    const path = resolve(target.cwd, target.output);
    await (value as Directory).export(path).catch((cause: unknown) => {
      throw writeFailure("the result", path, cause, "USAGE");
    });
    return `written: ${path}`;
  }
  const text = textOf(value);
  if (target.output === undefined) return text;
  const path = resolve(target.cwd, target.output);
  await writeFile(path, text).catch((cause: unknown) => {
    throw writeFailure("the result", path, cause, "USAGE");
  });
  return `written: ${path}`;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(String).join("\n");
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

async function writeContainer(
  container: Container,
  cwd: string,
  output: string | undefined,
): Promise<string> {
  const platform = await container.platform();
  if (output === undefined) {
    await container.sync();
    return `built for ${platform}; use --output FILE to write the image as an OCI archive`;
  }
  const path = resolve(cwd, output);
  await container
    .asTarball()
    .export(path)
    .catch((cause: unknown) => {
      throw writeFailure("the image", path, cause, "BUILD");
    });
  return `built for ${platform}: ${path} (an OCI archive: copy it with skopeo copy oci-archive:${path} …)`;
}

function writeFailure(what: string, path: string, cause: unknown, code: "USAGE" | "BUILD"): TgoError {
  if (isDiskFull(cause)) {
    return new TgoError("ENVIRONMENT", `cannot write ${what}: ${DISK_FULL}`, {
      where: path,
      remedy: "Free disk space, or give --output a file on another disk.",
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TgoError(code, `cannot write ${what}: ${reason}`, { where: path, cause });
}
