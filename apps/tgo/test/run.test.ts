import type { File } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { brokenPipe, FunctionFailed, tgo } from "./fixture.js";

describe("stdout", () => {
  it("has the function's result and nothing else", async () => {
    const { code, stdout, stderr } = await tgo("smoke", { behave: () => Promise.resolve("the result") });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "the result\n" });
    expect(stderr).toContain("engine:");
  });

  it("has a failed function's JSON report too, with a failing exit code", async () => {
    const report = JSON.stringify({ ok: false });
    const { code, stdout, stderr } = await tgo("publish --service a --format json", {
      behave: () => Promise.reject(new FunctionFailed(report)),
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ ok: false });
    expect(stderr).not.toContain('"ok"');
  });

  it.each([
    ["services", "  service  state\n  tgo-api  failed"],
    ["services --format json", JSON.stringify({ prune: { repositories: [] } })],
  ])("has a failed function's list, and stderr nothing: %s", async (line, said) => {
    const { code, stdout, stderr } = await tgo(line, {
      behave: () => Promise.reject(new FunctionFailed(said)),
    });
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: `${said}\n`, stderr: "" });
  });

  it("is JSON with --format json even when the function failed before it had a report", async () => {
    const { code, stdout, stderr } = await tgo("publish --service a --format json", {
      behave: () => Promise.reject(new TgoError("BUILD", "pip failed", { where: "tgo-api", remedy: "look" })),
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      command: "publish",
      ok: false,
      problems: [{ code: "BUILD", what: "pip failed", where: "tgo-api", remedy: "look" }],
    });
    expect(stderr).toContain("tgo: tgo-api: pip failed\n  look");
  });

  it.each([["smoke"], ["services --format json"], ["--help"]])(
    "that was closed is refused before anything starts: %s",
    async (line) => {
      const { code, stderr, calls, loaded } = await tgo(line, { isStdoutClosed: true });
      expect({ code, calls, loaded }).toEqual({ code: 2, calls: [], loaded: false });
      expect(stderr).toMatch(/^tgo: stdout is closed, so the result would be lost\n[^]*\/dev\/null/);
    },
  );

  it("that was closed does not matter to an image that goes to a file", async () => {
    const exported: string[] = [];
    const container = {
      platform: () => Promise.resolve("linux/amd64"),
      asTarball: () => ({ export: (path: string) => Promise.resolve(exported.push(path)) }),
    };
    const { code } = await tgo("build --service a --output image.tar", {
      isStdoutClosed: true,
      cwd: tmpdir(),
      behave: () => Promise.resolve(container),
    });
    expect([code, exported]).toEqual([0, [join(tmpdir(), "image.tar")]]);
  });

  it("may be closed by its reader", async () => {
    const { code, stderr } = await tgo("smoke", { stdout: brokenPipe() });
    expect(code).toBe(0);
    expect(stderr).not.toContain("EPIPE");
  });
});

describe("what the engine prints", () => {
  it("is known of the steps that run, for an error about one that does not end", async () => {
    const run = { kind: "exec", title: "sh -c ./configure", platform: "linux/arm64" } as const;
    const { stdout, stderr } = await tgo("smoke", {
      behave: (_, host) => Promise.resolve(host.output?.().join("\n")),
      engines: {
        startLocalEngine: ({ output }) => {
          output.step({ kind: "pull", title: "base", state: "start" });
          output.step({ ...run, state: "start" });
          for (let line = 0; line < 15; line++) output.step({ ...run, state: "line", line: `line ${line}` });
          output.step({ kind: "pull", title: "base", state: "end" });
          return Promise.resolve({ port: 1, token: "t", name: "fake", close: () => Promise.resolve() });
        },
      },
    });
    const last = Array.from({ length: 10 }, (_, line) => `line ${line + 5}`);
    expect(stdout).toBe(["exec linux/arm64 sh -c ./configure", ...last, ""].join("\n"));
    expect(stderr).not.toContain("line 14");
  });
});

