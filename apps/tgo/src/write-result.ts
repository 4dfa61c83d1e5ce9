import type { Client, Container } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ModuleFunction } from "./module-api.js";

/**
 * What a function returned, as the text for stdout, or in a file if asked. An image is built.
 * Runs inside the session.
 */
export async function writeResult(
  fn: ModuleFunction,
  value: unknown,
  place: { readonly cwd: string; readonly output: string | undefined; readonly client: Client },
): Promise<string> {
  if (fn.returns.kind === "object" && fn.returns.name === "Container") {
    return deliverContainer(value as Container, place.cwd, place.output);
  }
  const text = textOf(value);
  if (place.output === undefined) return text;
  const path = resolve(place.cwd, place.output);
  await writeFile(path, text).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TgoError("USAGE", `the result could not be written: ${reason}`, { where: path, cause });
  });
  return `written: ${path}`;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(String).join("\n");
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

async function deliverContainer(
  container: Container,
  cwd: string,
  output: string | undefined,
): Promise<string> {
  const platform = await container.platform();
  if (output === undefined) {
    await container.sync();
    return `built for ${platform}; --output FILE writes the image as an OCI archive`;
  }
  const path = resolve(cwd, output);
  await container
    .asTarball()
    .export(path)
    .catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TgoError("BUILD", `the image could not be written: ${reason}`, { where: path, cause });
    });
  return `built for ${platform}: ${path} (OCI archive; skopeo copy oci-archive:${path} … takes it further)`;
}
