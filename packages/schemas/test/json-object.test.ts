import { describe, expect, it } from "vitest";
import * as v from "../src/index.js";

const fields = { name: v.string(), size: v.optional(v.wholeNumber(0), 1), note: v.optional(v.string()) };
const read = (schema: v.GenericSchema, text: string): unknown => v.outputOf(schema, JSON.parse(text));

/** Each issue in a line, in order. */
function issuesOf(schema: v.GenericSchema, text: string): string[] {
  return (v.safeParse(schema, JSON.parse(text)).issues ?? []).map(v.describeIssue);
}

describe("an object", () => {
  const input = '{"note":"a","name":"b","other":{"c":1}}';

  it("has defaults for absent fields, in the schema's order, and no others", () => {
    expect(JSON.stringify(read(v.object(fields), input))).toBe('{"name":"b","size":1,"note":"a"}');
    expect(JSON.stringify(read(v.object(fields), '{"name":"b"}'))).toBe('{"name":"b","size":1}');
  });

  it("keeps unknown fields if it is loose, after the known ones", () => {
    expect(JSON.stringify(read(v.looseObject(fields), input))).toBe(
      '{"name":"b","size":1,"note":"a","other":{"c":1}}',
    );
  });

  it("names every unknown field if it is strict, with all other issues", () => {
    expect(issuesOf(v.strictObject(fields), '{"size":1.5,"other":1,"note":null,"third":2}')).toEqual([
      "name: must be a string",
      "size: must be a whole number",
      "note: must be a string",
      "other: unknown field",
      "third: unknown field",
    ]);
  });

  it.each([
    v.object(fields),
    v.looseObject(fields),
    v.strictObject(fields),
    v.record(v.string(), v.unknown()),
  ])("is neither a list nor null nor a text: %#", (schema) => {
    for (const text of ["[]", '["a"]', "null", '"a"', "1"])
      expect(issuesOf(schema, text)).toEqual(["(top level): must be an object"]);
  });

  it("of some fields only has the same rules", () => {
    const some = v.partial(v.strictObject(fields));
    expect(read(some, "{}")).toEqual({});
    expect(issuesOf(some, '{"other":1,"name":1}')).toEqual([
      "name: must be a string",
      "other: unknown field",
    ]);
  });

  it("is one of a variant by its own field", () => {
    const one = v.variant("kind", [
      v.strictObject({ kind: v.literal("a"), size: v.wholeNumber(0) }),
      v.strictObject({ kind: v.literal("b") }),
    ]);
    expect(read(one, '{"kind":"b"}')).toEqual({ kind: "b" });
    expect(issuesOf(one, '{"kind":"a","size":-1}')).toEqual(["size: must be at least 0"]);
    for (const text of ['{"kind":"c"}', "{}"])
      expect(issuesOf(one, text)).toEqual(['kind: must be "a" or "b"']);
  });
});

describe("a record", () => {
  const Key = v.pipe(v.string(), v.regex(/^[a-z_]+$/, "must be lower-case"));
  const schema = v.record(Key, v.array(v.string()));

  it("checks names and values, but no value of a wrong name", () => {
    expect(read(schema, '{"a":["x"],"b":[]}')).toEqual({ a: ["x"], b: [] });
    expect(issuesOf(schema, '{"A":1,"b":["x",1],"c":2}')).toEqual([
      "A: must be lower-case",
      "b.1: must be a string",
      "c: must be an array",
    ]);
  });
});

describe("names that objects of JavaScript have", () => {
  const names = ["constructor", "prototype", "toString", "hasOwnProperty"];
  const input = `{${names.map((name) => `"${name}":"x"`).join(",")}}`;

  it("are fields like any other", () => {
    expect(issuesOf(v.strictObject({}), input)).toEqual(names.map((name) => `${name}: unknown field`));
    for (const schema of [v.looseObject({}), v.record(v.string(), v.string())])
      expect(JSON.stringify(read(schema, input))).toBe(input);
  });

  it("are absent unless the input has them", () => {
    expect(read(v.object({ toString: v.optional(v.string()) }), "{}")).toEqual({});
    expect(issuesOf(v.object({ constructor: v.string() }), "{}")).toEqual(["constructor: must be a string"]);
  });

  it("cannot change what the output inherits", () => {
    for (const schema of [v.looseObject({}), v.object({}), v.record(v.string(), v.unknown())]) {
      const output = read(schema, '{"__proto__":{"polluted":true}}') as object;
      expect(Object.getPrototypeOf(output)).toBe(Object.prototype);
      expect(Object.keys(output)).toEqual([]);
    }
    expect(issuesOf(v.strictObject({}), '{"__proto__":1}')).toEqual(["__proto__: unknown field"]);
  });
});

describe("a message", () => {
  it.each<[string, v.GenericSchema, unknown]>([
    ["must be a string", v.string(), 1],
    ["must be a number", v.number(), "1"],
    ["must be true or false", v.boolean(), "true"],
    ["must be an array", v.array(v.string()), {}],
    ["must be 2", v.literal(2), 3],
    ['must be "a" or "b"', v.picklist(["a", "b"]), "c"],
    ["must be a whole number", v.wholeNumber(0), 1.5],
    ["must be at least 1", v.wholeNumber(1), 0],
    ["must be at most 9007199254740991", v.wholeNumber(0), 2 ** 53],
    ["must not be empty", v.pipe(v.string(), v.nonEmpty()), ""],
    ["must have a length of at most 1", v.pipe(v.array(v.string()), v.maxLength(1)), ["a", "b"]],
    ["must be a colour", v.pipe(v.string(), v.regex(/^red$/, "must be a colour")), "x"],
  ])("says: %s", (message, schema, value) => {
    expect(v.safeParse(schema, value).issues?.map(({ message }) => message)).toEqual([message]);
  });
});
