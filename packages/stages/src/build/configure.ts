import type { Container } from "@dagger.io/dagger";
import { epochSeconds } from "../source.js";
import { stamped } from "../tools/index.js";
import { fill, type BuildRequest } from "./request.js";

/**
 * The service's files and image configuration, laid over what the strategy built. Environment and labels come
 * last: they carry the revision, and nothing below them may depend on it.
 */
export async function configure(request: BuildRequest, container: Container): Promise<Container> {
  const { image } = request.service;
  let result = await withFiles(request, container);
  if (image.workdir !== undefined) result = result.withWorkdir(image.workdir);
  if (image.user !== undefined) result = result.withUser(image.user);
  if (image.entrypoint !== undefined) result = result.withEntrypoint(image.entrypoint);
  if (image.command !== undefined) result = result.withDefaultArgs(image.command);
  for (const port of image.ports) result = result.withExposedPort(port);
  if (image.healthcheck !== undefined) {
    const { command, interval, timeout, startPeriod, retries } = image.healthcheck;
    result = result.withDockerHealthcheck(command, { interval, timeout, startPeriod, retries });
  }
  for (const [name, value] of Object.entries(image.env)) {
    result = result.withEnvVariable(name, fill(value, request));
  }
  for (const [name, value] of Object.entries({
    ...standardLabels(request),
    ...filled(request, image.labels),
  })) {
    result = result.withLabel(name, value);
  }
  return result;
}

async function withFiles(request: BuildRequest, container: Container): Promise<Container> {
  const { image } = request.service;
  let extra = request.context.client.directory();
  if (image.files.length + image.links.length + image.directories.length === 0) return container;
  for (const { path, mode } of image.directories) {
    extra = extra.withNewDirectory(path, { permissions: octal(mode ?? "0755") });
  }
  for (const { path, target } of image.links) extra = extra.withSymlink(target, path);
  for (const { from, to, mode } of image.files) {
    extra = extra.withFile(
      to,
      request.source.directory.file(from),
      mode === undefined ? {} : { permissions: octal(mode) },
    );
  }
  const stampedExtra = await stamped(request.context, extra, epochSeconds(request.source.modified));
  let result = container.withDirectory("/", stampedExtra);
  for (const { path, owner } of image.directories) {
    if (owner !== undefined) result = result.withDirectory(path, result.directory(path), { owner });
  }
  for (const { to, owner } of image.files) {
    if (owner !== undefined) result = result.withFile(to, result.file(to), { owner });
  }
  return result;
}

function octal(mode: string): number {
  return Number.parseInt(mode, 8);
}

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
export function standardLabels(request: BuildRequest): Record<string, string> {
  const { service, source, version, base } = request;
  const labels: Record<string, string | undefined> = {
    "org.opencontainers.image.title": service.title,
    "org.opencontainers.image.description": service.description,
    "org.opencontainers.image.source": service.source.repository,
    "org.opencontainers.image.revision": source.revision,
    "org.opencontainers.image.created": fill("{created}", request),
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.base.name": base?.name,
    "org.opencontainers.image.base.digest": base?.digest,
  };
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function filled(request: BuildRequest, templates: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(templates).map(([name, text]) => [name, fill(text, request)]));
}
