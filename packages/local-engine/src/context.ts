import type { Networks } from "./exec/network.js";
import type { Layers } from "./images/layers.js";
import type { Settings } from "./settings.js";
import type { Snapshots } from "./store/snapshots.js";
import type { Store } from "./store/store.js";

/** What everything that works with files and images uses. */
export interface Context {
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly layers: Layers;
  readonly networks: Networks;
  readonly settings: Settings;
}
