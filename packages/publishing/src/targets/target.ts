import type { Service as DaggerService } from "@dagger.io/dagger";
import { registryRepository, type Registry } from "@tgo/catalog";
import type { Credentials, Registry as RegistryClient } from "@tgo/registry";

/** A registry of the catalog, with its connection and credentials. */
export interface Target {
  readonly name: string;
  readonly registry: Registry;
  readonly client: RegistryClient;
  /** The same registry without credentials, if the catalog says it is public. */
  readonly anonymous: RegistryClient | undefined;
  readonly credentials: Credentials | undefined;
  /** The engine's connection to a registry that its own network does not reach. */
  readonly service: DaggerService | undefined;
}

/** `host/repository:tag`, or `host/repository@digest`, of a service in a registry. */
export function referenceOf(target: Target, service: string, tag: string): string {
  const { host, repository } = registryRepository(target.registry, service);
  return `${host}/${repository}${tag.includes(":") ? "@" : ":"}${tag}`;
}

export function repositoryOf(target: Target, service: string): string {
  return registryRepository(target.registry, service).repository;
}

/** The config of artifacts that a registry accepts. */
export function artifactConfig({ referrers }: Registry): "empty" | "image-config" {
  return referrers === "image-config" ? "image-config" : "empty";
}
