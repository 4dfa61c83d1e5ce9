import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createReadStream } from "node:fs";
import { platformOf, parseConfig, type Manifest } from "@tgo/oci";
import { TgoError } from "@tgo/errors";
import { emulationProblem } from "./binfmt.js";
import { command } from "./command.js";
import type { Context } from "./context.js";
import { told } from "./events.js";
import { ExecFailure } from "./exec.js";
import { originOf, type PulledImage } from "./images.js";
import { resolveIn } from "./paths.js";
import { scrubber } from "./scrub.js";
import type { DirectoryState, ImageConfig, Platform, SecretState } from "./state.js";
import { EMPTY, keyOf } from "./store.js";

export interface DockerBuild {
  readonly dockerfile: string;
  readonly platform: Platform;
  readonly buildArgs: readonly { readonly name: string; readonly value: string }[];
  readonly target: string;
  readonly secrets: readonly SecretState[];
}

/**
 * Builds a Dockerfile with `buildah bud`, whose own layer cache makes an unchanged build short. Images of FROM go
 * through the same mirrors. The result is taken in Docker's format: the OCI one has no health check.
 * @throws ExecFailure with buildah's output
 */
export async function dockerBuild(
  cx: Context,
  context: DirectoryState,
  build: DockerBuild,
): Promise<Omit<PulledImage, "imageRef">> {
  const fs = await context.fs.get();
  const work = await cx.store.workFolder();
  const event = { kind: "build", title: build.dockerfile, platform: build.platform } as const;
  try {
    return await cx.views.look(fs, (root) =>
      told(cx.onEvent, event, async () => {
        const folder = resolveIn(root, context.path);
        const dockerfile = resolveIn(folder, build.dockerfile);
        const text = await readFile(dockerfile, "utf8").catch((cause: unknown) => {
          throw new TgoError("SOURCE", `there is no ${build.dockerfile}`, {
            cause,
            remedy: "give the Dockerfile's path below the directory",
          });
        });
        const problem = /^\s*RUN\s/im.test(text) ? emulationProblem(build.platform) : undefined;
        if (problem) throw problem;
        const id = await bud(cx, build, folder, dockerfile, text, cx.store.path(work), (line) => {
          cx.onEvent({ ...event, state: "line", line });
        });
        return await takeImage(cx, id, cx.store.path(work, "image"));
      }),
    );
  } finally {
    await cx.store.discard(work);
  }
}

async function bud(
  cx: Context,
  build: DockerBuild,
  folder: string,
  dockerfile: string,
  text: string,
  work: string,
  onLine: (line: string) => void,
): Promise<string> {
  const secrets = await Promise.all(
    build.secrets.map(async (secret, index) => ({
      name: secret.name,
      variable: `TGO_SECRET_${index}`,
      value: await secret.plaintext(),
    })),
  );
  const scrub = scrubber(secrets.map(({ value }) => value));
  const registries = join(work, "registries.conf");
  await writeFile(
    registries,
    registriesConf(cx.mirrors, `${text}\n${build.buildArgs.map((arg) => arg.value).join("\n")}`),
  );
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    CONTAINERS_REGISTRIES_CONF: registries,
    ...Object.fromEntries(secrets.map(({ variable, value }) => [variable, value])),
  };
  const argv = [
    ...[
      "buildah",
      "bud",
      "--isolation",
      "chroot",
      "--layers",
      "--format",
      "docker",
      "--pull",
      "--platform",
      build.platform,
    ],
    ...build.buildArgs.flatMap(({ name, value }) => ["--build-arg", `${name}=${value}`]),
    ...(build.target === "" ? [] : ["--target", build.target]),
    ...secrets.flatMap(({ name, variable }) => ["--secret", `id=${name},env=${variable}`]),
    ...(cx.caBundle === undefined
      ? []
      : ["--volume", `${cx.caBundle}:/etc/ssl/certs/ca-certificates.crt:ro`]),
    ...["--iidfile", join(work, "id"), "--file", dockerfile, folder],
  ];
  const said: string[] = [];
  try {
    await command(argv, {
      env,
      signal: cx.signal,
      onLine: (line) => {
        said.push(scrub(line));
        onLine(scrub(line));
      },
    });
  } catch (error) {
    if (error instanceof TgoError && error.code !== "INTERNAL") throw error;
    throw new ExecFailure(
      ["buildah", "bud", build.dockerfile],
      1,
      "",
      said.join("\n"),
      `the build of ${build.dockerfile} failed\n${said.slice(-20).join("\n")}`,
    );
  }
  return (await readFile(join(work, "id"), "utf8")).trim();
}

/** Mirrors, and plain HTTP for this machine's registries, for buildah's own pulls. */
function registriesConf(mirrors: Readonly<Record<string, string>>, text: string): string {
  const local = [...new Set(text.match(/\b(?:localhost|127\.0\.0\.1):\d+/g))];
  const loopback = (host: string): boolean => /^(localhost|127\.)/.test(host);
  return [
    `unqualified-search-registries = ["docker.io"]`,
    `short-name-mode = "disabled"`,
    ...Object.entries(mirrors).map(
      ([host, mirror]) =>
        `[[registry]]\nlocation = "${host}"\n[[registry.mirror]]\nlocation = "${mirror}"\ninsecure = ${loopback(mirror)}`,
    ),
    ...local.map((host) => `[[registry]]\nlocation = "${host}"\ninsecure = true`),
    "",
  ].join("\n");
}

/** Takes an image out of buildah's storage; layers that were pulled keep the bytes their registry has. */
async function takeImage(cx: Context, id: string, folder: string): Promise<Omit<PulledImage, "imageRef">> {
  const fact = `meta/built-${keyOf(id)}.json`;
  const known = await cx.store.readJson<Omit<PulledImage, "imageRef">>(fact);
  if (known) return known;
  await mkdir(folder);
  await command(
    [
      "buildah",
      "push",
      "-q",
      "--format",
      "v2s2",
      "--disable-compression",
      id.replace("sha256:", ""),
      `dir:${folder}`,
    ],
    { signal: cx.signal },
  );
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
  const file = (digest: string): string => join(folder, digest.replace("sha256:", ""));
  const config = parseConfig(await readFile(file(manifest.config.digest)), id);
  let fs = EMPTY;
  for (const [index, layer] of manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[index] ?? layer.digest;
    const blob = await cx.layers.blobOfTar(diffId, () =>
      createReadStream(file(layer.digest), { highWaterMark: 1 << 20 }),
    );
    fs = await cx.layers.unpack(fs, blob, file(layer.digest));
  }
  const image = {
    platform: platformOf(config),
    config: (config.config ?? {}) as ImageConfig,
    fs,
    origin: originOf(config, fs),
  };
  await cx.store.writeJson(fact, image);
  return image;
}
