import { homedir } from "node:os";
import surface from "../../../pipelines/tgo/module-api.json";
import manifest from "../package.json";
import { dockerAnswers } from "./engine.js";
import { startLocalEngine } from "./embedded.js";
import type { LoadedModule, Product } from "./loaded-module.js";
import { runCli } from "./run.js";
import type { ModuleApi } from "./module-api.js";

/** The module of this repository, on this machine. */
const product: Product = {
  version: manifest.version,
  // Made from the module's source, and held to it by a check: not parsed again.
  surface: surface as ModuleApi,
  load: async (): Promise<LoadedModule> => {
    const [sdk, module] = await Promise.all([
      import("@dagger.io/dagger"),
      import("../../../pipelines/tgo/src/index.js"),
    ]);
    return {
      connection: sdk.connection,
      client: sdk.dag,
      create: (args, host) => {
        const instance = Reflect.construct(module.Tgo, args) as InstanceType<typeof module.Tgo>;
        // Not an argument of the module's API: a host is made of functions.
        const pipelines = instance["pipelines"].bind(instance, host);
        return Object.assign(instance, { pipelines });
      },
    };
  },
};

const { argv, env, stdout, stderr } = process;

process.exitCode = await runCli(
  product,
  {
    argv: argv.slice(2),
    env,
    cwd: process.cwd(),
    home: homedir(),
    stdout,
    stderr,
    events: process,
    exit: (code) => process.exit(code),
  },
  { dockerAnswers, startLocalEngine },
);
// Sockets that the SDK keeps open must not keep a finished command alive.
process.exit();