describe("a path", () => {
  const folder = mkdtempSync(join(tmpdir(), "tgo-run-"));
  const at = (name: string): string => join(folder, name);
  const socket = createServer();
  beforeAll(async () => {
    execFileSync("mkfifo", [at("pipe")]);
    await new Promise<void>((resolve) => socket.listen(at("socket"), resolve));
  });
  afterAll(() => {
    socket.close();
    rmSync(folder, { recursive: true });
  });

  const KINDS = [
    ["a pipe", "pipe"],
    ["a socket", "socket"],
    ["a device", "/dev/null"],
    ["a folder", "."],
  ] as const;
  const refused = async (line: string, name: string, words: RegExp): Promise<void> => {
    const { code, stderr, loaded } = await tgo(`${line} ${name}`, { cwd: folder });
    expect({ code, loaded }).toEqual({ code: 2, loaded: false });
    expect(stderr).toMatch(words);
  };

  it.each(KINDS)("of a result is refused before anything is started: %s", (_, name) =>
    refused(
      "build --service a --output",
      name,
      /cannot write the result \(--output\): it is (?:not a regular file|a folder)/,
    ),
  );

  it("of a result needs a folder that exists", () =>
    refused("build --service a --output", "no/file", /cannot write the result \(--output\): no such folder/));

  it.each(KINDS)("of a CA bundle is refused at once: %s", (_, name) =>
    refused("build --service a --ca-bundle", name, /this is not a file \(--ca-bundle\)/),
  );

  it.each(KINDS)("of a catalog is refused at once: %s", (_, name) =>
    refused("build --service a --catalog", name, /this is not a file \(--catalog\)/),
  );

  it.each(KINDS.slice(1))("of a secret is refused at once: %s", (_, name) =>
    refused(
      "build --service a --docker-config",
      name,
      /the file cannot be read \(--docker-config\): it is (?:neither|a folder)/,
    ),
  );

  it.each(KINDS.slice(0, 3))("of a source is refused at once: %s", (_, name) =>
    refused("build --service a --source", name, /this is not a folder \(--source\)/),
  );
});

