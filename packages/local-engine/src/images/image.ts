import { platformOf } from "@tgo/image";
import type { ImageConfig as OciConfig } from "@tgo/registry";
import type { Snapshot } from "../store/snapshot.js";

/** `linux/arm64`, or with a variant. */
export type Platform = string;

/**
 * The `config` object of an OCI image config; Healthcheck is Docker's addition. Times in nanoseconds. A key that is set to
 * undefined is not written, but keeps its place in the JSON.
 */
export interface ImageConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Healthcheck?: object | undefined;
}

/** An image's own layers and history, which published images continue. */
export interface Origin {
  /** Canonical, with digest, whatever mirror it came from. Absent for a Dockerfile's result. */
  readonly imageRef?: string;
  readonly layers: readonly string[];
  readonly created: string | undefined;
  readonly history: readonly object[];
}

/** An image as a file system. */
export interface Image {
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly fs: Snapshot;
  readonly origin: Origin;
}

export function imageOf(config: OciConfig, fs: Snapshot, imageRef?: string): Image {
  const { created, history } = config;
  const origin = {
    ...(imageRef === undefined ? {} : { imageRef }),
    layers: fs.layers,
    created,
    history: history ?? [],
  };
  return { platform: platformOf(config), config: (config.config ?? {}) as ImageConfig, fs, origin };
}
