import type { Container } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ModuleFunction } from "./module-api.js";

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
  const text = textOf(value);
  if (target.output === undefined) return text;
  const path = resolve(target.cwd, target.output);
  await writeFile(path, text).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TgoError("USAGE", `cannot write the result: ${reason}`, { where: path, cause });
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
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TgoError("BUILD", `cannot write the image: ${reason}`, { where: path, cause });
    });
  return `built for ${platform}: ${path} (an OCI archive: copy it with skopeo copy oci-archive:${path} …)`;
}
