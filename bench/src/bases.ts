import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { dockerHubAnswers, startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testbed";
import type { Sample } from "./samples.js";

const run = promisify(execFile);

export interface Bases {
  readonly registry: LocalRegistry;
  /** Where the images in it come from, for the report. */
  readonly origin: string;
}

/** The image that stages run their own programs in. */
const TOOLS = "docker.io/library/node:20-alpine";

/** Base images in a registry of this machine, so that no build waits for Docker Hub: its own, or stand-ins. */
export async function startBases(samples: readonly Sample[], log: (text: string) => void): Promise<Bases> {
  if (!(await dockerHubAnswers())) {
    log(
      "Docker Hub does not answer: python, node and nginx are stood in for by images made of Debian packages.",
    );
    return { registry: await startBaseMirror({ log }), origin: "stand-ins made of Debian packages" };
  }
  const registry = await startRegistry({ auth: "none" });
  const wanted = await basesOf(samples);
  log(`Copying ${wanted.length} base images from Docker Hub to a registry of this machine, once.`);
  for (const image of wanted) await copyImage(image, image.replace(/^docker\.io/, registry.host));
  return { registry, origin: "Docker Hub" };
}

async function copyImage(from: string, to: string): Promise<void> {
  const flags = ["--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false"];
  await run("skopeo", ["copy", ...flags, `docker://${from}`, `docker://${to}`]);
}

async function basesOf(samples: readonly Sample[]): Promise<string[]> {
  const named = await Promise.all(
    samples.map(async ({ service: { build }, folder, hasDockerfile }) => [
      ...("base" in build ? [build.base] : []),
      ...("builder" in build ? [build.builder] : []),
      ...(hasDockerfile ? await dockerfileBases(folder) : []),
    ]),
  );
  return [...new Set([TOOLS, ...named.flat()])].filter((image) => image.startsWith("docker.io/"));
}

/** The images a service's Dockerfile starts from, with host and tag. */
export async function dockerfileBases(folder: string): Promise<string[]> {
  return fromLines(await readFile(join(folder, "Dockerfile"), "utf8"));
}

/** What FROM lines name, without stages of the same file and without names that arguments decide. */
export function fromLines(dockerfile: string): string[] {
  const lines = [...dockerfile.matchAll(/^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?/gim)];
  const stages = new Set(lines.map(([, , stage]) => stage?.toLowerCase()));
  const images = lines.map(([, image = ""]) => image);
  return [...new Set(images)]
    .filter((image) => image !== "scratch" && !image.includes("$") && !stages.has(image.toLowerCase()))
    .map(fullName);
}

function fullName(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const hasHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const named = hasHost ? image : `docker.io/${rest.length === 0 ? "library/" : ""}${image}`;
  return /[:@]/.test(named.slice(named.lastIndexOf("/"))) ? named : `${named}:latest`;
}
