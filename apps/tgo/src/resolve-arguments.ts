import type { Client } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseServiceAddress } from "./addresses.js";
import type { Redactor } from "@tgo/redaction";
import { readSecret, type SecretContext } from "./secret.js";
import type { Argument, Type } from "./module-api.js";
import type { Scalar } from "./flag-values.js";

/** Of a file for the module: catalogs, locks and certificates are far smaller, and are read whole. */
const MAX_BYTES = 16 << 20;

/** Makes the module's argument from a value, once a session is open. */
export type ResolvedArgument = (client: Client) => unknown;

export interface ArgumentContext extends SecretContext {
  readonly redaction: Redactor;
}

/**
 * Checks that the file, folder, secret or address a value names exists on this machine.
 * @throws TgoError USAGE naming the flag and the path
 */
export async function resolveArgument(
  argument: Argument,
  value: Scalar | readonly Scalar[] | undefined,
  context: ArgumentContext,
): Promise<ResolvedArgument> {
  // Undefined selects the module's own default.
  if (value === undefined) return () => undefined;
  if (argument.type.kind !== "list") return resolveOne(argument, argument.type, value as Scalar, context);
  const item = argument.type.of ?? { kind: "string" };
  const items = await Promise.all(
    (value as readonly Scalar[]).map((each) => resolveOne(argument, item, each, context)),
  );
  // The SDK modifies the arrays it is given, so each call gets its own.
  return (client) => items.map((make) => make(client));
}

async function resolveOne(
  { flag, name }: Argument,
  type: Type,
  value: Scalar,
  context: ArgumentContext,
): Promise<ResolvedArgument> {
  if (type.kind !== "object") return () => value;
  const text = String(value);
  switch (type.name) {
    case "Directory": {
      const path = await existingPath(flag, text, "folder", context.cwd);
      return (client) => client.host().directory(path);
    }
    case "File": {
      const path = await existingPath(flag, text, "file", context.cwd);
      return (client) => client.host().file(path);
    }
    case "Secret": {
      const secret = await readSecret(flag, text, context);
      context.redaction.addText(secret);
      return (client) => client.setSecret(name, secret);
    }
    case "Service": {
      const { host, port } = parseServiceAddress(flag, text);
      return (client) => client.host().service([{ frontend: port, backend: port }], { host });
    }
    default:
      throw new TgoError("USAGE", `--${flag} cannot be given on the command line`, {
        remedy: `It takes a ${type.name ?? "value"} of Dagger's; call the function with dagger call.`,
      });
  }
}

async function existingPath(
  flag: string,
  text: string,
  kind: "file" | "folder",
  cwd: string,
): Promise<string> {
  const path = resolve(cwd, text);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new TgoError("USAGE", `no such ${kind} (--${flag})`, {
      where: path,
      remedy: "Check the path.",
    });
  }
  if (kind === "folder" ? !found.isDirectory() : !found.isFile()) {
    const remedy = "The engine reads it again and again: write what a pipe brings into a file.";
    throw new TgoError("USAGE", `this is not a ${kind} (--${flag})`, {
      where: path,
      ...(found.isFIFO() ? { remedy } : {}),
    });
  }
  if (kind === "file" && found.size > MAX_BYTES) {
    throw new TgoError("USAGE", `the file is larger than ${MAX_BYTES >> 20} MiB (--${flag})`, {
      where: path,
    });
  }
  return path;
}
