import type { Problem } from "@tgo/errors";

/** One run of a function and its outcome: everything the formats (text, JSON, Markdown, HTML) show. */
export interface Report {
  /** The function that ran. */
  readonly command:
    "publish" | "build-variant" | "verify" | "smoke" | "build" | "preflight" | "release" | "promote";
  readonly ok: boolean;
  /** The engine, e.g. "Dagger engine v0.21.8", "local engine", or "no engine" for a function that ran without one. */
  readonly engine: string | undefined;
  /** Hash of the pipelines' own code, 16 hex digits; absent when they were never loaded. */
  readonly pipeline?: string;
  /** Start time: RFC 3339, UTC. */
  readonly began?: string;
  /** Wall time in milliseconds. */
  readonly durationMs: number;
  readonly services: readonly ServiceReport[];
  /** Why the whole run failed, before any service started. */
  readonly problems?: readonly Problem[];
  /** For a release: the version without a v. */
  readonly version?: string;
  /** For a release: whether its gate opened, and if not, why. */
  readonly gate?: GateReport;
  /** For a release: its record, as attached to the images (ReleaseRecord in release-rules). */
  readonly record?: Readonly<Record<string, unknown>>;
  /** The command that completes the run; absent when nothing is left to do. */
  readonly next?: string;
  /** In its place, in words: a Dagger module does not know its caller's whole command line. */
  readonly nextInWords?: string;
}

/** No version tag is written before every service's candidate is verified in every required registry. */
export interface GateReport {
  readonly open: boolean;
  /** Set if a registry had the version's tag before the run: with the image of this run, as far as known, or another. */
  readonly existing?: "same" | "other";
  /** What keeps it closed, one line each. */
  readonly reasons: readonly string[];
  /** What optional registries still lack, one line each. */
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
  /** A promotion left a floating tag on a newer version. */
  | "not moved"
  | "failed";

export interface ServiceReport {
  readonly service: string;
  readonly state: ServiceState;
  /** Source commit, or `dev-<hash>` for a source with uncommitted changes. */
  readonly revision?: string;
  /** Address of the source's repository, e.g. https://github.com/tgoai/tgo: what the image's label says. */
  readonly source?: string;
  /** Tag under which the image was published, e.g. `candidate-0123456789abcdef`. */
  readonly tag?: string;
  /** Digest of the index, the same in every registry. */
  readonly digest?: string;
  readonly variants: readonly VariantReport[];
  /** For a verification: every check, in order. */
  readonly checks?: readonly CheckReport[];
  readonly registries: readonly RegistryReport[];
  /** For a release: every tag in every registry, in the order of writing. */
  readonly tags?: readonly TagReport[];
  /** Why the whole service failed. */
  readonly problems: readonly Problem[];
  /** Information that needs no action, e.g. that RUN instructions ran under emulation. */
  readonly notes: readonly string[];
  readonly durationMs: number;
}

/** One check of an image. */
export interface CheckReport {
  readonly name: string;
  /** "note": no failure, but somebody should know. "skipped": not asked for, or an earlier check failed. */
  readonly state: "ok" | "note" | "failed" | "skipped";
  /** What was seen, one line each; of a failed check its problems. */
  readonly evidence: readonly string[];
}

export interface VariantReport {
  /** `os/architecture` */
  readonly platform: string;
  /** Digest of the variant's manifest. */
  readonly digest?: string;
  /** Compressed size in bytes: config and layers, as a registry stores them. */
  readonly size?: number;
  readonly elf?: {
    readonly files: number;
    readonly elf: number;
    readonly foreign: readonly string[];
    /** Absent for a proof of an older pipeline. */
    readonly links?: LinkSummary;
  };
  readonly smoke?: SmokeReport;
  /** The machines that the catalog promises, in its order. */
  readonly machines?: readonly MachineReport[];
}

/** What is known of an image on a promised machine. */
export interface MachineReport {
  /** As the catalog names it, with pages that are not 4 KiB: "Raspberry Pi 5 (16 KiB pages)". */
  readonly name: string;
  /** "ok": a smoke run was of it or of a weaker one, and all files fit. "failed": a file does not fit. */
  readonly state: "ok" | "not proven" | "failed";
  /** Why it is not ok. */
  readonly told?: string;
}

/** Whether programs and extension modules find the libraries that they need. */
export interface LinkSummary {
  /** How many programs and extension modules were followed. */
  readonly roots: number;
  /** How many libraries they load. */
  readonly libraries: number;
  /** What they lack, one line each. */
  readonly missing: readonly string[];
  /** Needs that are not met and keep nothing from starting, one line each. */
  readonly notes: readonly string[];
}

export interface SmokeReport {
  readonly ok: boolean;
  /** The machine the variant reports, e.g. "aarch64". */
  readonly machine?: string;
  /** One line a step, with how it is known: "GET :8000/health 200 [emulated]"; native, emulated, or equal bytes. */
  readonly lines: readonly string[];
  /** Set if the native run of the same image told some of it. */
  readonly partial?: true;
  /** Whether it ran on a processor of its platform; absent for a proof of an older pipeline. */
  readonly native?: boolean;
  /** What ran it in place of a processor: "QEMU 8.2.2". */
  readonly emulator?: string;
  /** Which engine ran it, where a run has several: "tcp://arm:1234". */
  readonly engine?: string;
  /** Whether an earlier run tested it: the lines are from the engine's record of that. */
  readonly recorded: boolean;
  /** Who signed that it was tested, where an earlier run attached its record to the image: "key release". */
  readonly signer?: string;
  readonly durationMs?: number;
}

export interface TagReport {
  /** The catalog's name of the registry. */
  readonly registry: string;
  readonly tag: string;
  /** "stays": a newer version has the tag. */
  readonly state: "done" | "already there" | "stays" | "failed" | "not started";
  /** Its previous target, if different: a version, else a digest. */
  readonly before?: string;
  /** Its target, "stays on 1.3.0, newer than 1.2.3"; or why it was not written. */
  readonly told?: string;
  readonly problem?: Problem;
}

/** "ready": it accepts pushes, and nothing has been pushed yet. */
export type RegistryState = "ready" | "done" | "already there" | "verified" | "failed" | "not started";

export interface RegistryReport {
  /** The catalog's name of the registry. */
  readonly registry: string;
  /** `host/repository:tag`; for a release the version's tag, where it exists. */
  readonly reference: string;
  readonly state: RegistryState;
  readonly digest?: string;
  /** Bytes this run sent to the registry. */
  readonly uploaded?: number;
  /**
   * For a release: its record, attached to the image; absent if the registry accepts none or the release is incomplete.
   * "by tag": it is in the list under the tag for referrers, and the registry's referrers API does not list it.
   */
  readonly record?: "done" | "already there" | "by tag" | "failed";
  readonly problems: readonly Problem[];
  readonly durationMs: number;
}
