import { TemporaryFolders } from "@tgo/git";
import { callModule } from "./call-module.js";
import { chooseEngine, describeEngine } from "./engine.js";
import { needsEngine } from "./engine-need.js";
import { EngineOutput } from "./engine-output.js";
import { hostClient } from "./host-client.js";
import type { Run } from "./function-run.js";
import { platformEngines } from "./platform-engines.js";
import { prepareCall } from "./prepare-call.js";
import { runOnEngines } from "./run-on-engines.js";
import { withSession } from "./session.js";
import { writeResult } from "./write-result.js";

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
    return written(
      run,
      await callModule(run, module, prepared, { client: hostClient(), name: "no engine", isLocal: true }),
    );
  }
  const { platforms, isAssembledThere } = platformEngines(invocation.settings);
  const [prepared, choice] = await Promise.all([
    preparing,
    chooseEngine(invocation.settings.engine, process.env, engines.isDockerRunning),
  ]);
  const { display, interruption } = run;
  const chosen = isAssembledThere
    ? platforms.map(({ platform, address }) => `${platform} on ${address}`).join(", ")
    : describeEngine(choice);
  display.onProgress({ kind: "note", id: "choice", step: "engine", detail: chosen });
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
    const options = {
      choice,
      engines,
      env: process.env,
      signal: interruption.signal,
      caBundle: prepared.caBundle,
      credentials: prepared.credentials.host,
      mirrors: prepared.mirrors,
      output,
    };
    const opened = (): void => {
      session.open = true;
      endStep("done");
    };
    if (isAssembledThere)
      return await written(run, await runOnEngines({ run, loading, prepared, options, platforms, opened }));
    return await withSession(product.loadSdk, options, async (client, name) => {
      const engine = { client, name, isLocal: choice.engine === "local", output: output.last };
      if (platforms.length > 0)
        return written(
          run,
          await runOnEngines({ run, loading, prepared, options, platforms, opened }, engine),
        );
      opened();
      return written(run, await callModule(run, await loading, prepared, engine));
    });
  } catch (error) {
    if (!session.open) endStep(interruption.signal.aborted ? "stopped" : "failed");
    throw error;
  }
}

/** Writes a function's result where it goes. @returns the text for stdout */
function written(run: Run, value: unknown): Promise<string> {
  const { function: fn, settings } = run.invocation;
  return writeResult(fn, value, { cwd: run.process.cwd, output: settings.output });
}
