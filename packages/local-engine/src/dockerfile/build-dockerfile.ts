import { lstatSync } from "node:fs";
import { posix } from "node:path";
import { isProxyVariable, startProxies } from "./proxies.js";
import { TgoError } from "@tgo/errors";
import { readInputFile } from "@tgo/host";
import type { EngineContext } from "../engine-context.js";
import { withEvents } from "../events.js";
import { ExecFailure } from "../exec/exec-failure.js";
import { scrubber } from "../exec/scrub.js";
import { withLocation, type Location } from "../files/location.js";
import { makeDirectories, setFixedTimes } from "../files/make-directories.js";
import { resolveIn } from "../files/paths.js";
import { filterDirectory } from "../files/put.js";
import { findOwner } from "../files/users.js";
import type { Image, Platform } from "../images/image.js";
import { lazy, type Lazy } from "../lazy.js";
import { cutLine } from "../lines.js";
import type { Mount, ProxySettings, SecretState } from "../state.js";
import { EMPTY, type Snapshot } from "../store/snapshot.js";
import { copyFiles, findSources, isArchive } from "./copy-files.js";
import type { Step } from "./image-builder.js";
import { Locks } from "./locks.js";
import { planBuild, type BuildPlan, type PlannedStage } from "./plan-build.js";
import { invalid, placeIn, unsupported, type Place } from "./refuse.js";

export interface DockerfileBuild {
  readonly dockerfile: string;
  readonly platform: Platform;
  readonly buildArgs: readonly { readonly name: string; readonly value: string }[];
  readonly target: string;
  readonly secrets: readonly SecretState[];
}

/**
 * Builds a Dockerfile: reads it once, refuses what it would not build as BuildKit does, and then runs the steps as those of
 * every container. It pulls what the plan names, through the engine's mirrors, and nothing else.
 * @throws TgoError; ExecFailure of a RUN instruction
 */
export async function buildDockerfile(
  cx: EngineContext,
  context: Location,
  build: DockerfileBuild,
): Promise<Image> {
  const event = { kind: "build", title: build.dockerfile, platform: build.platform } as const;
  return withEvents(cx.settings.onEvent, event, async (onLine) => {
    const { text, ignored } = await readFiles(cx, context, build.dockerfile);
    const masked = [...Object.values(process.env), ...build.buildArgs.map(({ value }) => value)].filter(
      (value) => value !== undefined,
    );
    const scrub = scrubber([], masked);
    const proxies = await startProxies(process.env, build.buildArgs);
    const file = posix.basename(build.dockerfile);
    try {
      const plan = await planBuild({
        ...{ text, file, platform: build.platform, target: build.target },
        buildArgs: proxies.buildArgs,
        pull: (image, platform) => cx.images.pull(image, platform, { auth: [], service: undefined }),
        isHidden: isProxyVariable,
      });
      // COPY keeps the times of files.
      const files = filterDirectory(cx, context, { exclude: ignored }, "content and times");
      const builder = new StagesBuilder(cx, plan, {
        ...{ file, secrets: build.secrets, context: files.fs },
        proxies: { ...proxies, masked },
        clean: (line) => cutLine(scrub.line(line)),
        onLine,
      });
      await builder.checkArchives();
      return await builder.image();
    } finally {
      await proxies.close();
    }
  });
}

/** The Dockerfile, and the patterns of the files that COPY does not see. */
async function readFiles(cx: EngineContext, context: Location, dockerfile: string) {
  return withLocation(cx, context, "directory", async (folder) => {
    const read = async (path: string): Promise<string | undefined> => {
      const real = resolveIn(folder, path);
      if (!lstatSync(real, { throwIfNoEntry: false })?.isFile()) return undefined;
      return (await readInputFile(real)).bytes.toString();
    };
    const text = await read(dockerfile);
    if (text === undefined) {
      throw new TgoError("SOURCE", `no such file: ${dockerfile}`, {
        remedy: "give the Dockerfile's path below the directory",
      });
    }
    const patterns = (await read(`${dockerfile}.dockerignore`)) ?? (await read(".dockerignore")) ?? "";
    const ignored = patterns
      .replace(/^\uFEFF/, "")
      .split("\n")
      .filter((line) => !line.startsWith("#") && line.trim() !== "");
    return { text, ignored };
  });
}

