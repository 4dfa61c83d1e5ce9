import * as v from "valibot";

/** Validates a value: its output, or every issue, each with a message in plain English. */
export function safeParse<const S extends v.GenericSchema>(schema: S, value: unknown): v.SafeParseResult<S> {
  return v.safeParse(schema, value, { message: messageOf });
}

/** The output, or undefined when the value is something else. */
export function outputOf<const S extends v.GenericSchema>(
  schema: S,
  value: unknown,
): v.InferOutput<S> | undefined {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : undefined;
}

/** Names of fields and indices of lists, from the top. */
export function pathOf({ path }: v.BaseIssue<unknown>): string[] {
  return (path ?? []).map(({ key }) => String(key));
}

/** Where and what, without the value: `image.ports.0: must be a whole number`. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  return `${pathOf(issue).join(".") || "(top level)"}: ${issue.message}`;
}

const KINDS: Readonly<Record<string, string>> = {
  Array: "an array",
  Object: "an object",
  boolean: "true or false",
  number: "a number",
  string: "a string",
};

/** The message of an issue whose schema has none of its own. */
function messageOf({ kind, type, expected, requirement }: v.BaseIssue<unknown>): string {
  // Of several values, valibot says ("a" | "b").
  const values = (expected ?? "").replaceAll(/^\(|\)$/g, "").replaceAll(" | ", " or ");
  if (kind === "schema") return `must be ${KINDS[values] ?? values}`;
  const limit = String(requirement);
  switch (type) {
    case "integer":
      return "must be a whole number";
    case "min_value":
      return `must be at least ${limit}`;
    case "max_value":
      return `must be at most ${limit}`;
    case "max_length":
      return `must have a length of at most ${limit}`;
    case "non_empty":
      return "must not be empty";
    default:
      return "is not valid";
  }
}
