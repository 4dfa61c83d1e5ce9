/** A process of its own whose function never ends by itself: for signals. */
import { runCli } from "../src/index.js";
import { SURFACE } from "./fixture.js";

const { env, stdout, stderr } = process;
process.exitCode = await runCli(
  {
    version: "0",
    surface: SURFACE,
    load: () =>
      Promise.resolve({
        client: {} as never,
        create: (_, host) => {
          host.progress({
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
        connection: (run) => run(),
      }),
  },
  {
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
    dockerAnswers: () => Promise.resolve(false),
    startLocalEngine: () =>
      Promise.resolve({ port: 1, token: "t", name: "fake", close: () => Promise.resolve() }),
  },
);
process.exit();
