import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig, type Manifest } from "@tgo/registry";
import { TgoError } from "@tgo/errors";
import { readInputFile } from "@tgo/host";
import { CA_BUNDLE } from "../ca.js";
import { checkHost } from "../check-host.js";
import type { EngineContext } from "../engine-context.js";
import { emulationProblem } from "../emulation.js";
import { withEvents } from "../events.js";
import { ExecFailure } from "../exec/exec-failure.js";
import { scrubber } from "../exec/scrub.js";
import { withLocation, type Location } from "../files/location.js";
import { FIXED_TIME } from "../files/make-directories.js";
import { resolveIn } from "../files/paths.js";
import { cutLine } from "../lines.js";
import { imageOf, type Image, type Platform } from "../images/image.js";
import type { SecretState } from "../state.js";
import { keyOf } from "../store/keys.js";
import { EMPTY } from "../store/snapshot.js";
import { withBuildah, type Buildah } from "./buildah.js";
import { buildArguments, ignoreFileArguments, withCaArguments } from "./buildah-config.js";
import { startProxies, type Proxies } from "./proxies.js";

export interface DockerfileBuild {
  readonly dockerfile: string;
  readonly platform: Platform;
  readonly buildArgs: readonly { readonly name: string; readonly value: string }[];
  readonly target: string;
  readonly secrets: readonly SecretState[];
}

/**
 * Builds a Dockerfile with `buildah bud`, whose own layer cache makes an unchanged build fast. FROM images come from the
 * engine's mirrors. The result is in Docker's format, because the OCI format has no health check.
 * @throws ExecFailure with buildah's output
 */
export async function buildDockerfile(
  cx: EngineContext,
  context: Location,
  build: DockerfileBuild,
): Promise<Image> {
  const [missing] = checkHost({ dockerBuild: true });
  if (missing) throw missing;
  const event = { kind: "build", title: build.dockerfile, platform: build.platform } as const;
  return withLocation(cx, context, "directory", (folder) =>
    withEvents(cx.settings.onEvent, event, async (onLine) => {
      const file = await readInputFile(resolveIn(folder, build.dockerfile)).catch((cause: unknown) => {
        throw new TgoError("SOURCE", `no such file: ${build.dockerfile}`, {
          cause,
          remedy: "give the Dockerfile's path below the directory",
        });
      });
      const text = file.bytes.toString();
      const problem = /^\s*RUN\s/im.test(text) ? emulationProblem(build.platform) : undefined;
      if (problem) throw problem;
      return cx.store.withWorkFolder(async (work) => {
        const names = `${text}\n${build.buildArgs.map((arg) => arg.value).join("\n")}`;
        const proxies = await startProxies(process.env, build.buildArgs);
        const request = { names, work, context: folder, proxies: proxies.addresses };
        return withBuildah(cx, request, async (buildah) => {
          const given = { folder, text, work: cx.store.path(work), buildah, proxies };
          const id = await bud(cx, build, given, onLine);
          const bases = basesOf(text, build.platform);
          return takeImage(cx, id, { folder: cx.store.path(work, "image"), buildah, bases });
        }).finally(proxies.close);
      });
    }),
  );
}

interface BuildSetting {
  /** The build's context. */
  readonly folder: string;
  /** The Dockerfile. */
  readonly text: string;
  readonly work: string;
  readonly buildah: Buildah;
  readonly proxies: Proxies;
}

/** The lines of a build's output that its error has, at least. */
const KEPT_LINES = 1000;

