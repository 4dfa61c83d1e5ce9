import type { Client } from "@dagger.io/dagger";
import type { HostOptions } from "@tgo/functions";
import { TemporaryFolders } from "@tgo/git";
import type { Invocation } from "./command-line.js";
import type { CommandProcess } from "./command-process.js";
import { chooseEngine, describeEngine } from "./engine.js";
import { needsEngine } from "./engine-need.js";
import { EngineOutput } from "./engine-output.js";
import { hostClient } from "./host-client.js";
import type { Interruption } from "./interrupt.js";
import type { LoadedModule, Product } from "./loaded-module.js";
import { wantsColor, type Output } from "./output.js";
import { prepareCall, type PreparedCall } from "./prepare-call.js";
import type { Display } from "./progress/display.js";
import type { Redactor } from "@tgo/redaction";
import type { Reporting } from "./reporting.js";
import { withSession, type Engines } from "./session.js";
import { commandStart, sameCommand } from "./command-lines.js";
import { writeResult } from "./write-result.js";

/** One run of a function, with everything it uses. */
export interface Run {
  readonly product: Product;
  readonly process: CommandProcess;
  readonly engines: Engines;
  readonly redaction: Redactor;
  readonly output: Output;
  readonly invocation: Invocation;
  readonly interruption: Interruption;
  readonly reporting: Reporting;
  readonly display: Display;
}

/**
 * Calls the function, in a session with an engine if it needs one.
 * @returns the text for stdout
 */
export async function runFunction(run: Run): Promise<string> {
  const folders = new TemporaryFolders();
  const removeNow = (): void => {
    folders.removeNow();
  };
  // A second Ctrl-C ends the process without waiting for anything.
  run.process.events.on("exit", removeNow);
  try {
    return await runWith(run, folders);
  } finally {
    run.process.events.off("exit", removeNow);
    await folders.remove();
  }
}

async function runWith(run: Run, folders: TemporaryFolders): Promise<string> {
  const { product, process, engines, redaction, invocation } = run;
  const { env, cwd, home } = process;
  const host = { env, cwd, home, folders, signal: run.interruption.signal };
  const preparing = prepareCall(invocation, product.moduleApi, host, redaction);
  if (!needsEngine(invocation)) {
    const [prepared, module] = await Promise.all([preparing, product.load()]);
    return call(run, module, prepared, { client: hostClient(), name: "no engine" });
  }
  const [prepared, choice] = await Promise.all([
    preparing,
    chooseEngine(invocation.settings.engine, process.env, engines.isDockerRunning),
  ]);
  const { display, interruption } = run;
  display.onProgress({ kind: "note", id: "choice", step: "engine", detail: describeEngine(choice) });
  const started = performance.now();
  const step = { id: "engine", step: "start the engine", isMinor: true };
  display.onProgress({ kind: "begin", ...step });
  const endStep = (state: "done" | "failed" | "stopped"): void => {
    display.onProgress({ kind: "end", ...step, state, durationMs: performance.now() - started });
  };
  const session = { open: false };
  const output = new EngineOutput(
    invocation.settings.verbose
      ? (line) => {
          display.line(redaction.clean(line));
        }
      : undefined,
    display.onEngineAmount,
  );
  try {
    const loading = product.load();
    loading.catch(() => undefined);
    return await withSession(
      product.loadSdk,
      {
        choice,
        engines,
        env: process.env,
        signal: interruption.signal,
        caBundle: prepared.caBundle,
        credentials: prepared.credentials.host,
        mirrors: prepared.mirrors,
        output,
      },
      async (client, name) => {
        session.open = true;
        endStep("done");
        return call(run, await loading, prepared, { client, name, output: output.last });
      },
    );
  } catch (error) {
    if (!session.open) endStep(interruption.signal.aborted ? "stopped" : "failed");
    throw error;
  }
}

/** What a function runs on. */
interface CallEngine {
  readonly client: Client;
  /** For the report; undefined: the engine is asked. */
  readonly name: string | undefined;
  /** The last lines of the steps that it runs. */
  readonly output?: () => readonly string[];
}

async function call(
  run: Run,
  module: LoadedModule,
  prepared: PreparedCall,
  engine: CallEngine,
): Promise<string> {
  const { function: fn, settings } = run.invocation;
  const { client } = engine;
  const instance = module.create(
    prepared.constructorArguments.map((make) => make(client)),
    hostOptions(run, prepared, engine),
    client,
  );
  if (instance[fn.name] === undefined) throw new Error(`the module has no method ${fn.name}`);
  const value = await instance[fn.name]?.(...prepared.functionArguments.map((make) => make(client)));
  return writeResult(fn, value, { cwd: run.process.cwd, output: settings.output });
}

/** What the module needs to know about this machine. */
function hostOptions(
  { product, process, invocation, interruption, reporting, display }: Run,
  { credentials, uncommitted, differences, signWith, tagFacts }: PreparedCall,
  { name: engine, output }: CallEngine,
): HostOptions {
  return {
    progress: display.onProgress,
    signal: interruption.signal,
    local: true,
    ...(needsEngine(invocation) ? {} : { withoutEngine: true }),
    // The local engine is the one with a name: Dagger's is asked for its version.
    ...(engine === undefined ? {} : { engine, relaysProxies: true }),
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
