/** A separate process whose function never ends by itself, for the signal tests. */
import { runCommand } from "../src/index.js";
import { MODULE_API } from "./fixture.js";

const { env, stdout, stderr } = process;
process.exitCode = await runCommand(
  {
    version: "0",
    moduleApi: MODULE_API,
    load: () =>
      Promise.resolve({
        create: (_, host) => {
          host.progress?.({
            kind: "begin",
            id: "1",
            step: "build",
            service: "tgo-api",
            platform: "linux/arm64",
          });
          return {
            smoke: () =>
              new Promise(() => {
                setInterval(() => undefined, 1000);
                stderr.write("READY\n");
              }),
          };
        },
      }),
    builtInCatalog: () => Promise.resolve({ services: {} }),
    loadSdk: () =>
      Promise.resolve({ client: {} as never, connection: (run) => run(), connect: () => Promise.resolve() }),
  },
  {
    name: "tgo",
    argv: ["smoke"],
    env,
    cwd: process.cwd(),
    home: "/nowhere",
    stdout,
    stderr,
    events: process,
    exit: (code) => process.exit(code),
  },
  {
    isDockerRunning: () => Promise.resolve(false),
    startLocalEngine: () =>
      Promise.resolve({ port: 1, token: "t", name: "fake", close: () => Promise.resolve() }),
  },
);
process.exit();
