import { resolve } from "node:path";
import { ENGINES, type EngineSetting } from "../settings.js";
import type { OwnInvocation } from "./parse-own-command.js";

export interface DoctorSettings {
  readonly engine: EngineSetting;
  readonly caBundle: { readonly path: string | undefined; readonly from: string };
  /** Path of Docker's config, if the caller named one. */
  readonly dockerConfig: string | undefined;
}

/** What doctor takes from flags and variables, as functions of the module take it. */
export function settings(
  { flags }: OwnInvocation,
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): DoctorSettings {
  const text = (name: string): string | undefined => {
    const value = flags[name];
    return typeof value === "string" ? value : undefined;
  };
  const [bundle, from = ""] = [
    [text("ca-bundle"), "--ca-bundle"],
    [env.TGO_CA_BUNDLE, "TGO_CA_BUNDLE"],
    [env.NODE_EXTRA_CA_CERTS, "NODE_EXTRA_CA_CERTS"],
  ].find(([value]) => (value ?? "") !== "") ?? [undefined, ""];
  const config = text("docker-config") ?? env.TGO_DOCKERCONFIG ?? env.TGO_DOCKER_CONFIG;
  return {
    engine: ENGINES.find((each) => each === flags.engine) ?? "auto",
    caBundle: { path: bundle === undefined ? undefined : resolve(cwd, bundle), from },
    dockerConfig: config === undefined || config === "" ? undefined : config.replace(/^file:/, ""),
  };
}
