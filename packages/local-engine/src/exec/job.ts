import type { Context } from "../context.js";
import { digestOfFile } from "../files/location.js";
import type { ContainerState, Mount, ServiceState } from "../state.js";
import type { Snapshot } from "../store/snapshot.js";

/** A command with everything it runs with, evaluated. */
export interface Job {
  readonly container: ContainerState;
  readonly args: readonly string[];
  readonly fs: Snapshot;
  readonly mounts: readonly { readonly mount: Mount; readonly fs: Snapshot | undefined }[];
  /** Everything the result depends on. */
  readonly key: unknown;
}

/** Evaluates what a command needs: file systems, but no secret's value. */
export async function prepareJob(
  cx: Context,
  container: ContainerState,
  args: readonly string[],
): Promise<Job> {
  const [fs, mounts, services] = await Promise.all([
    container.fs.get(),
    Promise.all(
      container.mounts.map(async (mount) => {
        const mounted = mount.kind === "tree" ? await mount.from.fs.get() : undefined;
        return { mount, fs: mounted, content: await mountContent(cx, mount, mounted) };
      }),
    ),
    Promise.all(container.bindings.map(async ({ alias, service }) => [alias, await serviceKey(cx, service)])),
  ]);
  const { Env, User, WorkingDir } = container.config;
  const key = [
    ...[args, fs.layers, container.platform, Env, User, WorkingDir],
    mounts.map(({ mount, content }) => [mount.path, mount.kind, content]),
    container.secrets.map(({ name, secret }) => [name, secret.uri]),
    services,
  ];
  return { container, args, fs, mounts, key };
}

/** What identifies a mount in the key: a file's content, a directory's layers. */
async function mountContent(cx: Context, mount: Mount, fs: Snapshot | undefined): Promise<unknown> {
  if (mount.kind === "cache") return mount.cache.key;
  if (mount.kind === "tmpfs") return undefined;
  if (mount.kind === "secret") {
    const { secret, owner, mode } = mount;
    return owner === undefined && mode === undefined ? secret.uri : [secret.uri, owner, mode];
  }
  return [mount.readOnly, mount.file ? await digestOfFile(cx, mount.from) : [fs?.layers, mount.from.path]];
}

async function serviceKey(cx: Context, service: ServiceState): Promise<unknown> {
  if (service.kind === "host") return [service.host, service.ports];
  return [(await prepareJob(cx, service.container, service.args)).key, service.container.ports];
}
