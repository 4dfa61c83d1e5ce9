import { TgoError } from "@tgo/errors";

/** Where a secret's value comes from; written as for the dagger command, with or without "//". */
export type SecretSource = { readonly kind: "file" | "env" | "cmd"; readonly value: string };

/**
 * `file:PATH`, `env:NAME`, `cmd:COMMAND`, or a plain path.
 * @see https://docs.dagger.io/reference/cli/ (secret providers)
 */
export function parseSecretSource(flag: string, text: string): SecretSource {
  const match = /^([a-z]+):(?:\/\/)?(.*)$/s.exec(text);
  if (match === null) return { kind: "file", value: text };
  const [, kind = "", value = ""] = match;
  if (kind !== "file" && kind !== "env" && kind !== "cmd") {
    throw new TgoError("USAGE", `--${flag}: "${kind}:" is not a secret source`, {
      remedy: `Use file:PATH, env:NAME or cmd:COMMAND, e.g. --${flag} file:$HOME/.docker/config.json`,
    });
  }
  if (value === "") throw new TgoError("USAGE", `--${flag}: "${kind}:" needs a value`);
  return { kind, value };
}

export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/** `tcp://host:port`, as for the dagger command; the scheme is optional. */
export function parseServiceAddress(flag: string, text: string): ServiceAddress {
  const match = /^(?:tcp:\/\/)?(\[[0-9a-fA-F:]+\]|[^\s/:@]+):(\d{1,5})\/?$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new TgoError("USAGE", `--${flag}: "${text}" is not a service address`, {
      remedy: `Use tcp://HOST:PORT, e.g. --${flag} tcp://localhost:5001`,
    });
  }
  return { host: match[1].replace(/^\[|\]$/g, ""), port };
}
