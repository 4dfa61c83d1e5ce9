import type { Client } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { EngineOutput } from "../src/engine-output.js";
import { parseEngineFlags, platformEngines } from "../src/platform-engines.js";
import { closeAll, openSessions } from "../src/several-sessions.js";
import type { Sdk } from "../src/loaded-module.js";
import { tgo } from "./fixture.js";

const ARM = { platform: "linux/arm64", address: "tcp://arm:1234" };
const AMD = { platform: "linux/amd64", address: "unix:///run/dagger.sock" };

describe("--engine", () => {
  it.each<[string[], object]>([
    [[], { engine: "auto", engines: [] }],
    [["local"], { engine: "local", engines: [] }],
    [["linux/arm64=tcp://arm:1234"], { engine: "auto", engines: [ARM] }],
    [
      ["dagger", "linux/amd64=unix:///run/dagger.sock", "linux/arm64=tcp://arm:1234"],
      { engine: "dagger", engines: [AMD, ARM] },
    ],
    [
      ["linux/arm64=kube-pod://engine?namespace=dagger&context=a"],
      {
        engine: "auto",
        engines: [{ platform: "linux/arm64", address: "kube-pod://engine?namespace=dagger&context=a" }],
      },
    ],
    [
      ["linux/arm64=docker-container://engine"],
      { engine: "auto", engines: [{ platform: "linux/arm64", address: "docker-container://engine" }] },
    ],
    [["linux/amd64=local"], { engine: "auto", engines: [{ platform: "linux/amd64", address: "local" }] }],
  ])("%j is read", (values, flags) => {
    expect(parseEngineFlags(values)).toEqual(flags);
  });

  it.each([
    ["nothing", 'cannot be "nothing"'],
    ["linux/arm64=", "is not PLATFORM=ADDRESS"],
    ["linux/arm64=arm:1234", "is not PLATFORM=ADDRESS"],
    ["linux/arm64=tcp://", "is not PLATFORM=ADDRESS"],
    ["=tcp://arm:1234", "is not PLATFORM=ADDRESS"],
    ["linux/arm64=http://arm:1234", "is not PLATFORM=ADDRESS"],
    ["arm64=tcp://arm:1234", '"arm64" is not a platform this product builds; did you mean "linux/arm64"?'],
    ["linux/s390x=local", '"linux/s390x" is not a platform this product builds'],
    ["linux/arm64=tcp://arm:1234 --privileged", "is not PLATFORM=ADDRESS"],
  ])("%s is refused", (value, what) => {
    expect(() => parseEngineFlags([value])).toThrow(what);
  });

  it("names one engine for each platform", () => {
    expect(() => parseEngineFlags(["linux/arm64=tcp://a:1", "linux/arm64=tcp://b:1"])).toThrow(
      "--engine names two engines of linux/arm64",
    );
  });

  it("needs no further engine where several platforms have their own", () => {
    expect(platformEngines({ engine: "auto", engines: [AMD, ARM] }).isAssembledThere).toBe(true);
    expect(platformEngines({ engine: "auto", engines: [ARM] }).isAssembledThere).toBe(false);
    expect(platformEngines({ engine: "dagger", engines: [AMD, ARM] }).isAssembledThere).toBe(false);
  });

  it("of a platform is only for functions that assemble an image", async () => {
    const { code, stderr } = await tgo("smoke --engine linux/arm64=tcp://arm:1234");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("smoke has one engine, and --engine names one of linux/arm64 alone") as string,
    ]);
  });
});

describe("Sessions with an engine for each platform", () => {
  interface Engine {
    readonly platform?: string;
    readonly version?: string;
    readonly error?: string;
  }

  /** Opens sessions with engines that the environment names, as the SDK does. */
  async function open(
    engines: Readonly<Record<string, Engine>>,
    env: Record<string, string | undefined> = {},
  ): Promise<{
    asked: (string | undefined)[];
    closed: () => number;
    sessions: Awaited<ReturnType<typeof openSessions>>;
  }> {
    const asked: (string | undefined)[] = [];
    let closed = 0;
    const connect: Sdk["connect"] = async (run) => {
      const address = env._EXPERIMENTAL_DAGGER_RUNNER_HOST;
      asked.push(address);
      const { platform, version = "v0.21.8", error } = engines[address ?? ""] ?? {};
      await Promise.resolve();
      if (error !== undefined) throw new Error(error);
      const client = {
        defaultPlatform: () => Promise.resolve(platform),
        version: () => Promise.resolve(version),
      };
      await run(client as unknown as Client);
      closed++;
    };
    const unused = (): never => {
      throw new Error("not used");
    };
    const sessions = await openSessions(
      { connect, connection: unused, client: {} as unknown as Client },
      [AMD, ARM],
      {
        env,
        output: new EngineOutput(undefined, () => undefined),
        engines: { isDockerRunning: unused, startLocalEngine: unused },
        signal: new AbortController().signal,
        ...{ caBundle: undefined, credentials: undefined },
        mirrors: { images: {}, indexes: [] },
      },
      () => Promise.resolve(),
    );
    return { asked, closed: () => closed, sessions };
  }

  const both = { [AMD.address]: { platform: "linux/amd64" }, [ARM.address]: { platform: "linux/arm64" } };

  it("are opened one after the other, and leave the environment as it was", async () => {
    const env = { DAGGER_SESSION_PORT: "1", _EXPERIMENTAL_DAGGER_RUNNER_HOST: "tcp://other:1" };
    const { asked, closed, sessions } = await open(both, env);
    expect(asked).toEqual([AMD.address, ARM.address]);
    expect(sessions.map(({ name }) => name)).toEqual([
      `linux/amd64 on ${AMD.address}`,
      `linux/arm64 on ${ARM.address}`,
    ]);
    expect(env).toEqual({ DAGGER_SESSION_PORT: "1", _EXPERIMENTAL_DAGGER_RUNNER_HOST: "tcp://other:1" });
    expect(closed()).toBe(0);
    await closeAll(sessions);
    expect(closed()).toBe(2);
  });

  it.each<[string, Engine, string]>([
    [
      "another platform",
      { platform: "linux/amd64" },
      "the engine at tcp://arm:1234 is of linux/amd64, not of linux/arm64",
    ],
    [
      "another version",
      { platform: "linux/arm64", version: "v0.20.0" },
      "the engine of linux/arm64 is v0.20.0, and that of linux/amd64 is v0.21.8",
    ],
    [
      "nowhere",
      { error: "failed to execute function with automatic provisioning: connection refused" },
      "the engine of linux/arm64 cannot be used: connection refused",
    ],
  ])("are refused for an engine of %s", async (_, engine, what) => {
    await expect(open({ ...both, [ARM.address]: engine })).rejects.toMatchObject({
      code: "ENVIRONMENT",
      what,
    });
  });
});
