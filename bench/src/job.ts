import type { Platform } from "@tgo/catalog";

/** What one process is to build and time. */
export interface BuildJob {
  readonly task: "build";
  readonly engine: EngineName;
  /** Where the embedded engine keeps its state. */
  readonly home: string;
  readonly caBundle: string | undefined;
  /** The complete catalog, as data. */
  readonly catalog: unknown;
  readonly service: string;
  /** A folder with the service's source. */
  readonly source: string;
  readonly build:
    | { readonly by: "us"; readonly platforms: readonly Platform[] }
    | {
        readonly by: "dockerfile";
        readonly platform: Platform;
        readonly args: Readonly<Record<string, string>>;
      };
  /** Pushes what was built to this registry afterwards, under {@link SIZED_TAG}. */
  readonly push: string | undefined;
}

/** Throws away everything Dagger's engine holds that is not in use. */
export interface PruneJob {
  readonly task: "prune";
}

export type Job = BuildJob | PruneJob;

export type EngineName = "buildah" | "dagger";

export const SIZED_TAG = "measured";

/** One step of a build, as the engine told it. Steps of different platforms overlap. */
export interface Step {
  readonly kind: string;
  readonly title: string;
  readonly platform?: string | undefined;
  /** Seconds after the build began. */
  readonly at: number;
  readonly seconds: number;
}

export interface Measured {
  /** From the open session to the image in the engine's store. */
  readonly seconds: number;
  /** Compressing the layers and uploading them to a registry on this machine, where that was asked for. */
  readonly pushSeconds?: number | undefined;
  /** Bytes: the largest resident set of the process until the image was built, and until it was pushed. */
  readonly peakMemory: number;
  readonly peakMemoryPushed?: number | undefined;
  /** What the engine calls itself. */
  readonly engine: string;
  /** Steps that took 50 ms or more. */
  readonly steps: readonly Step[];
}

export type Answer =
  | { readonly kind: "measured"; readonly measured: Measured }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly message: string };