interface Surroundings {
  /** The Dockerfile's name, for messages. */
  readonly file: string;
  readonly context: Lazy<Snapshot>;
  readonly secrets: readonly SecretState[];
  readonly proxies: ProxySettings;
  /** Shortens a line for people, and masks what looks like a credential. */
  readonly clean: (line: string) => string;
  readonly onLine: (line: string) => void;
}

/** Shared by all builds of this process. */
const cacheLocks = new Locks();

/** Builds the stages of a plan, each once, and none before another needs it. */
class StagesBuilder {
  readonly #built = new Map<number, Promise<Snapshot>>();
  readonly #place: Place;

  constructor(
    private readonly cx: EngineContext,
    private readonly plan: BuildPlan,
    private readonly around: Surroundings,
  ) {
    this.#place = placeIn(around.file);
  }

  /** Refuses ADD of an archive before anything is built. */
  async checkArchives(): Promise<void> {
    const added = [...this.plan.stages.values()].flatMap(({ steps }) => steps.filter(isAdd));
    if (added.length === 0) return;
    await this.cx.snapshots.mount(await this.around.context.get(), (root) => {
      for (const { at, sources } of added)
        for (const path of sources.flatMap((source) => this.#located(at, () => findSources(root, source))))
          if (isArchive(root, path))
            throw unsupported(this.#place(at), `ADD of an archive (${path.slice(1)})`);
    });
  }

  async image(): Promise<Image> {
    const target = this.#stage(this.plan.target);
    const fs = await this.#build(this.plan.target);
    let root = target;
    while (root.parent !== undefined) root = this.#stage(root.parent);
    const { created, history = [], layers = [] } = root.image?.image.origin ?? {};
    return {
      ...{ platform: root.image?.image.platform ?? target.platform, config: target.config, fs },
      origin: { layers, created, history },
    };
  }

  #stage(number: number): PlannedStage {
    const stage = this.plan.stages.get(number);
    if (stage === undefined) throw new TgoError("INTERNAL", `stage ${number} is not planned`);
    return stage;
  }

  #build(number: number): Promise<Snapshot> {
    const known = this.#built.get(number);
    if (known) return known;
    const building = this.#run(this.#stage(number));
    this.#built.set(number, building);
    return building;
  }

  async #run(stage: PlannedStage): Promise<Snapshot> {
    const { parent, image, steps } = stage;
    let fs = parent !== undefined ? await this.#build(parent) : image ? await image.content.get() : EMPTY;
    for (const step of steps) fs = await this.#step(stage, fs, step);
    return fs;
  }

  async #step(stage: PlannedStage, fs: Snapshot, step: Step): Promise<Snapshot> {
    const { cx, around } = this;
    const { at } = step;
    around.onLine(around.clean(`line ${at.lines[0] + 1}: ${[at.keyword, ...at.flags, at.rest].join(" ")}`));
    try {
      if (step.kind === "workdir") return await this.#makeFolder(fs, step.path, step.owner);
      if (step.kind === "run") return await this.#command(stage, fs, step);
      const { sources, destination, owner, permissions } = step;
      const name = at.flags.findLast((flag) => flag.startsWith("--from="))?.slice("--from=".length);
      return await copyFiles(cx, fs, {
        ...{ sources, destination, byContent: name === undefined },
        from: await this.#source(stage, at, name),
        ...(owner === undefined ? {} : { owner }),
        ...(permissions === undefined ? {} : { permissions }),
      });
    } catch (error) {
      if (!(error instanceof TgoError) || error.code !== "BUILD") throw error;
      throw invalidStep(this.#place(at), error);
    }
  }

