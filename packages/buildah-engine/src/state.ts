import type { Origin } from "./images.js";
import type { Lazy } from "./lazy.js";
import type { Snapshot } from "./store.js";

/** `linux/arm64`, or with a variant. */
export type Platform = string;

/** The `config` object of an OCI image config; Healthcheck is Docker's addition. Times in nanoseconds. */
export interface ImageConfig {
  User?: string;
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, object>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  Healthcheck?: Healthcheck;
}

export interface Healthcheck {
  /** `["CMD", …]` or `["CMD-SHELL", line]`. */
  Test: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

export interface SecretState {
  readonly name: string;
  /** What cache keys know it by: its value never decides. */
  readonly uri: string;
  readonly plaintext: () => Promise<string>;
}

export interface DirectoryState {
  readonly fs: Lazy<Snapshot>;
  /** Where in the file system; absolute. */
  readonly path: string;
}

export interface FileState {
  readonly fs: Lazy<Snapshot>;
  readonly path: string;
  /** When it is not the last part of `path`. */
  readonly name?: string;
}

export interface CacheState {
  readonly key: string;
}

export type Mount =
  | {
      readonly kind: "tree";
      readonly path: string;
      readonly from: DirectoryState;
      readonly readOnly: boolean;
      readonly owner: string;
    }
  | { readonly kind: "file"; readonly path: string; readonly from: FileState; readonly owner: string }
  | {
      readonly kind: "cache";
      readonly path: string;
      readonly cache: CacheState;
      readonly sharing: string;
      readonly source?: DirectoryState;
      readonly owner: string;
    }
  | {
      readonly kind: "secret";
      readonly path: string;
      readonly secret: SecretState;
      readonly owner: string;
      readonly mode: number;
    }
  | { readonly kind: "tmp"; readonly path: string; readonly size?: number };

export interface Port {
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly description?: string | undefined;
  readonly experimentalSkipHealthcheck: boolean;
}

export interface ContainerState {
  readonly platform: Platform;
  /** The canonical reference with digest, when the last thing done was `from`. */
  readonly imageRef?: string;
  readonly fs: Lazy<Snapshot>;
  /** The image it started from. */
  readonly origin?: Origin | undefined;
  readonly config: ImageConfig;
  readonly ports: readonly Port[];
  readonly mounts: readonly Mount[];
  readonly secrets: readonly { readonly name: string; readonly secret: SecretState }[];
  readonly bindings: readonly { readonly alias: string; readonly service: ServiceState }[];
  readonly auth: readonly RegistryAuth[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly lastExec?: Lazy<ExecResult>;
}

export interface RegistryAuth {
  readonly address: string;
  readonly username: string;
  readonly secret: SecretState;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order they came. */
  readonly combined: string;
  readonly fs: Snapshot;
  /** What the writable mounts hold afterwards, by mount path. */
  readonly mounts: Readonly<Record<string, Snapshot>>;
}

export type ServiceState =
  | {
      readonly kind: "container";
      readonly container: ContainerState;
      readonly args: readonly string[];
      readonly hostname: string;
      readonly id: string;
    }
  | {
      readonly kind: "host";
      readonly host: string;
      readonly ports: readonly { frontend: number; backend: number }[];
      readonly hostname: string;
      readonly id: string;
    };
