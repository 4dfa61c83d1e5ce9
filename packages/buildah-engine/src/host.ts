import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { TgoError } from "@tgo/errors";
import { emulationProblem } from "./binfmt.js";

export interface HostNeeds {
  /** Platforms whose programs will run: foreign ones need emulation. */
  readonly run?: readonly string[];
  /** Dockerfiles will be built. */
  readonly dockerBuild?: boolean;
}

/** The tools used, and Debian's package of each. */
const TOOLS: Readonly<Record<string, string>> = {
  bash: "bash",
  tar: "tar",
  mount: "mount",
  setpriv: "util-linux",
  unshare: "util-linux",
  nsenter: "util-linux",
  ip: "iproute2",
};

/** What this machine lacks to run the engine; each problem with the command that solves it. Empty: all is there. */
export function checkHost({ run = [], dockerBuild = false }: HostNeeds = {}): TgoError[] {
  const problems: TgoError[] = [];
  const found = (tool: string): boolean =>
    `${process.env.PATH ?? ""}:/usr/sbin:/sbin`
      .split(delimiter)
      .some((folder) => existsSync(join(folder, tool)));
  if (process.platform !== "linux")
    problems.push(
      new TgoError("ENVIRONMENT", "the embedded engine runs on Linux only", {
        remedy: "install Docker: Dagger's own engine is used then",
      }),
    );
  else if (process.getuid?.() !== 0)
    problems.push(
      new TgoError("ENVIRONMENT", "the embedded engine needs root, for mounts and namespaces", {
        remedy: "run the same command with sudo, or install Docker",
      }),
    );
  const missing = Object.keys(TOOLS).filter((tool) => !found(tool));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => TOOLS[tool]))].join(" ");
    problems.push(
      new TgoError("ENVIRONMENT", `missing: ${missing.join(", ")}`, {
        remedy: `apt-get install -y --no-install-recommends ${packages}`,
      }),
    );
  }
  if (dockerBuild && !found("buildah"))
    problems.push(
      new TgoError("ENVIRONMENT", "buildah is missing; the embedded engine builds Dockerfiles with it", {
        remedy: "apt-get install -y --no-install-recommends buildah",
      }),
    );
  return [...problems, ...run.flatMap((platform) => emulationProblem(platform) ?? [])];
}
