import { hasUnfinishedReads, homeFolder } from "@tgo/host";
import moduleApi from "../../../pipelines/tgo/module-api.json";
import manifest from "../package.json";
import { commandName, EXIT } from "./command-process.js";
import { commandApi, withPrune } from "./command-api.js";
import { isDockerRunning } from "./engine.js";
import type { Product } from "./loaded-module.js";
import { failureOf } from "./failure.js";
import { startLocalEngine } from "./local-engine.js";
import type { ModuleApi } from "./module-api.js";
import { currentFolder, isStdoutClosed } from "./process-state.js";
import { runCommand } from "./run.js";

/** The module of this repository, on this machine. */
const product: Product = {
  version: manifest.version,
  // Generated from the module's source and kept up to date by a check: not parsed again.
  moduleApi: commandApi(moduleApi as ModuleApi),
  load: async () => {
    const { Tgo } = await import("../../../pipelines/tgo/src/index.js");
    return {
      create: (args, host, client) => {
        const instance = Reflect.construct(Tgo, args) as InstanceType<typeof Tgo>;
        // Not arguments of the module's API: host options hold functions.
        const pipelines = instance["pipelines"].bind(instance, host, client);
        return withPrune(Object.assign(instance, { pipelines }));
      },
    };
  },
  builtInCatalog: async () => (await import("../../../pipelines/tgo/lib/core.js")).BUILT_IN,
  loadSdk: async () => {
    const { connect, connection, dag } = await import("@dagger.io/dagger");
    return { connect, connection, client: dag };
  },
};

const { argv, env, stdin, stdout, stderr } = process;

/** Sockets that the SDK keeps open, and reads of a dead network mount, must not keep a finished command alive. */
function end(code: number): void {
  if (hasUnfinishedReads()) process.kill(process.pid, "SIGKILL");
  process.exit(code);
}

let cwd: string;
try {
  cwd = currentFolder();
} catch (error) {
  stderr.write(`tgo: ${failureOf(error).message}\n`);
  end(EXIT.usage);
  throw error;
}

const code = await runCommand(
  product,
  {
    name: commandName(argv[1]),
    argv: argv.slice(2),
    env,
    cwd,
    home: homeFolder(env),
    stdin,
    stdout,
    stderr,
    isStdoutClosed: isStdoutClosed(),
    events: process,
    exit: end,
  },
  { isDockerRunning, startLocalEngine },
);
end(code);
