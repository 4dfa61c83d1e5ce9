import type { LocalRegistry } from "./registry.js";

/** The text of a docker `config.json` that opens these registries and no other. */
export function dockerConfig(
  registries: readonly Pick<LocalRegistry, "host" | "username" | "password">[],
): string {
  const auths: Record<string, { auth: string }> = {};
  for (const { host, username, password } of registries) {
    if (username === undefined || password === undefined) continue;
    auths[host] = { auth: Buffer.from(`${username}:${password}`).toString("base64") };
  }
  return JSON.stringify({ auths }, null, 2);
}
