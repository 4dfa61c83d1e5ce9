import type { HealthRequest, Service } from "@tgo/catalog";
import type * as v from "@tgo/schemas";

/** A definition as it is written to a catalog: without the schema's defaults. */
export type Definition = v.InferInput<typeof Service>;

/** A way to build a folder. */
export interface Draft {
  readonly definition: Definition;
  /** Why a field has its value, by its path: "build.base". */
  readonly reasons: Readonly<Record<string, string>>;
  /** What could not be told, and where to write it: one sentence each. */
  readonly gaps: readonly string[];
}

/** A folder that becomes an image. */
export interface Finding {
  readonly name: string;
  /** From the checkout's root; "" for the root itself. */
  readonly folder: string;
  /** The usual way first. */
  readonly drafts: readonly [Draft, ...Draft[]];
}

/** A folder that looks like a service and cannot be shipped as it is. */
export interface LeftOut {
  readonly folder: string;
  readonly why: string;
}

/** A request that a healthy service answers. */
export interface Health extends HealthRequest {
  readonly from: string;
}