async function bud(
  cx: EngineContext,
  build: DockerfileBuild,
  { folder, text, work, buildah, proxies }: BuildSetting,
  onLine: (line: string) => void,
): Promise<string> {
  const { caBundle } = cx.settings;
  const secrets = await Promise.all(
    build.secrets.map(async (secret, index) => ({
      name: secret.name,
      variable: `TGO_SECRET_${index}`,
      value: await secret.plaintext(),
    })),
  );
  const scrub = scrubber(
    secrets.map(({ value }) => value),
    [...Object.values(process.env), ...build.buildArgs.map(({ value }) => value)],
  );
  await writeFile(join(work, "Dockerfile"), caBundle === undefined ? text : withCaArguments(text));
  const passed = buildArguments(proxies.buildArgs);
  const env = {
    ...proxies.env,
    ...passed.env,
    ...Object.fromEntries(secrets.map(({ variable, value }) => [variable, value])),
  };
  const argv = [
    ...["bud", ...buildah.isolation, "--layers", "--force-rm", "--format", "docker", "--pull-always"],
    // RUN lines get the proxies; the image gets neither them nor, in a label, the version of buildah.
    ...["--http-proxy=true", "--identity-label=false"],
    ...["--platform", build.platform],
    ...passed.argv,
    ...(build.target === "" ? [] : ["--target", build.target]),
    ...secrets.flatMap(({ name, variable }) => ["--secret", `id=${name},env=${variable}`]),
    ...(caBundle === undefined ? [] : ["--volume", `${caBundle}:${CA_BUNDLE}:ro`]),
    ...ignoreFileArguments(folder, build.dockerfile),
    ...["--iidfile", join(work, "id"), "--file", join(work, "Dockerfile"), buildah.context],
  ];
  let output: string[] = [];
  try {
    await buildah.run(argv, {
      env,
      onLine: (line) => {
        const clean = cutLine(scrub.line(line));
        output.push(clean);
        if (output.length > 2 * KEPT_LINES) output = output.slice(-KEPT_LINES);
        onLine(clean);
      },
    });
  } catch (error) {
    if (error instanceof TgoError && error.code !== "INTERNAL") throw error;
    const refusal = buildah.refusal();
    if (refusal) throw refusal;
    const message = `the build of ${build.dockerfile} failed\n${output.slice(-20).join("\n")}`;
    throw new ExecFailure(["buildah", "bud", build.dockerfile], 1, "", output.join("\n"), message);
  }
  return (await readFile(join(work, "id"), "utf8")).trim();
}

/** An image that a stage starts from. */
interface Base {
  readonly image: string;
  readonly platform: Platform;
}

/** The images that stages start from by digest. Of others, only buildah knows what they were when it pulled them. */
function basesOf(text: string, platform: Platform): Base[] {
  const lines = text.matchAll(/^[ \t]*FROM[ \t]+((?:--\S+[ \t]+)*)([^\s$@]+@sha256:[0-9a-f]{64})(?=\s|$)/gim);
  return [...lines].flatMap(([, flags = "", image = ""]) => {
    const own = /--platform=(\S+)/.exec(flags)?.[1] ?? platform;
    return own.includes("$") ? [] : [{ image, platform: own }];
  });
}

/** Starts the history of an instruction that runs nothing. */
const NO_COMMAND = "/bin/sh -c #(nop) ";

/** Takes an image out of buildah's storage; layers that were pulled keep the bytes their registry has. */
async function takeImage(
  cx: EngineContext,
  id: string,
  { folder, buildah, bases }: { folder: string; buildah: Buildah; bases: readonly Base[] },
): Promise<Image> {
  const entry = `meta/built-${keyOf(id)}.json`;
  const known = await cx.store.readJson<Image>(entry);
  if (known && cx.store.isComplete(known.fs)) return known;
  await mkdir(folder);
  const format = ["--format", "v2s2", "--disable-compression"];
  await buildah.run(["push", "-q", ...format, id.replace("sha256:", ""), `dir:${folder}`]);
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
  const file = (digest: string): string => join(folder, digest.replace("sha256:", ""));
  const config = parseConfig(await readFile(file(manifest.config.digest)), id);
  const instructions = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const diffIds = new Set(config.rootfs.diff_ids);
  for (const { image, platform } of bases) {
    const pulled = await cx.images.pull(image, platform, { auth: [], service: undefined });
    await pulled.fetchLayers(diffIds);
  }
  let fs = EMPTY;
  for (const [index, { digest }] of manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[index] ?? digest;
    const isRun = !String(instructions[index]?.created_by).startsWith(NO_COMMAND);
    fs = await cx.layers.unpackBuilt(fs, {
      ...{ diffId, file: file(digest) },
      // The CA bundle leaves an empty mount point.
      without: CA_BUNDLE,
      // COPY and ADD keep the files' times, but the folders they make or change get the time of the build.
      ...(isRun ? {} : { directoryTime: FIXED_TIME }),
    });
  }
  // The build container's name, which differs in each build.
  if (config.config) Reflect.deleteProperty(config.config, "Hostname");
  const image = imageOf(config, fs);
  await cx.store.writeJson(entry, image);
  return image;
}