describe("failures", () => {
  it("with code USAGE from the module are usage errors", async () => {
    const { code, stderr } = await tgo("publish --service tgo-apii", {
      behave: () =>
        Promise.reject(new TgoError("USAGE", 'there is no service "tgo-apii"; did you mean "tgo-api"?')),
    });
    expect(code).toBe(2);
    expect(stderr).toContain('tgo: there is no service "tgo-apii"; did you mean "tgo-api"?');
  });

  it("of a command show the command and its last lines", async () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`).join("\n");
    const exec = Object.assign(new Error("exit code: 1"), {
      name: "ExecError",
      cmd: ["pip", "install"],
      exitCode: 1,
      stdout: lines,
      stderr: "no matching distribution",
    });
    const { code, stderr } = await tgo("publish --service a", { behave: () => Promise.reject(exec) });
    expect(code).toBe(1);
    expect(stderr).toContain("a command failed with exit code 1: pip install");
    expect(stderr).toContain("line 49\n  no matching distribution");
    expect(stderr).not.toContain("line 20\n");
  });

  it("wrapped by the SDK show what was wrapped", async () => {
    const wrapped = Object.assign(
      new Error("Encountered an unknown error", { cause: new TgoError("CHECK", "foreign") }),
      {
        name: "UnknownDaggerError",
      },
    );
    const { stderr } = await tgo("publish --service a", { behave: () => Promise.reject(wrapped) });
    expect(stderr).toContain("tgo: foreign");
    expect(stderr).not.toContain("unknown error");
  });

  it.each([
    ["", false],
    [" --verbose", true],
  ])("show a stack only with --verbose (smoke%s)", async (flag, shown) => {
    const { code, stderr } = await tgo(`smoke${flag}`, {
      behave: () => Promise.reject(new Error("boom")),
    });
    expect(code).toBe(1);
    expect(stderr).toContain("boom");
    expect(/\n\s+at /.test(stderr)).toBe(shown);
  });
});

describe("an uncaught error", () => {
  it.each(["unhandledRejection", "uncaughtException"])(
    "(%s) ends the run with a message, not a stack",
    async (name) => {
      const events = new EventEmitter();
      const { code, stderr } = await tgo("smoke", {
        signals: events,
        behave: () => {
          events.emit(name, new Error("session process died"));
          return new Promise(() => undefined);
        },
      });
      expect(code).toBe(1);
      expect(stderr).toContain("tgo: session process died");
      expect(stderr).not.toMatch(/\n\s+at /);
    },
  );
});

describe("the module", () => {
  it("gets the command that continues, quoted for a shell, and the terminal's width", async () => {
    const { host } = await tgo(["smoke", "--registry", "a b=c"], { env: { npm_command: "exec" } });
    expect(host?.invocation).toBe("npx --no-install tgo smoke --registry 'a b=c'");
    expect(host?.text).toEqual({ color: false, width: 100 });
  });

  it("gets other commands for remedies, with the typed flags of every function, quoted", async () => {
    const line = ["smoke", "--registry", "a=b.example/c d", "--registry", "e.example/f", "--engine", "local"];
    const env = { npm_command: "exec", TGO_PLATFORM: "linux/arm64" };
    const { host } = await tgo([...line, "--format", "json"], { env });
    expect(host?.command).toBe(
      "npx --no-install tgo --engine local --registry 'a=b.example/c d' --registry e.example/f",
    );
  });

  it("gets the name the command was started by: tgo may be another program", async () => {
    const options = { name: "tgo-pipelines" } as const;
    expect((await tgo("smoke --format json", options)).host?.invocation).toBe(
      "tgo-pipelines smoke --format json",
    );
    const { stderr } = await tgo("publish", options);
    expect(stderr).toContain("Run tgo-pipelines publish --help for the flags.");
    expect((await tgo("--help", options)).stdout).toContain("Usage: tgo-pipelines <function> [flags]");
  });

  it.each([
    [true, {}, true],
    [true, { NO_COLOR: "1" }, false],
    [false, { FORCE_COLOR: "1" }, true],
  ])("is told whether stdout supports colours (terminal: %s, %o)", async (tty, env, color) => {
    expect((await tgo("smoke", { tty, env })).host?.text?.color).toBe(color);
  });

  it.each([
    ["--ca-bundle /etc/hostname", {}, "/etc/hostname"],
    ["", { TGO_CA_BUNDLE: "/etc/hostname", NODE_EXTRA_CA_CERTS: "/etc/hosts" }, "/etc/hostname"],
    ["", { NODE_EXTRA_CA_CERTS: "/etc/hosts" }, "/etc/hosts"],
    ["", { NODE_EXTRA_CA_CERTS: "/no/such" }, undefined],
  ])("builds with the certificates of %s %o", async (flag, env, expected) => {
    let given: string | undefined;
    await tgo(`smoke ${flag}`, {
      env,
      engines: {
        startLocalEngine: ({ caBundle }) => {
          given = caBundle;
          return Promise.reject(new Error("enough"));
        },
      },
    });
    expect(given).toBe(expected);
  });
});

describe("functions that only read the catalog", () => {
  it("run on any machine: no engine is looked for, started or mentioned", async () => {
    const dead = (): Promise<never> => Promise.reject(new Error("must not be called"));
    const { code, stdout, stderr, host } = await tgo("services --registry a=b", {
      engines: { isDockerRunning: dead, startLocalEngine: dead },
      connection: dead,
      behave: () => Promise.resolve("the list"),
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "the list\n", stderr: "" });
    expect(host).toBeDefined();
  });

  it("read a file argument themselves", async () => {
    const { stderr, calls } = await tgo(["services", "--catalog", import.meta.filename]);
    expect(stderr).toBe("");
    expect(await (calls[0]?.constructorArguments[0] as File).name()).toBe("run.test.ts");
  });
});

describe("engines", () => {
  const dockerRuns = { isDockerRunning: () => Promise.resolve(true) };

  it.each([
    ["smoke", {}, {}, "the local engine, because no Dagger engine is configured and Docker is not running"],
    ["smoke", {}, dockerRuns, "Dagger's engine, because Docker is running"],
    [
      "smoke",
      { _EXPERIMENTAL_DAGGER_RUNNER_HOST: "tcp://x" },
      {},
      "Dagger's engine, because _EXPERIMENTAL_DAGGER_RUNNER_HOST is set",
    ],
    ["smoke", { DAGGER_SESSION_PORT: "1" }, {}, "Dagger's engine, because DAGGER_SESSION_PORT is set"],
    ["smoke --engine local", {}, dockerRuns, "the local engine, because --engine local was given"],
    ["smoke --engine buildah", {}, dockerRuns, "the local engine, because --engine buildah was given"],
    ["smoke --engine dagger", {}, {}, "Dagger's engine, because --engine dagger was given"],
  ])("%s with %o: reported with the reason", async (line, env, engines, words) => {
    const { stderr } = await tgo(line, { env, engines });
    expect(stderr).toContain(words);
  });

  it("that cannot be provisioned name the alternatives", async () => {
    const { code, stderr, calls } = await tgo("smoke --engine dagger", {
      connection: () =>
        Promise.reject(
          new Error(
            "failed to execute function with automatic provisioning: InitEngineSessionBinaryError: getaddrinfo ENOTFOUND dl.dagger.io",
          ),
        ),
    });
    expect(code).toBe(1);
    expect(calls).toEqual([]);
    expect(stderr).toContain("Dagger's engine cannot be used");
    expect(stderr).toContain("ENOTFOUND dl.dagger.io");
    expect(stderr).toContain("--engine local");
  });

  it("do not hide a function's own failure behind the SDK's error", async () => {
    const { stderr } = await tgo("smoke --engine dagger", {
      behave: () => Promise.reject(new TgoError("CHECK", "foreign file")),
      connection: async (run) => {
        await run();
        throw new Error("failed to close");
      },
    });
    expect(stderr).toContain("tgo: foreign file");
    expect(stderr).not.toContain("cannot be used");
  });

  it("with missing requirements say what is missing", async () => {
    const lacking = new TgoError("ENVIRONMENT", "crun is missing", { remedy: "apt-get install crun" });
    const { code, stderr } = await tgo("smoke", {
      engines: { startLocalEngine: () => Promise.reject(lacking) },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("tgo: crun is missing\n  apt-get install crun");
  });

  it("are closed after a failure as after a success", async () => {
    expect((await tgo("smoke")).engineClosed).toBe(true);
    expect((await tgo("smoke", { behave: () => Promise.reject(new Error("x")) })).engineClosed).toBe(true);
  });

  it("pass their name to the report", async () => {
    expect((await tgo("smoke")).host?.engine).toBe("local engine (fake)");
    expect((await tgo("smoke --engine dagger")).host?.engine).toBeUndefined();
  });
});

describe("progress without a terminal", () => {
  it("is a line when a step ends", async () => {
    const step = { id: "1", step: "smoke", service: "tgo-api", platform: "linux/arm64" };
    const { stderr, stdout } = await tgo("smoke", {
      behave: (_, host) => {
        host.progress?.({ kind: "begin", ...step });
        host.progress?.({ kind: "end", ...step, state: "done", durationMs: 4200 });
        return Promise.resolve("");
      },
    });
    expect(stderr).toMatch(/^\[\d+\.\ds\] tgo-api linux\/arm64 smoke … ok \(4\.2 s\)$/m);
    expect(stdout).toBe("");
  });

  it("is silent with --progress quiet, but the result is not", async () => {
    const { stderr, stdout } = await tgo("smoke --progress quiet", {
      behave: (_, host) => {
        host.progress?.({ kind: "begin", id: "1", step: "build" });
        return Promise.resolve("r");
      },
    });
    expect(stderr).toBe("");
    expect(stdout).toBe("r\n");
  });
});

describe("an interruption", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])(
    "by %s aborts the run, says what was running and how to continue, and exits %i",
    async (signal, expected) => {
      const signals = new EventEmitter();
      const { code, stderr, engineClosed } = await tgo("publish --service tgo-api", {
        signals,
        behave: (_, host) =>
          new Promise((_resolve, reject) => {
            host.progress?.({ kind: "begin", id: "1", step: "upload", service: "tgo-api", registry: "acr" });
            host.signal?.addEventListener("abort", () => {
              reject(host.signal?.reason as Error);
            });
            signals.emit(signal);
          }),
      });
      expect(code).toBe(expected);
      expect(stderr).toContain("interrupted while running:\n  tgo-api acr upload");
      expect(stderr).toContain("Nothing was tagged beyond");
      expect(stderr).toContain("tgo publish --service tgo-api");
      expect(engineClosed).toBe(true);
    },
  );

  it("ends the process at once the second time", async () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    await tgo("smoke", {
      signals,
      exit: (code) => exits.push(code),
      behave: () => {
        signals.emit("SIGINT");
        signals.emit("SIGINT");
        return Promise.resolve("");
      },
    });
    expect(exits).toEqual([130]);
  });

  it("prints the report if the function still made one", async () => {
    const signals = new EventEmitter();
    const { stdout } = await tgo("publish --service a", {
      signals,
      behave: async () => {
        signals.emit("SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw new FunctionFailed("what was done");
      },
    });
    expect(stdout).toBe("what was done\n");
  });
});
