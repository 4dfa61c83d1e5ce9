/** Public registries that serve the same packages at the same paths. */
const PUBLIC = /https?:\/\/(?:registry\.npmjs\.org|registry\.yarnpkg\.com|registry\.npmmirror\.com)\//g;

/**
 * Replaces the public registries' addresses in a lock with a mirror's. Locks contain full addresses, which managers
 * prefer to the configured registry. Hashes in the lock are still verified.
 */
export function withMirrorAddresses(lock: string, mirror: string | undefined): string {
  return mirror === undefined ? lock : lock.replaceAll(PUBLIC, `${mirror.replace(/\/+$/, "")}/`);
}
