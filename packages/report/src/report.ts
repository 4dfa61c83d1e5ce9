import type { Problem } from "@tgo/errors";

/** One run of a function, whatever happened: everything a face (terminal, JSON, Markdown, HTML) needs. */
export interface Report {
  /** The function that ran. */
  readonly command: "publish" | "verify" | "smoke" | "build" | "preflight" | "release" | "promote";
  readonly ok: boolean;
  /** What ran the stages, e.g. "Dagger engine v0.21.8" or "embedded engine (Buildah 1.28.2)". */
  readonly engine: string | undefined;
  /** Hash of the pipelines' own code, 16 hex digits; absent when they were never loaded. */
  readonly pipeline?: string;
  /** When it began: RFC 3339, UTC. */
  readonly began?: string;
  /** Wall time in milliseconds. */
  readonly durationMs: number;
  readonly services: readonly ServiceReport[];
  /** What the run as a whole failed of, before any service was begun. */
  readonly problems?: readonly Problem[];
  /** Of a release: the version without a v. */
  readonly version?: string;
  /** Of a release: whether its one gate opened, and if not, why not. */
  readonly gate?: GateReport;
  /** Of a release: its record, as it is put beside the images (ReleaseRecord of the release rules). */
  readonly record?: Readonly<Record<string, unknown>>;
  /** The command that does what is left to do; absent when nothing is. */
  readonly next?: string;
}

/** No version tag is written before every service's candidate is verified in every required registry. */
export interface GateReport {
  readonly open: boolean;
  /** What keeps it closed, one line each. */
  readonly reasons: readonly string[];
  /** What registries that a release does not wait for still lack, one line each. */
  readonly later: readonly string[];
}

export type ServiceState =
  | "published"
  | "already there"
  | "verified"
  | "built"
  | "smoke ok"
  | "ready"
  | "released"
  | "not released"
  | "failed";

export interface ServiceReport {
  readonly service: string;
  readonly state: ServiceState;
  /** Commit of the source, or `dev-<hash>` for a source with changes. */
  readonly revision?: string;
  /** Tag under which the image was published, e.g. `candidate-0123456789abcdef`. */
  readonly tag?: string;
  /** Digest of the index, equal in every registry. */
  readonly digest?: string;
  readonly variants: readonly VariantReport[];
  readonly registries: readonly RegistryReport[];
  /** Of a release: every tag it writes, in every registry, in the order of writing. */
  readonly tags?: readonly TagReport[];
  /** What the service as a whole failed of. */
  readonly problems: readonly Problem[];
  /** What a reader should know and need not act on, e.g. that a Dockerfile was emulated. */
  readonly notes: readonly string[];
  readonly durationMs: number;
}

export interface VariantReport {
  /** `os/architecture` */
  readonly platform: string;
  /** Digest of the variant's manifest. */
  readonly digest?: string;
  /** Compressed size in bytes: config and layers, as a registry stores them. */
  readonly size?: number;
  readonly elf?: { readonly files: number; readonly elf: number; readonly foreign: readonly string[] };
  readonly smoke?: SmokeReport;
}

export interface SmokeReport {
  readonly ok: boolean;
  /** What the variant itself says it runs on, e.g. "aarch64". */
  readonly machine?: string;
  /** One line a step: "GET :8000/health 200", "exec nginx -t". */
  readonly lines: readonly string[];
  /** Ran now, or when the candidate was made (then the lines come from the image's annotations). */
  readonly recorded: boolean;
  readonly durationMs?: number;
}

export interface TagReport {
  /** The catalog's name of the registry. */
  readonly registry: string;
  readonly tag: string;
  /** "stays": a newer version has it. */
  readonly state: "done" | "already there" | "stays" | "failed" | "not started";
  /** What it stood for before, when that was something else: a version, else a digest. */
  readonly before?: string;
  /** What it stays on, as "stays on 1.3.0, newer than 1.2.3"; or why it waits. */
  readonly told?: string;
  readonly problem?: Problem;
}

/** "ready": it takes pushes, and there is nothing in it yet. */
export type RegistryState = "ready" | "done" | "already there" | "verified" | "failed" | "not started";

export interface RegistryReport {
  /** The catalog's name of the registry. */
  readonly registry: string;
  /** `host/repository:tag`; of a release its version's tag, where that is there. */
  readonly reference: string;
  readonly state: RegistryState;
  readonly digest?: string;
  /** Bytes sent over the wire to this registry by this run. */
  readonly uploaded?: number;
  /** Of a release: its record beside the image; absent where the registry takes none, or the release is not complete. */
  readonly record?: "done" | "already there" | "failed";
  readonly problems: readonly Problem[];
  readonly durationMs: number;
}
