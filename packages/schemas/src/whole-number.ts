import * as v from "valibot";

/** A whole number between two limits, by default one that JavaScript holds exactly. */
// @__NO_SIDE_EFFECTS__
export function wholeNumber(
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): v.SchemaWithPipe<
  readonly [
    v.NumberSchema<undefined>,
    v.IntegerAction<number, undefined>,
    v.MinValueAction<number, number, undefined>,
    v.MaxValueAction<number, number, undefined>,
  ]
> {
  return v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
}
