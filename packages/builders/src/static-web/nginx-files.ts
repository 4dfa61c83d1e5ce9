import type { Container } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { entryName } from "../source/entry-name.js";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import {
  DEFAULT_CONF,
  isHashed,
  isUnprivileged,
  MAIN_CONF,
  requireUnprivilegedPort,
  siteConfiguration,
  UNPRIVILEGED,
} from "./nginx-configuration.js";

/** Files that define servers in nginx's image; its entrypoint expands the templates. */
const OWN_SITE = /^\/etc\/nginx\/(?:conf\.d\/.*\.conf|templates\/.*)$/;

/** nginx's configuration files, path to contents, except those that the service provides itself. */
export async function nginxFiles(request: BuildRequest<StaticWebBuild>): Promise<Record<string, string>> {
  const { name, service } = request;
  const { user, ports, files } = service.image;
  const own = files.map(({ to }) => to);
  const main: Record<string, string> =
    isUnprivileged(user) && !own.includes(MAIN_CONF) ? { [MAIN_CONF]: UNPRIVILEGED } : {};
  if (own.some((path) => OWN_SITE.test(path))) return main;
  const port = ports[0] ?? 80;
  if (isUnprivileged(user)) requireUnprivilegedPort(name, user, port);
  const site = siteConfiguration({ ...service.build, port, unhashed: await unhashedAssets(request) });
  return { ...main, [DEFAULT_CONF]: site };
}

/** Files that Vite copies unchanged and whose names merely look as if they contained a hash. */
async function unhashedAssets({ source }: BuildRequest): Promise<string[]> {
  if (!source.entries.map(entryName).includes("public")) return [];
  const copied = await source.directory.glob("public/assets/**");
  return copied
    .map((path) => path.replace(/^public/, ""))
    .filter(isHashed)
    .sort();
}

/** Adds files to a container. */
export function withFiles(
  { context }: BuildRequest,
  container: Container,
  files: Readonly<Record<string, string>>,
): Container {
  return Object.entries(files).reduce((result, [path, contents]) => {
    const file = context.client
      .directory()
      .withNewFile("file", contents)
      .file("file")
      .withTimestamps(LAYER_TIME);
    return result.withFile(path, file, { permissions: 0o644 });
  }, container);
}
