import { posix, resolve } from "node:path";
import { TgoError } from "@tgo/errors";
import type { Expectation } from "../exec.js";
import { lazy } from "../lazy.js";
import { absolute } from "../paths.js";
import { publish, writeTarball } from "../publish.js";
import type { CacheState, ContainerState, Mount, Location, SecretState, ServiceState } from "../state.js";
import { EMPTY, sha256 } from "../store.js";
import { exists, extracted } from "../tree.js";
import { configFields, withEnv } from "./config.js";
import { editFields } from "./edits.js";
import type { Field, Fields, Session } from "./fields.js";

export function emptyContainer(platform: string): ContainerState {
  return {
    ...{ platform, fs: lazy(() => EMPTY), config: {} },
    ...{ ports: [], mounts: [], secrets: [], bindings: [], auth: [] },
  };
}

interface Located {
  readonly path: string;
}

/** The absolute path, and what is mounted there or above. */
function find(state: ContainerState, given: string): { path: string; mount: Mount | undefined } {
  const path = absolute(given, state.config.WorkingDir);
  const [mount] = state.mounts
    .filter((other) => path === other.path || path.startsWith(`${other.path}/`))
    .sort((a, b) => b.path.length - a.path.length);
  return { path, mount };
}

/** Where a path lies: in a mounted tree, with the path there, or in the root file system. */
function locate(state: ContainerState, given: string): Location {
  const { path, mount } = find(state, given);
  if (!mount) return { fs: state.fs, path };
  if (mount.kind === "tree")
    return { fs: mount.from.fs, path: posix.join(mount.from.path, path.slice(mount.path.length)) };
  throw new TgoError("USAGE", `what lies in a mounted ${mount.kind} cannot be taken from the container`, {
    where: path,
    remedy: "copy it elsewhere with withExec first",
  });
}

/** Where a path that is to be changed lies: in the root file system, for what is mounted is not the container's. */
function locateOwn(state: ContainerState, given: string): string {
  const { path, mount } = find(state, given);
  if (!mount) return path;
  throw new TgoError("USAGE", "the embedded engine changes no files below a mount", {
    where: path,
    remedy: "change what is mounted, or withoutMount first",
  });
}

/** A field that mounts something at its `path`, instead of what was mounted there. */
function mount<A extends Located>(
  make: (path: string, args: A, session: Session) => Promise<Mount>,
): Field<ContainerState, A> {
  return async (state, args, session) => {
    const path = absolute(args.path, state.config.WorkingDir);
    const others = state.mounts.filter((other) => other.path !== path);
    return { ...state, mounts: [...others, await make(path, args, session)] };
  };
}

interface Sourced extends Located {
  readonly source: string;
}

interface Binding {
  readonly alias: string;
  readonly service: string;
}

interface Args {
  readonly args: readonly string[];
}

/** The whole command: the default arguments when none are given. */
function commandLine({ config }: ContainerState, args: readonly string[]): readonly string[] {
  const all = args.length > 0 ? args : (config.Cmd ?? []);
  if (all.length > 0) return all;
  throw new TgoError("USAGE", "no command to run", { remedy: "give args, or set default arguments" });
}

function executed(state: ContainerState, args: readonly string[], expect: Expectation, { cx }: Session) {
  const lastExec = lazy(() => cx.execs.run(state, args, expect));
  const after = (mounted: Mount): Mount => {
    if (mounted.kind !== "tree") return mounted;
    const fs = lazy(async () => (await lastExec.get()).mounts[mounted.path] ?? mounted.from.fs.get());
    return { ...mounted, from: { ...mounted.from, fs } };
  };
  const fs = lazy(async () => (await lastExec.get()).fs);
  return { ...state, lastExec, fs, mounts: state.mounts.map(after) };
}

/** A part of the last command's result. */
function lastResult(part: "stdout" | "stderr" | "exitCode"): Field<ContainerState> {
  return async ({ lastExec }) => {
    if (lastExec) return (await lastExec.get())[part];
    throw new TgoError("USAGE", "this container ran no command", { remedy: "withExec" });
  };
}

interface Variants {
  readonly platformVariants: readonly string[];
}

/** The container itself, unless it is empty, and the variants. */
async function variantsOf(state: ContainerState, { platformVariants }: Variants, { load }: Session) {
  const others = await Promise.all(platformVariants.map((id) => load<ContainerState>(id, "Container")));
  const all = (await state.fs.get()).layers.length > 0 ? [state, ...others] : others;
  if (all.length === 0) throw new TgoError("USAGE", "there is nothing in this container to publish");
  return all;
}

