import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { TgoError } from "@tgo/errors";
import { aptInstall, withoutRegistryService } from "./apt.js";
import { emulationWorks, foreignHandler, registerEmulation } from "./emulation.js";
import type { Log } from "./log.js";

export interface Requirement {
  /** A program, a file, or a handler of the kernel. */
  readonly tool: string;
  readonly why: string;
  /** The Debian package that contains it. */
  readonly package: string;
}

const PROGRAMS: readonly Requirement[] = [
  { tool: "buildah", why: "runs the images outside the product", package: "buildah" },
  { tool: "crun", why: "runs build steps in containers", package: "crun" },
  { tool: "slirp4netns", why: "the network of build steps", package: "slirp4netns" },
  { tool: "skopeo", why: "copies images between registries", package: "skopeo" },
  { tool: "docker-registry", why: "the local registries", package: "docker-registry" },
  { tool: "mmdebstrap", why: "builds the stand-in base images", package: "mmdebstrap" },
];

const KEYRING: Requirement = {
  tool: "/usr/share/keyrings/debian-archive-keyring.gpg",
  why: "verifies Debian's signatures for the stand-in base images",
  package: "debian-archive-keyring",
};

/** What this machine lacks to run the tests and the demo; empty when nothing. */
export async function missingRequirements(): Promise<Requirement[]> {
  const missing = PROGRAMS.filter(({ tool }) => !isProgram(tool));
  if (!existsSync(KEYRING.tool)) missing.push(KEYRING);
  const handler = foreignHandler();
  if (!(await emulationWorks(handler))) {
    missing.push({
      tool: `${handler.name} in binfmt_misc`,
      why: "runs the other architecture's programs",
      package: "qemu-user-static",
    });
  }
  return missing;
}

/**
 * Logs what is missing and installs it, nothing else.
 * @throws TgoError ENVIRONMENT: not root, no network, apt locked, a kernel that refuses the registration
 */
export async function installRequirements({ log }: { readonly log: Log }): Promise<void> {
  const missing = await missingRequirements();
  if (missing.length === 0) return;
  const handler = foreignHandler();
  const packages = [
    ...new Set(
      missing
        .map((requirement) => requirement.package)
        .filter((name) => name !== "qemu-user-static" || !existsSync(handler.interpreter)),
    ),
  ];
  if (process.getuid?.() !== 0) {
    throw new TgoError("ENVIRONMENT", `this machine lacks ${missing.map(({ tool }) => tool).join(", ")}`, {
      remedy: `Run this again as root, or first:\nsudo apt-get install --no-install-recommends ${packages.join(" ")}`,
    });
  }
  for (const { tool, why } of missing) log(`missing: ${tool} (${why})`);
  if (packages.length > 0) {
    log(`installing with apt: ${packages.join(" ")}`);
    const install = (): Promise<void> => aptInstall(packages, log);
    await (packages.includes("docker-registry") ? withoutRegistryService(install) : install());
  }
  if (!(await emulationWorks(handler))) {
    await registerEmulation(handler);
    log(`the kernel runs the other architecture's programs through ${handler.interpreter}`);
  }
  const still = await missingRequirements();
  if (still.length > 0) {
    throw new TgoError(
      "ENVIRONMENT",
      `still missing after installation: ${still.map(({ tool }) => tool).join(", ")}`,
      {
        remedy: `apt-get install --reinstall ${still.map((requirement) => requirement.package).join(" ")}`,
      },
    );
  }
}

function isProgram(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, name)));
}
