import type { Problem } from "@tgo/errors";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorResponse } from "@tgo/testing";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { clockProblems, skewSeconds, type Skew } from "../../src/preflight/clock.js";
import { diskProblem, freeBytes } from "../../src/preflight/engine.js";
import { foreignProgram } from "../../src/preflight/foreign-program.js";
import { preflightRegistries } from "../../src/preflight/index.js";
import { notReported } from "../../src/preflight/problems.js";
import { checkRegistry, type RegistryCheck } from "../../src/preflight/registry.js";
import { checkRegistries } from "../../src/preflight/service.js";
import { MemoryHarness, NAMES, SERVICES, type RegistryName } from "../release/memory-harness.js";

const SERVICE = "tgo-api";

/** One registry before a version of one service. */
async function ask(
  harness: MemoryHarness,
  version: string | undefined,
  made?: string,
  of = "1.2.3",
): Promise<RegistryCheck> {
  const [target] = harness.healthy().targets;
  if (target === undefined) throw new Error("no registry");
  const key = Promise.resolve(harness.candidate(SERVICE, of, made).key);
  return checkRegistry(target, { service: SERVICE, version, key });
}

const whats = ({ report }: RegistryCheck): string[] => report.problems.map(({ what }) => what);

describe("A registry before a release", () => {
  it("is ready where the version is free, and nothing is put there to find that out", async () => {
    const harness = new MemoryHarness();
    const { report, holds } = await ask(harness, "1.2.3");
    expect([report.state, report.problems, holds]).toEqual(["ready", [], false]);
    expect(harness.registries.ghcr.requests("PUT")).toEqual([]);
    expect(harness.registries.ghcr.requests("POST")).toEqual(["POST /v2/tgoai/tgo-api/blobs/uploads/"]);
  });

  it.each(["1.2.3", undefined])(
    "that has the candidate already needs no build (version %s)",
    async (version) => {
      const harness = new MemoryHarness();
      await harness.release("1.2.3");
      const { report, holds } = await ask(harness, version);
      expect([report.state, holds]).toEqual(["already there", true]);
      expect(report.digest).toBe(harness.held("ghcr", SERVICE, "1.2.3"));
    },
  );

  it.each(["1.2.3", "v1.2.3", "tgo-api-v1.2.3"])(
    "that has other content under %s refuses the version",
    async (tag) => {
      const harness = new MemoryHarness();
      const image = await harness.image(SERVICE, "1.2.3");
      const bytes = Buffer.from(image.index.bytes);
      harness.registries.ghcr.manifests
        .set(`tgoai/tgo-api ${tag}`, { mediaType: image.index.mediaType, bytes })
        .set(`tgoai/tgo-api ${image.digest}`, { mediaType: image.index.mediaType, bytes });
      const same = await ask(harness, "1.2.3");
      expect([same.report.state, same.holds]).toEqual(["already there", true]);
      const other = await ask(harness, "1.2.3", "of another source");
      expect(other.report.problems).toMatchObject([
        {
          code: "CONFLICT",
          where: `ghcr.test/tgoai/tgo-api:${tag}`,
          remedy: expect.stringContaining("next version") as string,
        },
      ]);
    },
  );

  it("is not blamed for a version while nobody knows what would be released", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    const [target] = harness.healthy().targets;
    if (target === undefined) throw new Error("no registry");
    const unknown = { service: SERVICE, version: "1.2.3", key: Promise.resolve(undefined) };
    expect((await checkRegistry(target, unknown)).report.problems).toEqual([]);
  });

  it.each([
    [403, "DENIED", "requested access to the resource is denied", "DENIED"],
    [401, "UNAUTHORIZED", "authentication required", "UNAUTHORIZED"],
    [404, "NAME_UNKNOWN", "project tgoai not found", "NOT_FOUND"],
  ])("that answers a push with %i %s says so, with what to do", async (status, said, message, code) => {
    const harness = new MemoryHarness();
    harness.registries.ghcr.intercept = ({ method }) =>
      method === "POST" ? errorResponse(status, said, message) : undefined;
    const { report } = await ask(harness, "1.2.3");
    expect(report.state).toBe("failed");
    expect(report.problems).toMatchObject([{ code, remedy: expect.stringMatching(/\w/) as string }]);
  });

  it("that is down is told once, though it was asked twice", async () => {
    const harness = new MemoryHarness();
    harness.registries.ghcr.intercept = () => errorResponse(503, "UNAVAILABLE", "maintenance");
    expect(whats(await ask(harness, "1.2.3"))).toEqual([
      expect.stringContaining("cannot start an upload now (status 503)"),
    ]);
    harness.registries.ghcr.intercept = () => {
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code: "ENOTFOUND" }) });
    };
    expect(whats(await ask(harness, "1.2.3"))).toEqual(["cannot reach ghcr.test: no such host"]);
  });
});

