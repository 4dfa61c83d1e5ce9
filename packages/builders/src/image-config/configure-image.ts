import type { Container } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { epochSeconds } from "../source/times.js";
import { withInstalledFiles } from "../container-tools/container-tools.js";
import { fillTemplate, type BuildRequest } from "../build-request.js";
import { requireUser, withUsers, type UserFiles } from "./users.js";

/**
 * Applies the service's files and image configuration to what the strategy built. Environment and labels come last,
 * because they contain the revision, on which no layer may depend.
 */
export async function configureImage(request: BuildRequest, container: Container): Promise<Container> {
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
    result = result.withEnvVariable(name, fillTemplate(value, request));
  }
  for (const [name, value] of Object.entries(imageLabels(request))) result = result.withLabel(name, value);
  return result;
}

/** Adds the service's users, directories, links and files, in one layer. */
async function withFiles(request: BuildRequest, container: Container): Promise<Container> {
  const { service, source, context } = request;
  const { users, directories, links, files, user } = service.image;
  const named = user !== undefined && !/^\d/.test(user);
  const before = users.length > 0 || named ? await userFiles(container) : undefined;
  const after = before && withUsers(before, users);
  if (user !== undefined && after !== undefined) requireUser(user, after);
  const texts = [
    ...(after?.passwd === before?.passwd ? [] : [{ path: "/etc/passwd", text: after?.passwd ?? "" }]),
    ...(after?.group === before?.group ? [] : [{ path: "/etc/group", text: after?.group ?? "" }]),
  ];
  if (texts.length + directories.length + links.length + files.length === 0) return container;
  await requireFiles(request);
  const needed = source.directory.filter({ include: files.map(({ from }) => from) });
  const tree = await withInstalledFiles(
    context,
    container.rootfs(),
    files.length === 0 ? context.client.directory() : needed,
    { seconds: epochSeconds(source.modified), directories, links, files, texts },
  );
  return container.withRootfs(tree);
}

/**
 * Checks that the source has the files of image.files.
 * @throws TgoError SOURCE naming a missing file
 */
export async function requireFiles({ name, service, source }: BuildRequest): Promise<void> {
  await Promise.all(
    service.image.files.map(async ({ from }) => {
      if (await source.directory.exists(from)) return;
      throw new TgoError("SOURCE", `${name} has no ${from}`, {
        where: "image.files",
        remedy:
          "Add the file to the service's source (check that .dockerignore does not exclude it), or correct the path.",
      });
    }),
  );
}

async function userFiles(container: Container): Promise<UserFiles> {
  const read = async (path: string): Promise<string> =>
    (await container.exists(path)) ? container.file(path).contents() : "";
  const [passwd, group] = await Promise.all([read("/etc/passwd"), read("/etc/group")]);
  return { passwd, group };
}

/**
 * The labels that every image gets.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
 */
export function standardLabels(request: BuildRequest): Record<string, string> {
  const { service, source, version, base } = request;
  const labels: Record<string, string | undefined> = {
    "org.opencontainers.image.title": service.title,
    "org.opencontainers.image.description": service.description,
    "org.opencontainers.image.source": service.source.repository,
    "org.opencontainers.image.revision": source.revision,
    "org.opencontainers.image.created": fillTemplate("{created}", request),
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.base.name": base?.name,
    "org.opencontainers.image.base.digest": base?.digest,
  };
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The labels of an image: the standard ones, and those of its definition. */
export function imageLabels(request: BuildRequest): Record<string, string> {
  const { labels } = request.service.image;
  const own = Object.entries(labels).map(([name, text]) => [name, fillTemplate(text, request)] as const);
  return { ...standardLabels(request), ...Object.fromEntries(own) };
}
