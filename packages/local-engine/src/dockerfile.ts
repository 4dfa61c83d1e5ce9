import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig, type Manifest } from "@tgo/registry";
import { TgoError } from "@tgo/errors";
import { emulationProblem } from "./binfmt.js";
import { CA_BUNDLE, CA_VARIABLES } from "./ca.js";
import { command } from "./command.js";
import type { Context } from "./context.js";
import { told } from "./events.js";
import { ExecFailure } from "./exec.js";
import { imageOf } from "./images.js";
import { checkHost } from "./host.js";
import { resolveIn } from "./paths.js";
import { scrubber } from "./scrub.js";
import type { Image, Location, Platform, SecretState } from "./state.js";
import { EMPTY, keyOf } from "./store.js";
import { lookAt } from "./tree.js";

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
export async function dockerBuild(cx: Context, context: Location, build: DockerBuild): Promise<Image> {
  const [lacking] = checkHost({ dockerBuild: true });
  if (lacking) throw lacking;
  const event = { kind: "build", title: build.dockerfile, platform: build.platform } as const;
  return lookAt(cx, context, "directory", (folder) =>
    told(cx.settings.onEvent, event, async (onLine) => {
      const text = await readFile(resolveIn(folder, build.dockerfile), "utf8").catch((cause: unknown) => {
        throw new TgoError("SOURCE", `there is no ${build.dockerfile}`, {
          cause,
          remedy: "give the Dockerfile's path below the directory",
        });
      });
      const problem = /^\s*RUN\s/im.test(text) ? emulationProblem(build.platform) : undefined;
      if (problem) throw problem;
      return cx.store.inWork(async (work) => {
        const id = await bud(cx, build, { folder, text }, cx.store.path(work), onLine);
        return takeImage(cx, id, cx.store.path(work, "image"));
      });
    }),
  );
}

async function bud(
  cx: Context,
  build: DockerBuild,
  { folder, text }: { folder: string; text: string },
  work: string,
  onLine: (line: string) => void,
): Promise<string> {
  const { caBundle, mirrors, signal } = cx.settings;
  const secrets = await Promise.all(
    build.secrets.map(async (secret, index) => ({
      name: secret.name,
      variable: `TGO_SECRET_${index}`,
      value: await secret.plaintext(),
    })),
  );
  const scrub = scrubber(secrets.map(({ value }) => value));
  const names = `${text}\n${build.buildArgs.map((arg) => arg.value).join("\n")}`;
  await writeFile(join(work, "registries.conf"), registriesConf(mirrors, names));
  await writeFile(join(work, "Dockerfile"), caBundle === undefined ? text : trusting(text));
  // Credentials and secrets: in memory only.
  const memory = await mkdtemp("/dev/shm/tgo-engine-");
  await writeFile(join(memory, "auth.json"), await authFile(cx, names), { mode: 0o600 });
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    CONTAINERS_REGISTRIES_CONF: join(work, "registries.conf"),
    REGISTRY_AUTH_FILE: join(memory, "auth.json"),
    ...(caBundle === undefined ? {} : { SSL_CERT_FILE: caBundle }),
    ...Object.fromEntries(secrets.map(({ variable, value }) => [variable, value])),
  };
  const argv = [
    ...[
      "buildah",
      "bud",
      "--isolation",
      "chroot",
      "--layers",
      "--force-rm",
      "--format",
      "docker",
      "--pull-always",
    ],
    ...["--platform", build.platform],
    ...build.buildArgs.flatMap(({ name, value }) => ["--build-arg", `${name}=${value}`]),
    ...(build.target === "" ? [] : ["--target", build.target]),
    ...secrets.flatMap(({ name, variable }) => ["--secret", `id=${name},env=${variable}`]),
    ...(caBundle === undefined ? [] : ["--volume", `${caBundle}:${CA_BUNDLE}:ro`]),
    ...ignoreFile(folder, build.dockerfile),
    ...["--iidfile", join(work, "id"), "--file", join(work, "Dockerfile"), folder],
  ];
  const said: string[] = [];
  try {
    await command(argv, {
      env,
      signal,
      onLine: (line) => {
        said.push(scrub(line));
        onLine(scrub(line));
      },
    });
  } catch (error) {
    if (error instanceof TgoError && error.code !== "INTERNAL") throw error;
    const message = `the build of ${build.dockerfile} failed\n${said.slice(-20).join("\n")}`;
    throw new ExecFailure(["buildah", "bud", build.dockerfile], 1, "", said.join("\n"), message);
  } finally {
    await rm(memory, { recursive: true });
  }
  return (await readFile(join(work, "id"), "utf8")).trim();
}

/** A Dockerfile's own ignore file: buildah looks for it beside the Dockerfile, which is another one here. */
function ignoreFile(folder: string, dockerfile: string): string[] {
  const path = resolveIn(folder, `${dockerfile}.dockerignore`);
  return existsSync(path) ? ["--ignorefile", path] : [];
}

/** The Dockerfile with the CA variables as arguments of each stage: commands see them, the image's config does not. */
function trusting(text: string): string {
  const args = CA_VARIABLES.map((name) => `ARG ${name}=${CA_BUNDLE}\n`).join("");
  return text.replace(
    /(?<!\\[ \t]*\r?\n)^[ \t]*FROM[ \t].*\r?(?:\n|$)/gim,
    (line) => `${line.trimEnd()}\n${args}`,
  );
}

/** The credentials for every host that is named, as `docker login` writes them. */
async function authFile(cx: Context, text: string): Promise<string> {
  const named = text.match(/\b[\w-]+(?:\.[\w-]+)*(?:\.[a-z]{2,}|:\d+)(?=\/)/g) ?? [];
  const { keychain, mirrors } = cx.settings;
  const mirroring = Object.values(mirrors).map((mirror) => mirror.split("/")[0] ?? "");
  const hosts = new Set(["docker.io", ...named, ...mirroring]);
  const auths: Record<string, object> = {};
  for (const host of hosts) {
    const credentials = await keychain(host);
    if (credentials === undefined) continue;
    auths[host === "docker.io" ? "https://index.docker.io/v1/" : host] =
      "identityToken" in credentials
        ? { identitytoken: credentials.identityToken }
        : { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64") };
  }
  return JSON.stringify({ auths });
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
async function takeImage(cx: Context, id: string, folder: string): Promise<Image> {
  const fact = `meta/built-${keyOf(id)}.json`;
  const known = await cx.store.readJson<Image>(fact);
  if (known && cx.store.isWhole(known.fs)) return known;
  await mkdir(folder);
  const format = ["--format", "v2s2", "--disable-compression"];
  const push = ["buildah", "push", "-q", ...format, id.replace("sha256:", ""), `dir:${folder}`];
  await command(push, { signal: cx.settings.signal });
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
  const file = (digest: string): string => join(folder, digest.replace("sha256:", ""));
  const config = parseConfig(await readFile(file(manifest.config.digest)), id);
  let fs = EMPTY;
  for (const [index, { digest }] of manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[index] ?? digest;
    // The CA bundle's mount point is all that is left of it.
    fs = await cx.layers.unpackBuilt(fs, diffId, file(digest), CA_BUNDLE);
  }
  // The build container's name: another one in each build.
  if (config.config) Reflect.deleteProperty(config.config, "Hostname");
  const image = imageOf(config, fs);
  await cx.store.writeJson(fact, image);
  return image;
}
