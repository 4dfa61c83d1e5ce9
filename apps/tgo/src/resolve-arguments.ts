import type { Client } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseServiceAddress } from "./address.js";
import type { Redaction } from "./redaction.js";
import { readSecret, type SecretPlace } from "./secret.js";
import type { Argument, Type } from "./module-api.js";
import type { Scalar } from "./value.js";

/** A value that only an open session can make. */
export type ResolvedArgument = (client: Client) => unknown;

export interface ArgumentContext extends SecretPlace {
  readonly redaction: Redaction;
}

/**
 * Checks that what a value names exists on this machine, and says how to make the module's argument of it.
 * @throws TgoError USAGE naming the flag and the path
 */
export async function resolveArguments(
  argument: Argument,
  value: Scalar | readonly Scalar[] | undefined,
  place: ArgumentContext,
): Promise<ResolvedArgument> {
  // Undefined makes the module's own default apply.
  if (value === undefined) return () => undefined;
  if (argument.type.kind !== "list") return bindOne(argument, argument.type, value as Scalar, place);
  const item = argument.type.of ?? { kind: "string" };
  const items = await Promise.all(
    (value as readonly Scalar[]).map((each) => bindOne(argument, item, each, place)),
  );
  // The SDK changes arrays that it is given, so each call gets its own.
  return (client) => items.map((make) => make(client));
}

async function bindOne(
  { flag, name }: Argument,
  type: Type,
  value: Scalar,
  place: ArgumentContext,
): Promise<ResolvedArgument> {
  if (type.kind !== "object") return () => value;
  const text = String(value);
  switch (type.name) {
    case "Directory": {
      const path = await existing(flag, text, "folder", place.cwd);
      return (client) => client.host().directory(path);
    }
    case "File": {
      const path = await existing(flag, text, "file", place.cwd);
      return (client) => client.host().file(path);
    }
    case "Secret": {
      const secret = await readSecret(flag, text, place);
      place.redaction.addText(secret);
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

async function existing(flag: string, text: string, kind: "file" | "folder", cwd: string): Promise<string> {
  const path = resolve(cwd, text);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new TgoError("USAGE", `there is no such ${kind} (--${flag})`, {
      where: path,
      remedy: "Check the path.",
    });
  }
  if (found.isDirectory() !== (kind === "folder")) {
    throw new TgoError("USAGE", `this is not a ${kind} (--${flag})`, { where: path });
  }
  return path;
}
