import type { Platform } from "@tgo/catalog";

/** One build to run and time. */
export interface BuildJob {
  readonly task: "build";
  readonly engine: EngineName;
  /** State folder of the local engine. */
  readonly home: string;
  readonly caBundle: string | undefined;
  /** The complete catalog, as plain data. */
  readonly catalog: unknown;
  readonly service: string;
  /** The service's source folder. */
  readonly source: string;
  readonly build:
    | { readonly by: "us"; readonly platforms: readonly Platform[] }
    | {
        readonly by: "dockerfile";
        readonly platforms: readonly Platform[];
        readonly args: Readonly<Record<string, string>>;
      };
  /** Registry to push the image to after the build, under {@link SIZED_TAG}. */
  readonly push: string | undefined;
  /** Registries to publish the image to, as part of what is measured: each is inspected afterwards. */
  readonly publishTo?: readonly string[];
}

/** Removes everything unused from the cache of Dagger's engine. */
export interface PruneJob {
  readonly task: "prune";
}

export type Job = BuildJob | PruneJob;

export type EngineName = "local" | "dagger";

export const SIZED_TAG = "measured";

/** One step of a build, as reported by the engine. Steps of different platforms overlap. */
export interface Step {
  readonly kind: string;
  readonly title: string;
  readonly platform?: string;
  /** Seconds after the build began. */
  readonly at: number;
  readonly seconds: number;
}

export interface Measured {
  /** From the open session until the image is in the engine's store. */
  readonly seconds: number;
  /** Compressing the layers and uploading them to a registry on this machine, if the job asked for it. */
  readonly pushSeconds?: number;
  /** Bytes: peak resident set of the process until the image was built, and until it was pushed. */
  readonly peakMemory: number;
  readonly peakMemoryPushed?: number;
  /** Name of the engine. */
  readonly engine: string;
  /** Steps that took 50 ms or more. */
  readonly steps: readonly Step[];
}

export type JobResult =
  | { readonly kind: "measured"; readonly measured: Measured }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly message: string };
