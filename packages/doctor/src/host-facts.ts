import type { Problem } from "@tgo/errors";

/** A result that was seen, or what was in its way. */
export type Seen<T> = T | { readonly problem: Problem };

/** What a machine has, as far as builds and uploads depend on it. No credential is in it. */
export interface HostFacts {
  readonly tgo: { readonly version: string; readonly node: string };
  readonly engine: EngineFacts;
  readonly platforms: readonly PlatformFacts[];
  readonly disk: Seen<{ readonly path: string; readonly freeBytes: number; readonly services: number }>;
  /** The catalog, or why there is none: then no registries are known. */
  readonly catalog: Seen<{ readonly from: string; readonly services: number }>;
  readonly credentials: Seen<{ readonly from: string | undefined }>;
  readonly registries: readonly RegistryFacts[];
  readonly mirrors: readonly MirrorFacts[];
  readonly ca: Seen<{
    readonly from: string | undefined;
    readonly certificates: number;
    readonly expired: number;
    /** Whether only build steps trust them: registries are asked with Node's own variable. */
    readonly onlyBuilds?: boolean;
  }>;
  readonly proxies: readonly ProxyFacts[];
  readonly git: string | undefined;
}

export interface EngineFacts {
  readonly kind: "dagger" | "local";
  /** Why this one: "Docker is running". */
  readonly why: string;
  /** Of Dagger's engine, without a v; undefined if it is not running yet, or the engine is the local one. */
  readonly version?: string;
  /** The version of Dagger's engine that the pipelines name. */
  readonly expected: string;
  /** What the local engine lacks, or why Dagger's cannot be reached. */
  readonly problems: readonly Problem[];
}

export interface PlatformFacts {
  readonly platform: string;
  /** "native", or the emulator and its version: "qemu-aarch64 version 7.2.22". */
  readonly runs: Seen<{ readonly by: string }>;
}

export interface RegistryFacts {
  readonly name: string;
  readonly host: string;
  readonly required: boolean;
  /** Whether this machine has a login for it. */
  readonly hasLogin: boolean;
  /** The repository that a push was tried in, without pushing. */
  readonly repository: string;
  /** `skewSeconds`: this machine's clock against the registry's; undefined if it sends no date. */
  readonly push: Seen<{ readonly skewSeconds: number | undefined }>;
}

export interface MirrorFacts {
  readonly name: string;
  /** Without credentials. */
  readonly address: string;
  readonly problem?: Problem;
}

export interface ProxyFacts {
  /** The variable that names it. */
  readonly name: string;
  /** Without credentials. */
  readonly address: string;
  readonly problem?: Problem;
}
