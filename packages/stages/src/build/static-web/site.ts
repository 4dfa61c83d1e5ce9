import type { Container } from "@dagger.io/dagger";
import type { StaticWebBuild } from "@tgo/catalog";
import { bare } from "../../source.js";
import { LAYER_TIME, type BuildRequest } from "../request.js";
import {
  DEFAULT_CONF,
  isHashed,
  isUnprivileged,
  MAIN_CONF,
  requireFreePort,
  siteConfiguration,
  UNPRIVILEGED,
} from "./nginx.js";

/** Files of nginx's configuration, path to contents: those the service does not bring itself. */
export async function siteFiles(request: BuildRequest<StaticWebBuild>): Promise<Record<string, string>> {
  const { name, service, source } = request;
  const { image, build } = service;
  const own = new Set(image.files.map(({ to }) => to));
  if (own.has(DEFAULT_CONF)) return {};
  const port = image.ports[0] ?? 80;
  // Vite copies this folder as it is: names in it have no hash, whatever they look like.
  const copied = source.entries.map(bare).includes("public")
    ? await source.directory.glob("public/assets/**")
    : [];
  const unhashed = copied.map((path) => path.replace(/^public/, "")).filter(isHashed);
  const files = { [DEFAULT_CONF]: siteConfiguration({ ...build, port, unhashed }) };
  if (!isUnprivileged(image.user)) return files;
  requireFreePort(name, image.user, port);
  return own.has(MAIN_CONF) ? files : { ...files, [MAIN_CONF]: UNPRIVILEGED };
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
