import type { Registry } from "./client.js";
import { isDigest } from "./digest.js";
import { formatReference } from "./reference.js";

/** The full reference of a tag or a digest in a repository. */
export function address(registry: Registry, repository: string, reference: string): string {
  return formatReference({
    host: registry.host,
    repository,
    ...(isDigest(reference) ? { digest: reference } : { tag: reference }),
  });
}
