import type { Context } from "../context.js";
import type { Value, Values } from "../values.js";

/** What a field's resolver works with. */
export interface Session {
  readonly cx: Context;
  readonly values: Values;
  /** The state behind an id that came as an argument. */
  readonly load: <S>(id: string, type: string) => Promise<S>;
}

/**
 * One field: from the object's state and the arguments to the state of the object, or the plain value, that the field
 * has. `self` is the object itself, for its id.
 */
export type Field<S, A = Record<string, never>> = (
  state: S,
  args: A,
  session: Session,
  self: Value,
) => unknown;

/** The fields of a type; each knows its own arguments, which the schema has checked. */
export type Fields<S> = Readonly<Record<string, Field<S, never>>>;
