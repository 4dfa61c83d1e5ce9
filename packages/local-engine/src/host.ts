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
  const lacks = (what: string, remedy: string): void => {
    problems.push(new TgoError("ENVIRONMENT", what, { remedy }));
  };
  const install = (packages: string): string => `apt-get install -y --no-install-recommends ${packages}`;
  const folders = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`.split(delimiter);
  const isMissing = (tool: string): boolean => !folders.some((folder) => existsSync(join(folder, tool)));
  if (process.platform !== "linux")
    lacks("the embedded engine runs on Linux only", "install Docker: Dagger's own engine is used then");
  else if (process.getuid?.() !== 0)
    lacks(
      "the embedded engine needs root, for mounts and namespaces",
      "run the same command with sudo, or install Docker",
    );
  const missing = Object.keys(TOOLS).filter(isMissing);
  const packages = new Set(missing.map((tool) => TOOLS[tool]));
  if (missing.length > 0) lacks(`missing: ${missing.join(", ")}`, install([...packages].join(" ")));
  if (dockerBuild && isMissing("buildah"))
    lacks("buildah is missing; the embedded engine builds Dockerfiles with it", install("buildah"));
  return [...problems, ...run.flatMap((platform) => emulationProblem(platform) ?? [])];
}
