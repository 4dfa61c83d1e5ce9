/**
 * Answers a call of the module while the SDK loads it, without the SDK's scan of its types: at every start the SDK reads
 * the module's and its own declarations with the TypeScript compiler, only to learn what module-api.json says already.
 * A call of something else is left to the SDK.
 */
import type { Client, Error as DaggerError, JSON as JsonValue } from "@dagger.io/dagger";
import api from "../module-api.json";

interface Type {
  readonly kind: string;
  readonly name?: string;
  readonly of?: Type;
}

interface Argument {
  readonly name: string;
  readonly type: Type;
}

/** A type of the module's: what its objects keep, and their functions. */
interface ObjectType {
  readonly fields: readonly Argument[];
  readonly functions: readonly { readonly name: string; readonly arguments: readonly Argument[] }[];
}

/** A call as the engine describes it: ids of objects and names of enum values, as JSON. */
export interface Call {
  /** "" in a call that asks for the module's types. */
  readonly parentName: string;
  /** "" for the constructor. */
  readonly name: string;
  readonly parent: string;
  readonly inputArgs: readonly { readonly name: string; readonly value: string }[];
}

type Method = (...values: unknown[]) => unknown;
type Class = new (...values: never[]) => object;

const CALL = `{ currentFunctionCall { parentName name parent inputArgs { name value } } }`;

const OBJECTS = new Map<string, ObjectType>(Object.entries(api.objects));

/**
 * Runs the call that this process was started for, and ends the process; returns if it was not started for one.
 * @param classes of the module, the main one first
 */
export async function answerCall(classes: readonly Class[], client: Client): Promise<void> {
  if (process.argv[1]?.endsWith("/__dagger.entrypoint.ts") !== true) return;
  const { currentFunctionCall } = await client.getGQLClient().request<{ currentFunctionCall: Call }>(CALL);
  const run = prepareCall(currentFunctionCall, classes, client);
  if (run === undefined) return;
  const call = client.currentFunctionCall();
  try {
    await call.returnValue(JSON.stringify(await run()) as JsonValue);
  } catch (error) {
    await call.returnError(describeError(error, client));
    process.exit(1);
  }
  process.exit(0);
}

/**
 * @returns what computes the call's result: ids in place of objects of the engine, fields in place of the module's;
 *   undefined if the API has no such function
 */
export function prepareCall(
  call: Call,
  classes: readonly Class[],
  client: Client,
): (() => Promise<unknown>) | undefined {
  const [main] = classes;
  const parent = classes.find(({ name }) => name === call.parentName);
  if (main === undefined || parent === undefined) return undefined;
  const values = { classes, client };
  const given = new Map(call.inputArgs.map(({ name, value }) => [name, JSON.parse(value) as unknown]));
  const read = (list: readonly Argument[]): unknown[] =>
    list.map(({ name, type }) => toValue(given.get(name), type, values));
  if (call.name === "") {
    if (parent !== main) return undefined;
    return async () => toResult(Reflect.construct(main, read(api.constructor.arguments) as never[]));
  }
  const functions =
    parent === main ? [...api.functions, ...api.moduleFunctions] : OBJECTS.get(parent.name)?.functions;
  const found = functions?.find(({ name }) => name === call.name);
  if (found === undefined) return undefined;
  return async () => {
    const object = toObject(parent, JSON.parse(call.parent), values) as Record<string, Method>;
    return toResult(await object[found.name]?.(...read(found.arguments)));
  };
}

interface Values {
  readonly classes: readonly Class[];
  readonly client: Client;
}

/** An object of the module as it was when it was returned. */
function toObject(type: Class, state: unknown, values: Values): object {
  const kept = new Map(Object.entries((state ?? {}) as Record<string, unknown>));
  const fields = (OBJECTS.get(type.name)?.fields ?? []).map(
    (field) => [field.name, toValue(kept.get(field.name), field.type, values)] as const,
  );
  return Object.assign(Object.create(type.prototype as object) as object, Object.fromEntries(fields));
}

function toValue(value: unknown, type: Type, values: Values): unknown {
  if (value === undefined || value === null) return undefined;
  if (type.of !== undefined) {
    const { of } = type;
    return (value as unknown[]).map((each) => toValue(each, of, values));
  }
  if (type.kind === "enum") {
    const { values: members } = api.enums[type.name as keyof typeof api.enums];
    return members.find(({ name }) => name === value)?.value;
  }
  if (type.kind !== "object") return value;
  const own = values.classes.find(({ name }) => name === type.name);
  if (own !== undefined) return toObject(own, value, values);
  return load(values.client, type.name ?? "", value);
}

/** An object of the engine by its id. */
function load(client: Client, type: string, id: unknown): unknown {
  const loaders = client as unknown as Readonly<Record<string, Method | undefined>>;
  const name = `load${type}FromID`;
  if (loaders[name] === undefined) throw new Error(`no loader for arguments of type ${type}`);
  return loaders[name](id);
}

/** Objects of the engine become their ids. */
async function toResult(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map(toResult));
  if (typeof value !== "object" || value === null) return value ?? null;
  if ("id" in value && typeof value.id === "function") return (value.id as () => Promise<string>)();
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    await Promise.all(entries.map(async ([name, each]) => [name, await toResult(each)] as const)),
  );
}

/** As the SDK describes errors: what an error of the engine says of itself is handed on. */
function describeError(error: unknown, client: Client): DaggerError {
  const described = client.error(error instanceof Error ? error.message : String(error));
  const extensions = (error as { extensions?: object } | undefined)?.extensions ?? {};
  return Object.entries(extensions).reduce(
    (next, [name, value]) =>
      value === "" || value === undefined || value === null
        ? next
        : next.withValue(name, JSON.stringify(value) as JsonValue),
    described,
  );
}
