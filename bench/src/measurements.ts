import type { Platform } from "@tgo/catalog";
import type { Failure, Run, ServiceResults } from "./results.js";
import type { Sample } from "./samples.js";
import { sizeOf, storedBeyond, type ImageSize, type Layer, type Stored } from "./size.js";

/** The results of one service so far. */
export class Measurements {
  readonly runs: Run[] = [];
  readonly failures: Failure[] = [];
  edited: string | undefined;
  engine: string | undefined;
  readonly #sizes = {
    ours: new Map<Platform, ImageSize>(),
    dockerfile: new Map<Platform, ImageSize>(),
  };
  #stored: Stored | undefined;

  constructor(private readonly sample: Sample) {}

  addSize(whose: "ours" | "dockerfile", platform: Platform, layers: readonly Layer[]): void {
    this.#sizes[whose].set(platform, sizeOf(layers));
  }

  addStored(base: readonly Layer[], native: readonly Layer[], foreign: readonly Layer[]): void {
    this.#stored = storedBeyond(base, native, foreign);
  }

  results(): ServiceResults {
    const { name, service, hasDockerfile } = this.sample;
    return {
      service: name,
      strategy: service.build.strategy,
      hasDockerfile,
      edited: this.edited,
      runs: [...this.runs].sort((a, b) => a.round - b.round),
      failures: [...this.failures],
      sizes: {
        ours: Object.fromEntries(this.#sizes.ours),
        dockerfile: Object.fromEntries(this.#sizes.dockerfile),
        ...(this.#stored === undefined ? {} : { stored: this.#stored }),
      },
    };
  }
}
