import type { Container } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { bare } from "../source/load-source.js";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import {
  DEFAULT_CONF,
  isHashed,
  isUnprivileged,
  MAIN_CONF,
  requireFreePort,
  siteConfiguration,
  UNPRIVILEGED,
} from "./nginx.js";

/** Where nginx's image reads servers from; its entrypoint fills the templates in. */
const OWN_SITE = /^\/etc\/nginx\/(?:conf\.d\/.*\.conf|templates\/.*)$/;

/** Files of nginx's configuration, path to contents: those the service does not bring itself. */
export async function siteFiles(request: BuildRequest<StaticWebBuild>): Promise<Record<string, string>> {
  const { name, service } = request;
  const { user, ports, files } = service.image;
  const own = files.map(({ to }) => to);
  const main: Record<string, string> =
    isUnprivileged(user) && !own.includes(MAIN_CONF) ? { [MAIN_CONF]: UNPRIVILEGED } : {};
  if (own.some((path) => OWN_SITE.test(path))) return main;
  const port = ports[0] ?? 80;
  if (isUnprivileged(user)) requireFreePort(name, user, port);
  const site = siteConfiguration({ ...service.build, port, unhashed: await seeminglyHashed(request) });
  return { ...main, [DEFAULT_CONF]: site };
}

/** Paths of files that Vite copies as they are, whose names only look as if they had a hash. */
async function seeminglyHashed({ source }: BuildRequest): Promise<string[]> {
  if (!source.entries.map(bare).includes("public")) return [];
  const copied = await source.directory.glob("public/assets/**");
  return copied
    .map((path) => path.replace(/^public/, ""))
    .filter(isHashed)
    .sort();
}

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
