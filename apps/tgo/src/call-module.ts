import type { Client } from "@dagger.io/dagger";
import type { HostOptions } from "@tgo/functions";
import { commandStart, sameCommand } from "./command-lines.js";
import { needsEngine } from "./engine-need.js";
import type { LoadedModule } from "./loaded-module.js";
import type { ModuleFunction } from "./module-api.js";
import { wantsColor } from "./output.js";
import type { PreparedCall } from "./prepare-call.js";
import type { ResolvedArgument } from "./resolve-arguments.js";
import type { Run } from "./function-run.js";

/** What a function runs on. */
export interface CallEngine {
  readonly client: Client;
  /** For the report; undefined: the engine is asked. */
  readonly name: string | undefined;
  /** Whether it is this repository's own engine. */
  readonly isLocal: boolean;
  /** The last lines of the steps that it runs. */
  readonly output?: () => readonly string[];
}

/** How a call differs from what was typed. */
export interface CallChange {
  /** Another function; it gets the arguments that it has in common with the one that was typed. */
  readonly function?: ModuleFunction;
  /** Arguments by name, of the constructor and of the function. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly host?: Partial<HostOptions>;
}

/** Calls a function of the module on an engine. @returns what it returned */
export async function callModule(
  run: Run,
  module: LoadedModule,
  prepared: PreparedCall,
  engine: CallEngine,
  change: CallChange = {},
): Promise<unknown> {
  const { invocation, product } = run;
  const fn = change.function ?? invocation.function;
  const typed = new Map<string, ResolvedArgument | undefined>([
    ...product.moduleApi.constructor.arguments.map(
      ({ name }, at) => [name, prepared.constructorArguments[at]] as const,
    ),
    ...invocation.function.arguments.map(({ name }, at) => [name, prepared.functionArguments[at]] as const),
  ]);
  const valueOf = ({ name }: { readonly name: string }): unknown =>
    change.values !== undefined && name in change.values
      ? change.values[name]
      : typed.get(name)?.(engine.client);
  const instance = module.create(
    product.moduleApi.constructor.arguments.map(valueOf),
    { ...hostOptions(run, prepared, engine), ...change.host },
    engine.client,
  );
  if (instance[fn.name] === undefined) throw new Error(`the module has no method ${fn.name}`);
  return instance[fn.name]?.(...fn.arguments.map(valueOf));
}

/** What the module needs to know about this machine. */
function hostOptions(
  { product, process, invocation, interruption, reporting, display }: Run,
  { credentials, uncommitted, differences, signWith, tagFacts }: PreparedCall,
  { name: engine, isLocal, output }: CallEngine,
): HostOptions {
  return {
    progress: display.onProgress,
    signal: interruption.signal,
    local: true,
    ...(needsEngine(invocation) ? {} : { withoutEngine: true }),
    ...(engine === undefined ? {} : { engine }),
    ...(isLocal ? { relaysProxies: true } : {}),
    ...(output === undefined ? {} : { output }),
    ...(credentials.module === undefined ? {} : { credentials: credentials.module }),
    ...(uncommitted === undefined ? {} : { uncommitted }),
    ...(differences === undefined ? {} : { differences }),
    ...(tagFacts === undefined ? {} : { tagFacts }),
    ...(signWith === undefined ? {} : { signWith }),
    environment: process.env,
    scan: async (document) => (await import("./scanner.js")).scan(document, process.env),
    command: commandStart(process, invocation, product.moduleApi),
    invocation: sameCommand(process),
    report: reporting.accept,
    ...(process.stdout.columns === undefined ? {} : { columns: Math.max(60, process.stdout.columns) }),
    text: {
      color: wantsColor(process.stdout, process.env),
      width: Math.max(60, process.stdout.columns ?? 100),
    },
  };
}
