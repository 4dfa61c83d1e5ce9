import type { Secret } from "@dagger.io/dagger";
import type { DockerfileBuild } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { BuildContext } from "../build-context.js";
import { parseSecretsFile } from "./parse-secrets-file.js";

/**
 * The secrets that a service declares, with their values from the caller's file.
 * @throws TgoError USAGE naming the missing secrets, never a value
 */
export async function buildSecrets(
  { client, secrets }: Pick<BuildContext, "client" | "secrets">,
  name: string,
  { secrets: declared }: DockerfileBuild,
): Promise<Secret[]> {
  if (declared.length === 0) return [];
  const text = secrets.build === undefined ? "" : await secrets.build.plaintext();
  const values = parseSecretsFile(text, "--build-secrets");
  const missing = declared.filter((id) => !values.has(id));
  if (missing.length > 0) {
    throw new TgoError(
      "USAGE",
      `${name} needs the build secret${missing.length === 1 ? "" : "s"} ${missing.join(", ")}`,
      {
        remedy: `Put ${missing.map((id) => `${id}=value`).join(" and ")} into a file, and pass --build-secrets file:PATH.`,
      },
    );
  }
  return declared.map((id) => client.setSecret(id, values.get(id) ?? ""));
}
