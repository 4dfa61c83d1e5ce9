/** See rebuild.mjs. */
export function rebuildIfStale(root: URL, stamp: URL): string | undefined;