  /** The files of the context, a stage or an image. */
  async #source(stage: PlannedStage, at: Step["at"], name: string | undefined): Promise<Snapshot> {
    if (name === undefined) return this.around.context.get();
    const source = stage.source(at, name);
    if (source === undefined) return EMPTY;
    return typeof source === "number" ? this.#build(source) : source.content.get();
  }

  #makeFolder(fs: Snapshot, path: string, user: string): Promise<Snapshot> {
    return this.cx.snapshots.step(fs, ["dockerfile workdir", path, user], async (root) => {
      const real = resolveIn(root, path);
      const info = lstatSync(real, { throwIfNoEntry: false });
      if (info?.isDirectory()) return;
      if (info) throw new TgoError("BUILD", `${path} is not a directory`);
      await makeDirectories(root, path, findOwner(root, user));
      await setFixedTimes(root, real);
    });
  }

  async #command(
    stage: PlannedStage,
    fs: Snapshot,
    step: Step & { readonly kind: "run" },
  ): Promise<Snapshot> {
    const { cx, around } = this;
    const { args, env, user, workdir } = step;
    // An image may name a folder that it does not have.
    const isThere = await cx.snapshots.mount(
      fs,
      (root) => lstatSync(resolveIn(root, workdir), { throwIfNoEntry: false }) !== undefined,
    );
    const root = isThere ? fs : await this.#makeFolder(fs, workdir, "");
    const mounts: Mount[] = [];
    const secrets: { name: string; secret: SecretState }[] = [];
    const locked: string[] = [];
    for (const mount of step.mounts) {
      const path = mount.target;
      if (mount.kind === "tmpfs") mounts.push({ path, kind: "tmpfs" });
      else if (mount.kind === "cache") {
        const { id, owner, mode } = mount;
        const key = `dockerfile ${id} ${owner} ${mode.toString(8)}`;
        if (mount.exclusive) locked.push(key);
        mounts.push({ path, kind: "cache", cache: { key, owner, mode } });
      } else if (mount.kind === "secret") {
        const secret = around.secrets.find(({ name }) => name === mount.id);
        if (secret === undefined && mount.required)
          throw invalid(this.#place(step.at), `the secret ${mount.id} is required, and not given`);
        if (secret === undefined) continue;
        if ("variable" in mount) secrets.push({ name: mount.variable, secret });
        else mounts.push({ path, kind: "secret", secret, owner: mount.owner, mode: mount.mode });
      } else {
        const from = { fs: lazy(() => this.#source(stage, step.at, mount.from)), path: mount.source };
        const isFile = await cx.snapshots.mount(await from.fs.get(), (below) => {
          const info = lstatSync(resolveIn(below, mount.source), { throwIfNoEntry: false });
          if (info === undefined) throw new TgoError("BUILD", `there is no ${mount.source} to mount`);
          return !info.isDirectory();
        });
        mounts.push({ path, kind: "tree", from, file: isFile, readOnly: mount.readOnly });
      }
    }
    const container = {
      ...{ platform: stage.platform, fs: lazy(() => root), mounts, secrets, proxies: around.proxies },
      config: { Env: env, User: user, WorkingDir: workdir },
      ...{ ports: [], bindings: [], auth: [] },
    };
    try {
      const result = await cacheLocks.run(locked, () => cx.execs.run(container, args, "SUCCESS"));
      return result.fs;
    } catch (error) {
      if (!(error instanceof ExecFailure)) throw error;
      const { cmd, exitCode, stdout, stderr } = error;
      const output = `${stdout}\n${stderr}`.trim();
      const where = `${this.#place(step.at)}: ${step.at.keyword} ${around.clean(step.at.rest)}`;
      const end = [where, ...output.split("\n").slice(-20)].join("\n");
      const message = `the build of ${around.file} failed\n${end}`;
      throw new ExecFailure(cmd, exitCode, "", end, message);
    }
  }

  #located<T>(at: Step["at"], task: () => T): T {
    try {
      return task();
    } catch (error) {
      throw error instanceof TgoError ? invalidStep(this.#place(at), error) : error;
    }
  }
}

function isAdd(step: Step): step is Step & { readonly kind: "copy" } {
  return step.kind === "copy" && step.unpack;
}

function invalidStep(where: string, { code, what, remedy, cause }: TgoError): TgoError {
  return new TgoError(code, `${where}: ${what}`, { ...(remedy === undefined ? {} : { remedy }), cause });
}
