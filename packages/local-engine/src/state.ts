import type { Location } from "./files/location.js";
import type { ImageConfig, Origin, Platform } from "./images/image.js";
import type { Lazy } from "./lazy.js";
import type { Snapshot } from "./store/snapshot.js";

/** The states of the API's objects; a Directory's and a File's is a {@link Location}. */
export interface ContainerState {
  readonly platform: Platform;
  readonly fs: Lazy<Snapshot>;
  /** The image it started from. */
  readonly origin?: Origin;
  /** That image's files, as they were pulled. */
  readonly pulled?: Lazy<Snapshot>;
  readonly config: ImageConfig;
  /** TCP ports of withExposedPort, which a service must listen on. The image's own are only in its config. */
  readonly ports: readonly number[];
  readonly mounts: readonly Mount[];
  readonly secrets: readonly { readonly name: string; readonly secret: SecretState }[];
  readonly bindings: readonly { readonly alias: string; readonly service: ServiceState }[];
  readonly auth: readonly RegistryAuth[];
  readonly lastExec?: Lazy<ExecResult>;
  /** How its commands reach the network; no part of a step's key. */
  readonly proxies?: ProxySettings;
}

export interface ProxySettings {
  readonly env: Readonly<Record<string, string>>;
  /** URLs of the proxies of this machine that commands may reach. */
  readonly addresses: readonly string[];
  /** Texts whose passwords are masked in what commands print: they may know them from elsewhere. */
  readonly masked: readonly string[];
}

export type Mount = { readonly path: string } & (
  | { readonly kind: "tree"; readonly from: Location; readonly file: boolean; readonly readOnly: boolean }
  | { readonly kind: "cache"; readonly cache: CacheState }
  | ({ readonly kind: "secret"; readonly secret: SecretState } & MountAccess)
  | { readonly kind: "tmpfs" }
);

/** Who may use a mount. */
export interface MountAccess {
  /** `uid:gid` of a cache's folder or a secret's file. */
  readonly owner?: string;
  readonly mode?: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly fs: Snapshot;
  /** The contents of the writable mounts afterwards, by mount path. */
  readonly mounts: Readonly<Record<string, Snapshot>>;
}

export interface CacheState extends MountAccess {
  readonly key: string;
}

export interface SecretState {
  readonly name: string;
  /** Its identity in cache keys, which never depend on its value. */
  readonly uri: string;
  readonly plaintext: () => Promise<string>;
}

export interface RegistryAuth {
  readonly address: string;
  readonly username: string;
  readonly secret: SecretState;
}

export type ServiceState =
  | {
      readonly kind: "container";
      readonly container: ContainerState;
      readonly args: readonly string[];
      readonly id: string;
    }
  | {
      readonly kind: "host";
      readonly host: string;
      readonly ports: readonly { readonly frontend: number; readonly backend: number }[];
    };
