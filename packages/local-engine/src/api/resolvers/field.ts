import type { EngineContext } from "../../engine-context.js";
import type { ApiObject, ApiObjects } from "../objects.js";

/** What a field's resolver works with. */
export interface Session {
  readonly cx: EngineContext;
  readonly objects: ApiObjects;
  /** The state of an object whose id came as an argument. */
  readonly load: <S>(id: string, type: string) => Promise<S>;
}

/**
 * Resolves one field: from an object's state and the arguments to the state of the field's object, or to its plain value.
 * `self` is the object itself, for its id.
 */
export type Field<S, A = Record<string, never>> = (
  state: S,
  args: A,
  session: Session,
  self: ApiObject,
) => unknown;

/** The fields of a type; each knows its own arguments, which the schema has validated. */
export type Fields<S> = Readonly<Record<string, Field<S, never>>>;
