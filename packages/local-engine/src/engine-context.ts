import type { Context } from "./context.js";
import { Execs } from "./exec/execs.js";
import { findForwards, type Forward } from "./exec/forwards.js";
import { Networks } from "./exec/network.js";
import { Images } from "./images/images.js";
import { Layers } from "./images/layers.js";
import type { Settings } from "./settings.js";
import { Snapshots } from "./store/snapshots.js";
import type { Store } from "./store/store.js";

/** All parts of a running engine, for the API's resolvers. */
export interface EngineContext extends Context {
  readonly images: Images;
  readonly execs: Execs;
}

export function createEngineContext(store: Store, settings: Settings): EngineContext {
  const snapshots = new Snapshots(store);
  let forwards: Promise<readonly Forward[]> | undefined;
  const networks = new Networks(() => (forwards ??= findForwards(settings.reachable)));
  const context: Context = { store, settings, snapshots, networks, layers: new Layers(store, snapshots) };
  return { ...context, images: new Images(context), execs: new Execs(context) };
}
