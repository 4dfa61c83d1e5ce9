import type { OnEvent } from "./events.js";
import type { Execs } from "./exec.js";
import type { Images } from "./images.js";
import type { Layers } from "./layers.js";
import type { Views } from "./overlay.js";
import type { StartedServices } from "./services.js";
import type { Store } from "./store.js";

/** What the parts of one running engine share. */
export interface Context {
  readonly store: Store;
  readonly views: Views;
  readonly execs: Execs;
  readonly images: Images;
  readonly layers: Layers;
  readonly services: StartedServices;
  readonly onEvent: OnEvent;
  /** Ends everything that runs. */
  readonly signal: AbortSignal;
  /** A file of the host, shown to every command. */
  readonly caBundle: string | undefined;
  /** Registries that stand in for others: host to host, `{"docker.io": "localhost:5000"}`. */
  readonly mirrors: Readonly<Record<string, string>>;
}
