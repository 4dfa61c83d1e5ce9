import { join } from "node:path";
import { startEngine } from "@tgo/local-engine";
import { PassThrough } from "node:stream";
import { EventEmitter } from "node:events";
import moduleApi from "../../../pipelines/tgo/module-api.json";
import { runCommand, type CommandProcess, type Product } from "../src/index.js";

/** The command of this repository, in this process. */
const product: Product = {
  version: "0.0.0",
  moduleApi: moduleApi as Product["moduleApi"],
  load: async () => {
    const { Tgo } = await import("../../../pipelines/tgo/src/index.js");
    return {
      create: (args, host, client) => {
        const instance = Reflect.construct(Tgo, args) as InstanceType<typeof Tgo>;
        return Object.assign(instance, { pipelines: instance["pipelines"].bind(instance, host, client) });
      },
    };
  },
  builtInCatalog: () => Promise.reject(new Error("not used")),
  loadSdk: async () => {
    const { connect, connection, dag } = await import("@dagger.io/dagger");
    return { connect, connection, client: dag };
  },
};

/**
 * Runs `tgo` with two machines: `--engine linux/amd64=local` is this one, and runs nothing of another platform;
 * `linux/arm64=local` is one of that platform, emulated as a whole. Each has a state of its own in the folder. `--engine local`
 * is the first of them, and emulates.
 */
export async function onTwoEngines(
  folder: string,
  argv: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const texts = { stdout: "", stderr: "" };
  const capture = (name: "stdout" | "stderr"): PassThrough =>
    new PassThrough().on("data", (chunk: Buffer) => (texts[name] += chunk.toString()));
  const code = await runCommand(
    product,
    {
      name: "tgo",
      argv: [...argv],
      // The SDK reads the session's address from the process's own.
      env: process.env,
      cwd: process.cwd(),
      home: process.env.HOME ?? "/root",
      stdout: capture("stdout"),
      stderr: capture("stderr"),
      isStdoutClosed: false,
      events: new EventEmitter(),
      exit: () => undefined,
    } satisfies CommandProcess,
    {
      isDockerRunning: () => Promise.resolve(false),
      startLocalEngine: async ({ platform, signal, mirrors, credentials }) => {
        const own = platform === "linux/arm64" ? platform : "linux/amd64";
        const engine = await startEngine({
          home: join(folder, own.replace("/", "-")),
          signal,
          mirrors: mirrors.images,
          reachable: mirrors.indexes,
          ...(credentials === undefined ? {} : { keychain: credentials }),
          platform: own,
          emulates: platform !== "linux/amd64",
        });
        return { ...engine, name: "local engine", close: () => engine.close() };
      },
    },
  );
  return { code, ...texts };
}
