import { existsSync } from "node:fs";
import { join } from "node:path";
import { TgoError } from "@tgo/errors";
import { emulationProblem } from "./emulation.js";
import { HOST_PATH } from "./host-process.js";

export interface HostNeeds {
  /** Platforms whose programs must run; foreign ones need emulation. */
  readonly run?: readonly string[];
}

/** The required tools, and the Debian package of each. */
const TOOLS: Readonly<Record<string, string>> = {
  bash: "bash",
  tar: "tar",
  mount: "mount",
  setpriv: "util-linux",
  unshare: "util-linux",
  nsenter: "util-linux",
  ip: "iproute2",
  crun: "crun",
  slirp4netns: "slirp4netns",
};

/** The requirements of the engine that this machine does not meet, each with the command that solves it. */
export function checkHost({ run = [] }: HostNeeds = {}): TgoError[] {
  const problems: TgoError[] = [];
  const lacks = (what: string, remedy: string): void => {
    problems.push(new TgoError("ENVIRONMENT", what, { remedy }));
  };
  const install = (packages: string): string => `apt-get install -y --no-install-recommends ${packages}`;
  const folders = HOST_PATH.split(":");
  const isMissing = (tool: string): boolean => !folders.some((folder) => existsSync(join(folder, tool)));
  if (process.platform !== "linux")
    lacks("the local engine runs on Linux only", "install Docker, to use Dagger's own engine");
  else if (process.getuid?.() !== 0)
    lacks(
      "the local engine needs root, for mounts and namespaces",
      "run the command with sudo, or install Docker",
    );
  const missing = Object.keys(TOOLS).filter(isMissing);
  const packages = new Set(missing.map((tool) => TOOLS[tool]));
  if (missing.length > 0) lacks(`missing: ${missing.join(", ")}`, install([...packages].join(" ")));
  return [...problems, ...run.flatMap((platform) => emulationProblem(platform) ?? [])];
}