describe("Registries before a promotion", () => {
  const broken = (harness: MemoryHarness, ...names: RegistryName[]): TargetContext => {
    for (const name of names)
      harness.registries[name].intercept = () =>
        errorResponse(403, "DENIED", "requested access to the resource is denied");
    return harness.healthy();
  };

  it("are asked for nothing but the right to push", async () => {
    const harness = new MemoryHarness();
    const { services, mayBegin } = await preflightRegistries(harness.healthy(), SERVICES);
    expect([mayBegin, services.map(({ state }) => state)]).toEqual([true, ["ready", "ready"]]);
    expect(NAMES.flatMap((name) => harness.registries[name].requests("GET"))).toEqual([]);
  });

  it("stop it where a required one refuses", async () => {
    const { services, mayBegin } = await preflightRegistries(
      broken(new MemoryHarness(), "dockerhub"),
      SERVICES,
    );
    expect(mayBegin).toBe(false);
    expect(services.map(({ state }) => state)).toEqual(["failed", "failed"]);
  });

  it("do not stop it where only one refuses that is not required", async () => {
    expect((await preflightRegistries(broken(new MemoryHarness(), "acr"), SERVICES)).mayBegin).toBe(true);
  });

  it("are all waited for where none is required", async () => {
    const destination = broken(new MemoryHarness(), "acr");
    const targets = destination.targets.map((target) => ({
      ...target,
      registry: { ...target.registry, required: false },
    }));
    expect((await preflightRegistries({ ...destination, targets }, SERVICES)).mayBegin).toBe(false);
  });
});

it("A release does not wait for the answer of a registry that is not required", async () => {
  const harness = new MemoryHarness();
  const never = new Promise<undefined>(() => undefined);
  harness.registries.acr.intercept = () => never;
  const subject = { service: SERVICE, version: undefined, key: Promise.resolve(undefined) };
  const standings = await checkRegistries(harness.healthy(), subject, true, Promise.resolve());
  expect(standings.map(({ report }) => report.state)).toEqual(["ready", "ready", "not started"]);
});

describe("A clock", () => {
  const NOON = Date.UTC(2026, 0, 1, 12);
  it.each([
    ["within the time of the request", 0, -3, 3, 0],
    ["in the same second", 0, 0.2, 0.5, 0],
    ["behind: the machine is ahead", -300, -1, 1, 299],
    ["ahead: the machine is behind", 300, -1, 1, -299],
  ])("%s", (_, date, sent, received, expected) => {
    const at = (seconds: number): number => NOON + seconds * 1000;
    expect(skewSeconds(new Date(at(date)), at(sent), at(received))).toBe(expected);
  });

  const skew = (registry: string, seconds: number): Skew => ({ registry, host: `${registry}.test`, seconds });

  it("that is a minute off is nothing", () => {
    expect(clockProblems([skew("ghcr", 60), skew("acr", -60)])).toEqual([]);
  });

  it("of this machine is told once, whatever the number of services and registries", () => {
    const problems = clockProblems([
      skew("ghcr", 301),
      skew("ghcr", 300),
      skew("acr", 299),
      skew("acr", 302),
    ]);
    expect(problems).toEqual([
      {
        code: "ENVIRONMENT",
        what: "this machine's clock is 300 s ahead of that of all 2 registries",
        where: "ghcr.test, acr.test",
        remedy: expect.stringContaining("NTP") as unknown,
      },
    ]);
  });

  it("of one registry is that registry's", () => {
    const problems = clockProblems([skew("ghcr", 0), skew("dockerhub", 1), skew("acr", -7200)]);
    expect(problems).toMatchObject([
      { what: "the clock of acr is 120 min ahead of this machine's, which other registries agree with" },
    ]);
  });
});

describe("The engine's disk", () => {
  const GB = 1024 ** 3;
  it("is read from df", () => {
    const printed =
      "Filesystem     1024-blocks     Used Available Capacity Mounted on\noverlay          264212084 46784752  48716512      49% /\n";
    expect(freeBytes(printed)).toBe(48_716_512 * 1024);
    expect(freeBytes("df: not found")).toBeUndefined();
  });

  it("may be too small for all services, and too small for any", () => {
    expect(diskProblem(6 * GB, 6, "engine")).toBeUndefined();
    expect(diskProblem(undefined, 6, "engine")).toBeUndefined();
    expect(diskProblem(3 * GB, 6, "engine")).toMatchObject({
      what: "the engine has 3.0 GB of disk left",
      stops: false,
    });
    expect(diskProblem(0.4 * GB, 1, "engine")).toMatchObject({ stops: true });
  });
});

it("A problem of the engine that services have told already is not told again, and no other twice", () => {
  const problem = (what: string): Problem => ({ code: "SOURCE", what });
  const told = [problem("no base")];
  expect(notReported([problem("no base"), problem("no disk"), problem("no disk")], told)).toEqual([
    problem("no disk"),
  ]);
});

describe("The smallest program", () => {
  it.each([
    ["linux/amd64", 62],
    ["linux/arm64", 183],
  ] as const)("of %s is an executable for machine %i", (platform, machine) => {
    const program = foreignProgram(platform);
    expect(program.readUInt16LE(18)).toBe(machine);
    expect(program.length).toBeLessThan(140);
  });

  it("of this machine runs and ends well", () => {
    const folder = mkdtempSync(join(tmpdir(), "tgo-program-"));
    try {
      const path = join(folder, "program");
      writeFileSync(path, foreignProgram(process.arch === "arm64" ? "linux/arm64" : "linux/amd64"), {
        mode: 0o755,
      });
      expect(execFileSync(path).toString()).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
