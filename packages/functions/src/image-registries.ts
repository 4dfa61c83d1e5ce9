import type { Secret } from "@dagger.io/dagger";
import { parseRegistryFlag, type Registry } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { formatReference, parseReference } from "@tgo/registry";
import type { ImageRepositories, Login } from "./options.js";

/**
 * Registries for one image, by the names that reports show: the host, or the whole repository where a host has several.
 * @throws TgoError USAGE for what is no repository, and for one that is named twice
 */
export function imageRegistries({ service, names }: ImageRepositories): Record<string, Registry> {
  const repositories = names.map((name) => {
    const full = name.replaceAll("{service}", service);
    const { host, repository, tag, digest } = parseReference(full);
    if (tag !== undefined || digest !== undefined)
      throw new TgoError("USAGE", `"${name}" names a tag or a digest: a repository has neither`, {
        remedy: "Give the repository only, such as ghcr.io and me/app: versions become tags by release.",
      });
    return { host, repository, full: formatReference({ host, repository }) };
  });
  const twice = repositories.find(({ full }, at) =>
    repositories.some((other, before) => before < at && other.full === full),
  );
  if (twice !== undefined)
    throw new TgoError("USAGE", `${twice.full} is named twice`, { remedy: "Name each repository once." });
  return Object.fromEntries(
    repositories.map(({ host, repository, full }) => {
      const [name = "", ...folders] = repository.split("/").reverse();
      const pattern = [host, ...folders.reverse(), "{service}"].join("/");
      const { registry } = parseRegistryFlag(pattern, {});
      const isAlone = repositories.filter((other) => other.host === host).length === 1;
      return [isAlone ? host : full, { ...registry, names: { [service]: name } }];
    }),
  );
}

/**
 * The credentials that a caller gives for a registry; undefined if it gives none.
 * @throws TgoError USAGE for a user name without a password, and the other way round
 */
export function loginOf(
  host: string,
  username: string | undefined,
  password: Secret | undefined,
): Login | undefined {
  if (username === undefined && password === undefined) return undefined;
  if (username !== undefined && username.trim() !== "" && password !== undefined)
    return { host, username, password };
  throw new TgoError("USAGE", `${host} has ${password === undefined ? "no password" : "no user name"}`, {
    remedy: "Give both, or neither for a registry without credentials.",
  });
}
