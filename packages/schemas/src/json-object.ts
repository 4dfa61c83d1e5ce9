import * as v from "valibot";

type Json = Record<string, unknown>;
type Issue = v.BaseIssue<unknown>;
type Schema = v.BaseSchema<unknown, unknown, Issue>;

/** A JSON object. Fields without a schema are left out of the output. */
// @__NO_SIDE_EFFECTS__
export function object<const E extends v.ObjectEntries>(entries: E): v.ObjectSchema<E, undefined> {
  return jsonObject("object", { entries }, readFields);
}

/** A JSON object. Fields without a schema are kept. */
// @__NO_SIDE_EFFECTS__
export function looseObject<const E extends v.ObjectEntries>(entries: E): v.LooseObjectSchema<E, undefined> {
  return jsonObject("loose_object", { entries }, readFields);
}

/** A JSON object. Every field without a schema is an issue. */
// @__NO_SIDE_EFFECTS__
export function strictObject<const E extends v.ObjectEntries>(
  entries: E,
): v.StrictObjectSchema<E, undefined> {
  return jsonObject("strict_object", { entries }, readFields);
}

/** A JSON object whose names are of one kind, and its values. The value of a wrong name is not looked at. */
// @__NO_SIDE_EFFECTS__
export function record<const K extends v.BaseSchema<string, string, Issue>, const V extends Schema>(
  key: K,
  value: V,
): v.RecordSchema<K, V, undefined> {
  return jsonObject("record", { key, value }, readRecord);
}

interface Fields {
  readonly type: string;
  readonly entries: v.ObjectEntries;
}

function readFields({ type, entries }: Fields, reading: Reading): void {
  for (const [name, schema] of Object.entries(entries)) reading.field(name, schema);
  for (const name of Object.keys(reading.input)) {
    if (Object.hasOwn(entries, name)) continue;
    if (type === "strict_object") reading.refuse(name, "key", [unknownField(name)]);
    else if (type === "loose_object" && name !== "__proto__") reading.output[name] = reading.input[name];
  }
}

function readRecord(
  { key, value }: { readonly key: Schema; readonly value: Schema },
  reading: Reading,
): void {
  for (const name of Object.keys(reading.input)) {
    if (name === "__proto__") continue;
    const { issues } = key["~run"]({ value: name }, reading.config);
    if (issues === undefined) reading.field(name, value);
    else reading.refuse(name, "key", issues);
  }
}

/** An object while it is read. */
class Reading {
  readonly output: Json = {};
  readonly issues: Issue[] = [];

  constructor(
    readonly input: Json,
    readonly config: v.Config<Issue>,
  ) {}

  /** What is absent stays absent, unless its schema has a default. */
  field(name: string, schema: Schema): void {
    const isPresent = Object.hasOwn(this.input, name);
    const { value, issues } = schema["~run"](
      { value: isPresent ? this.input[name] : undefined },
      this.config,
    );
    if (issues !== undefined) this.refuse(name, "value", issues);
    if (isPresent || value !== undefined) this.output[name] = value;
  }

  /** @param origin whether the field's name is wrong or its value */
  refuse(key: string, origin: "key" | "value", issues: readonly Issue[]): void {
    const { input } = this;
    const item = { type: "object", origin, input, key, value: input[key] } as const;
    for (const issue of issues) this.issues.push({ ...issue, path: [item, ...(issue.path ?? [])] });
  }
}

function unknownField(name: string): Issue {
  const message = "unknown field";
  return { kind: "schema", type: "strict_object", input: name, expected: "never", received: name, message };
}

/** A schema that valibot and its JSON Schema converter take for their own of that type. */
// @__NO_SIDE_EFFECTS__
function jsonObject<S extends Schema, P extends Partial<S>>(
  type: S["type"],
  parts: P,
  read: (schema: P & { type: string }, reading: Reading) => void,
): S {
  const schema = {
    kind: "schema",
    type,
    reference: jsonObject,
    expects: "Object",
    async: false,
    ...parts,
    "~run"(this: S & P, dataset: v.UnknownDataset, config: v.Config<Issue>) {
      if (!isObject(dataset.value)) {
        v._addIssue(this, "type", dataset, config);
        return dataset;
      }
      const reading = new Reading(dataset.value, config);
      read(this, reading);
      const { issues, output: value } = reading;
      return issues.length === 0 ? { typed: true, value } : { typed: false, value, issues };
    },
  };
  return v._standardSchema<S>(schema as unknown as S);
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
