/** Registries that serve the same packages at the same paths: what one has, a mirror of another has. */
const PUBLIC = /https?:\/\/(?:registry\.npmjs\.org|registry\.yarnpkg\.com|registry\.npmmirror\.com)\//g;

/**
 * A lock whose packages come from a mirror. Locks hold full addresses, and managers prefer them to the registry that
 * is configured; hashes in the lock are still compared.
 */
export function throughMirror(lock: string, mirror: string | undefined): string {
  return mirror === undefined ? lock : lock.replaceAll(PUBLIC, `${mirror.replace(/\/+$/, "")}/`);
}
