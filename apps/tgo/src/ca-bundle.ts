import { TgoError } from "@tgo/errors";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Invocation } from "./command-line.js";
import type { CommandProcess } from "./command-process.js";

/**
 * The path of the CA bundle for build steps: --ca-bundle, else TGO_CA_BUNDLE, else NODE_EXTRA_CA_CERTS.
 * @throws TgoError USAGE if there is no such file
 */
export async function findCaBundle(
  { settings, values }: Invocation,
  { env, cwd }: Pick<CommandProcess, "env" | "cwd">,
): Promise<string | undefined> {
  const given = values.get("caBundle") ?? settings.caBundle;
  const [text, from] =
    typeof given === "string"
      ? [given, "--ca-bundle"]
      : (env.TGO_CA_BUNDLE ?? "") !== ""
        ? [env.TGO_CA_BUNDLE, "TGO_CA_BUNDLE"]
        : [env.NODE_EXTRA_CA_CERTS, "NODE_EXTRA_CA_CERTS"];
  if (text === undefined || text === "") return undefined;
  const path = resolve(cwd, text);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() === true) return path;
  // Node only warns about its own variable, so a stale one must not stop anything.
  if (from === "NODE_EXTRA_CA_CERTS") return undefined;
  throw new TgoError("USAGE", `${found === undefined ? "no such file" : "this is not a file"} (${from})`, {
    where: path,
    remedy: "Name a PEM file with the certificate authorities to trust.",
  });
}