interface Routed {
  readonly registryService?: string;
}

async function routeOf({ auth }: ContainerState, { registryService: id }: Routed, { load }: Session) {
  return { auth, service: id === undefined ? undefined : await load<ServiceState>(id, "Service") };
}

export const containerFields = {
  ...configFields,
  ...editFields(locateOwn),

  sync: async (state: ContainerState, _: object, __, self) => {
    await state.fs.get();
    return self.id;
  },
  platform: (state: ContainerState) => state.platform,
  imageRef: ({ fs, origin, pulled }: ContainerState) => {
    // Whatever changes a file makes another file system.
    if (origin?.imageRef !== undefined && fs === pulled) return origin.imageRef;
    throw new TgoError("USAGE", "imageRef can only be retrieved immediately after from");
  },
  from: async (state: ContainerState, args: Routed & { address: string }, session) => {
    const route = await routeOf(state, args, session);
    const { image, content } = await session.cx.images.pull(args.address, state.platform, route);
    const { config, platform, origin } = image;
    return {
      ...state,
      platform,
      origin,
      pulled: content,
      config: (state.config.Env ?? []).reduce(withEnv, config),
      fs: content,
    };
  },

  rootfs: (state: ContainerState): Location => ({ fs: state.fs, path: "/" }),
  directory: (state: ContainerState, { path }: Located) => locate(state, path),
  file: (state: ContainerState, { path }: Located) => locate(state, path),
  exists: (state: ContainerState, { path }: Located, { cx }) => exists(cx, locate(state, path)),
  withRootfs: async (state: ContainerState, { directory }: { directory: string }, { cx, load }) => {
    const source = await load<Location>(directory, "Directory");
    return { ...state, fs: source.path === "/" ? source.fs : extracted(cx, source, {}).fs };
  },

  withMountedDirectory: mount(
    async (path, { source, readOnly }: Sourced & { readOnly: boolean }, { load }) => {
      const from = await load<Location>(source, "Directory");
      return { kind: "tree", path, from, file: false, readOnly };
    },
  ),
  withMountedFile: mount(async (path, { source }: Sourced, { load }) => {
    const from = await load<Location>(source, "File");
    return { kind: "tree", path, from, file: true, readOnly: false };
  }),
  withMountedCache: mount(async (path, { cache: id }: Located & { cache: string }, { load }) => {
    const cache = await load<CacheState>(id, "CacheVolume");
    return { kind: "cache", path, cache };
  }),
  withMountedSecret: mount(async (path, { source }: Sourced, { load }) => {
    const secret = await load<SecretState>(source, "Secret");
    return { kind: "secret", path, secret };
  }),
  withoutMount: (state: ContainerState, args: Located) => {
    const path = absolute(args.path, state.config.WorkingDir);
    return { ...state, mounts: state.mounts.filter((other) => other.path !== path) };
  },

  withExec: (state: ContainerState, { args, expect }: Args & { expect: Expectation }, session) =>
    executed(state, commandLine(state, args), expect, session),
  stdout: lastResult("stdout"),
  stderr: lastResult("stderr"),
  exitCode: lastResult("exitCode"),

  withServiceBinding: async (state: ContainerState, { alias, service: id }: Binding, { load }) => {
    const service = await load<ServiceState>(id, "Service");
    const others = state.bindings.filter((other) => other.alias !== alias);
    return { ...state, bindings: [...others, { alias, service }] };
  },
  asService: (container: ContainerState, given: Args, _, { id }): ServiceState => {
    const args = commandLine(container, given.args);
    return { kind: "container", container, args, id: sha256(JSON.stringify([id, args])) };
  },

  publish: async (state: ContainerState, args: Routed & Variants & { address: string }, session) => {
    const route = await routeOf(state, args, session);
    return publish(session.cx, args.address, await variantsOf(state, args, session), route);
  },
  asTarball: (state: ContainerState, args: Variants, session): Location => ({
    path: "/image.tar",
    fs: lazy(async () => {
      const { cx } = session;
      const variants = await variantsOf(state, args, session);
      const what = await Promise.all(
        variants.map(async ({ fs, config, platform }) => [(await fs.get()).layers, config, platform]),
      );
      return cx.views.step(EMPTY, ["tarball", what], (root) =>
        writeTarball(cx, `${root}/image.tar`, variants),
      );
    }),
  }),
  export: async (state: ContainerState, args: Variants & Located, session) => {
    const target = resolve(args.path);
    await writeTarball(session.cx, target, await variantsOf(state, args, session));
    return target;
  },
} satisfies Fields<ContainerState>;
