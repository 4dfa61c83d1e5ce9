/**
 * A file system: its layers, lowest first. A layer is named by its folder below `s/`. The last layer's name is the digest
 * of everything that led to it, so it identifies the whole content.
 */
export interface Snapshot {
  readonly layers: readonly string[];
}

export const EMPTY: Snapshot = { layers: [] };
