import type { Keychain } from "@tgo/registry";
import type { OnEvent } from "./events.js";
import { Execs } from "./exec.js";
import { Images } from "./images.js";
import { Layers } from "./layers.js";
import { Views } from "./overlay.js";
import type { Store } from "./store.js";

/** What a running engine is told. */
export interface Settings {
  readonly onEvent: OnEvent;
  /** Ends everything that runs. */
  readonly signal: AbortSignal;
  /** A file of the host, shown to every command. */
  readonly caBundle: string | undefined;
  readonly keychain: Keychain;
  /** Registries that stand in for others: host to host, `{"docker.io": "localhost:5000"}`. */
  readonly mirrors: Readonly<Record<string, string>>;
}

/** The parts of one running engine. */
export class Context {
  readonly views: Views;
  readonly layers: Layers;
  readonly images: Images;
  readonly execs: Execs;

  constructor(
    readonly store: Store,
    readonly settings: Settings,
  ) {
    this.views = new Views(store);
    this.layers = new Layers(store, this.views);
    this.images = new Images(this);
    this.execs = new Execs(this);
  }
}
