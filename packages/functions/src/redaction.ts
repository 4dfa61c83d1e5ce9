import { isTgoError, problemOf, TgoError } from "@tgo/errors";
import { Redactor } from "@tgo/redaction";
import type { HostOptions } from "./host.js";
import type { Options } from "./options.js";

/** Masks credentials in a text. */
export type Clean = (text: string) => string;

/**
 * Knows the secrets that a Dagger module was given: the engine masks only their whole texts, and only in the output of
 * the steps that use them. The `tgo` command masks everything itself.
 */
export async function redactionOf(options: Options, host: HostOptions): Promise<Clean> {
  if (host.local === true) return (text) => text;
  const redactor = new Redactor();
  redactor.addUrls(Object.values(process.env));
  const { dockerConfig, netrc, npmrc, buildSecrets, logins = [] } = options;
  const secrets = [dockerConfig, netrc, npmrc, buildSecrets, ...logins.map(({ password }) => password)];
  // Whoever needs a secret reports that it cannot be read.
  const given = secrets.filter((secret) => secret !== undefined);
  const texts = await Promise.all(given.map((secret) => secret.plaintext().catch(() => "")));
  for (const text of texts) redactor.addText(text);
  return (text) => redactor.clean(text);
}

/** The error with credentials masked. */
export function cleanError(error: unknown, clean: Clean): unknown {
  if (!isTgoError(error)) return error;
  const { what, where, remedy } = problemOf(error);
  return new TgoError(error.code, clean(what), {
    ...(where === undefined ? {} : { where: clean(where) }),
    ...(remedy === undefined ? {} : { remedy: clean(remedy) }),
    cause: error,
  });
}
