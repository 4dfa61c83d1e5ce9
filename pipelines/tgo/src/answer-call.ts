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

/** Runs the call that this process was started for, and ends the process; returns if it was not started for one. */
export async function answerCall(main: Class, client: Client): Promise<void> {
  if (process.argv[1]?.endsWith("/__dagger.entrypoint.ts") !== true) return;
  const { currentFunctionCall } = await client.getGQLClient().request<{ currentFunctionCall: Call }>(CALL);
  const run = prepareCall(currentFunctionCall, main, client);
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
 * @returns what computes the call's result: ids in place of objects; undefined if the API has no such function
 */
export function prepareCall(call: Call, main: Class, client: Client): (() => Promise<unknown>) | undefined {
  const { arguments: fields } = api.constructor;
  const given = new Map(call.inputArgs.map(({ name, value }) => [name, JSON.parse(value) as unknown]));
  const read = (list: readonly Argument[], values: ReadonlyMap<string, unknown>): unknown[] =>
    list.map(({ name, type }) => toValue(values.get(name), type, client));
  if (call.parentName !== main.name) return undefined;
  if (call.name === "")
    return async () => toResult({ ...Reflect.construct(main, read(fields, given) as never[]) });
  const found = api.functions.find(({ name }) => name === call.name);
  if (found === undefined) return undefined;
  return async () => {
    const state = new Map(Object.entries((JSON.parse(call.parent) ?? {}) as Record<string, unknown>));
    const values = read(fields, state);
    const object = Object.assign(
      Object.create(main.prototype as object) as Record<string, Method>,
      Object.fromEntries(fields.map(({ name }, index) => [name, values[index]])),
    );
    return toResult(await object[found.name]?.(...read(found.arguments, given)));
  };
}

/** By the core types that arguments have. */
const LOADERS: Readonly<Record<string, (client: Client, id: never) => unknown>> = {
  Directory: (client, id) => client.loadDirectoryFromID(id),
  File: (client, id) => client.loadFileFromID(id),
  Secret: (client, id) => client.loadSecretFromID(id),
  Service: (client, id) => client.loadServiceFromID(id),
};

function toValue(value: unknown, type: Type, client: Client): unknown {
  if (value === undefined || value === null) return undefined;
  if (type.of !== undefined) {
    const { of } = type;
    return (value as unknown[]).map((each) => toValue(each, of, client));
  }
  if (type.kind === "enum") {
    const { values } = api.enums[type.name as keyof typeof api.enums];
    return values.find(({ name }) => name === value)?.value;
  }
  if (type.kind !== "object") return value;
  const load = LOADERS[type.name ?? ""];
  if (load === undefined) throw new Error(`no loader for arguments of type ${type.name ?? ""}`);
  return load(client, value as never);
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
