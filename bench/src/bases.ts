import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Platform } from "@tgo/catalog";
import { imagesOf, parseDockerfile, parseStages } from "@tgo/dockerfile";
import { formatReference, parseReference } from "@tgo/registry";
import { dockerHubIsReachable, pushBases, startRegistry, type LocalRegistry } from "@tgo/testing";
import { addApk } from "./stand-in-apk.js";
import type { Sample } from "./samples.js";

const run = promisify(execFile);

export interface Bases {
  readonly registry: LocalRegistry;
  /** Where its images come from, for the report. */
  readonly origin: string;
}

/** The image that the container tools run in. */
const TOOLS_IMAGE = "docker.io/library/node:20-alpine";

/** Serves base images from a registry on this machine, so that no build waits for Docker Hub: real ones or stand-ins. */
export async function startBases(
  samples: readonly Sample[],
  native: Platform,
  log: (text: string) => void,
): Promise<Bases> {
  if (!(await dockerHubIsReachable())) {
    log("Docker Hub is unreachable: using stand-ins for python, node and nginx, made of Debian packages.");
    const standIns = await startRegistry({ auth: "none" });
    await pushBases(standIns);
    await addApk(standIns.host);
    return {
      registry: standIns,
      origin: "stand-ins made of Debian packages (in those for Alpine, `apk` installs nothing)",
    };
  }
  const registry = await startRegistry({ auth: "none" });
  const images = await basesOf(samples, native);
  log(`Copying ${images.length} base images from Docker Hub to a registry on this machine.`);
  for (const image of images) await copyImage(image, image.replace(/^docker\.io/, registry.host));
  return { registry, origin: "Docker Hub" };
}

async function copyImage(from: string, to: string): Promise<void> {
  const flags = ["--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false"];
  await run("skopeo", ["copy", ...flags, `docker://${from}`, `docker://${to}`]);
}

async function basesOf(samples: readonly Sample[], native: Platform): Promise<string[]> {
  const named = await Promise.all(
    samples.map(async ({ service: { build }, folder, hasDockerfile }) => [
      ...("base" in build ? [build.base] : []),
      ...("builder" in build ? [build.builder] : []),
      ...(hasDockerfile ? dockerfileBases(await readFile(join(folder, "Dockerfile"), "utf8"), native) : []),
    ]),
  );
  return [...new Set([TOOLS_IMAGE, ...named.flat()])].filter((image) => image.startsWith("docker.io/"));
}

/** The images a Dockerfile names, with host and tag; build arguments have their defaults. */
export function dockerfileBases(text: string, native: Platform): string[] {
  const images = imagesOf(parseStages(parseDockerfile(text), { BUILDPLATFORM: native }));
  return [...new Set(images.map(({ image }) => fullName(image)))];
}

function fullName(image: string): string {
  const reference = parseReference(image);
  const isFloating = reference.tag === undefined && reference.digest === undefined;
  return formatReference(isFloating ? { ...reference, tag: "latest" } : reference);
}
