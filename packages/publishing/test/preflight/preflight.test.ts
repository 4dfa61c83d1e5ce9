import type { Problem } from "@tgo/errors";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorResponse } from "@tgo/testing";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { diskProblem, freeBytes } from "../../src/preflight/disk.js";
import { checkRegistry, type RegistryCheck } from "../../src/preflight/check-registry.js";
import { checkRegistries } from "../../src/preflight/check-service.js";
import { clockProblems, skewSeconds, type ClockSkew } from "../../src/preflight/clock.js";
import { foreignProgram } from "../../src/preflight/foreign-program.js";
import { preflightRegistries } from "../../src/preflight/preflight.js";
import { notReported } from "../../src/preflight/problems.js";
import { MemoryHarness } from "../release/memory-harness.js";
import { NAMES, SERVICES, type RegistryName } from "../release/release-subjects.js";

const SERVICE = "tgo-api";

/** Checks one registry for a service. @param content of the candidate, if it is not the usual one */
async function checkGhcr(
  harness: MemoryHarness,
  version: string | undefined,
  content?: string,
): Promise<RegistryCheck> {
  const [target] = harness.context().targets;
  if (target === undefined) throw new Error("no registry");
  const key = Promise.resolve(harness.candidate(SERVICE, "1.2.3", content).key);
  return checkRegistry(target, { service: SERVICE, version, key });
}

const messagesOf = ({ report }: RegistryCheck): string[] => report.problems.map(({ what }) => what);

describe("Preflight of a registry", () => {
  it("says ready if the version is free, and pushes nothing to find out", async () => {
    const harness = new MemoryHarness();
    const { report, hasCandidate } = await checkGhcr(harness, "1.2.3");
    expect([report.state, report.problems, hasCandidate]).toEqual(["ready", [], false]);
    expect(harness.registries.ghcr.requests("PUT")).toEqual([]);
    expect(harness.registries.ghcr.requests("POST")).toEqual(["POST /v2/tgoai/tgo-api/blobs/uploads/"]);
  });

  it.each(["1.2.3", undefined])(
    "finds an existing candidate, which needs no build (version %s)",
    async (version) => {
      const harness = new MemoryHarness();
      await harness.release("1.2.3");
      const { report, hasCandidate } = await checkGhcr(harness, version);
      expect([report.state, hasCandidate]).toEqual(["already there", true]);
      expect(report.digest).toBe(harness.digestAt("ghcr", SERVICE, "1.2.3"));
    },
  );

  it.each(["1.2.3", "v1.2.3", "tgo-api-v1.2.3"])(
    "refuses a version that has other content under %s",
    async (tag) => {
      const harness = new MemoryHarness();
      const image = await harness.image(SERVICE, "1.2.3");
      const bytes = Buffer.from(image.index.bytes);
      harness.registries.ghcr.manifests
        .set(`tgoai/tgo-api ${tag}`, { mediaType: image.index.mediaType, bytes })
        .set(`tgoai/tgo-api ${image.digest}`, { mediaType: image.index.mediaType, bytes });
      const same = await checkGhcr(harness, "1.2.3");
      expect([same.report.state, same.hasCandidate]).toEqual(["already there", true]);
      const other = await checkGhcr(harness, "1.2.3", "from another source");
      expect(other.report.problems).toMatchObject([
        {
          code: "CONFLICT",
          where: `ghcr.test/tgoai/tgo-api:${tag}`,
          remedy: expect.stringContaining("next version") as string,
        },
      ]);
    },
  );

  it("reports no conflict while the candidate is unknown", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    const [target] = harness.context().targets;
    if (target === undefined) throw new Error("no registry");
    const unknown = { service: SERVICE, version: "1.2.3", key: Promise.resolve(undefined) };
    expect((await checkRegistry(target, unknown)).report.problems).toEqual([]);
  });

  it.each([
    [403, "DENIED", "requested access to the resource is denied", "DENIED"],
    [401, "UNAUTHORIZED", "authentication required", "UNAUTHORIZED"],
    [404, "NAME_UNKNOWN", "project tgoai not found", "NOT_FOUND"],
  ])("reports a push refused with %i %s, with a remedy", async (status, registryCode, message, code) => {
    const harness = new MemoryHarness();
    harness.registries.ghcr.intercept = ({ method }) =>
      method === "POST" ? errorResponse(status, registryCode, message) : undefined;
    const { report } = await checkGhcr(harness, "1.2.3");
    expect(report.state).toBe("failed");
    expect(report.problems).toMatchObject([{ code, remedy: expect.stringMatching(/\w/) as string }]);
  });

  it("reports a registry that is down once, though it sent two requests", async () => {
    const harness = new MemoryHarness();
    harness.registries.ghcr.intercept = () => errorResponse(503, "UNAVAILABLE", "maintenance");
    expect(messagesOf(await checkGhcr(harness, "1.2.3"))).toEqual([
      expect.stringContaining("could not start an upload: the registry returned status 503"),
    ]);
    harness.registries.ghcr.intercept = () => {
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code: "ENOTFOUND" }) });
    };
    expect(messagesOf(await checkGhcr(harness, "1.2.3"))).toEqual(["cannot reach ghcr.test: no such host"]);
  });
});

describe("Preflight of a promotion", () => {
  const refusing = (harness: MemoryHarness, ...names: RegistryName[]): TargetContext => {
    for (const name of names)
      harness.registries[name].intercept = () =>
        errorResponse(403, "DENIED", "requested access to the resource is denied");
    return harness.context();
  };

  it("checks nothing but push access", async () => {
    const harness = new MemoryHarness();
    const { services, canStart } = await preflightRegistries(harness.context(), SERVICES);
    expect([canStart, services.map(({ state }) => state)]).toEqual([true, ["ready", "ready"]]);
    expect(NAMES.flatMap((name) => harness.registries[name].requests("GET"))).toEqual([]);
  });

  it("stops it if a required registry refuses", async () => {
    const { services, canStart } = await preflightRegistries(
      refusing(new MemoryHarness(), "dockerhub"),
      SERVICES,
    );
    expect(canStart).toBe(false);
    expect(services.map(({ state }) => state)).toEqual(["failed", "failed"]);
  });

  it("does not stop it if only an optional registry refuses", async () => {
    expect((await preflightRegistries(refusing(new MemoryHarness(), "acr"), SERVICES)).canStart).toBe(true);
  });

  it("waits for all registries if none is required", async () => {
    const context = refusing(new MemoryHarness(), "acr");
    const targets = context.targets.map((target) => ({
      ...target,
      registry: { ...target.registry, required: false },
    }));
    expect((await preflightRegistries({ ...context, targets }, SERVICES)).canStart).toBe(false);
  });
});

it("Preflight of a release does not wait for an optional registry", async () => {
  const harness = new MemoryHarness();
  const never = new Promise<undefined>(() => undefined);
  harness.registries.acr.intercept = () => never;
  const subject = { service: SERVICE, version: undefined, key: Promise.resolve(undefined) };
  const checks = await checkRegistries(harness.context(), subject, {
    timeouts: "release",
    meanwhile: Promise.resolve(),
  });
  expect(checks.map(({ report }) => report.state)).toEqual(["ready", "ready", "not started"]);
});

describe("Clock skew", () => {
  const NOON = Date.UTC(2026, 0, 1, 12);
  it.each([
    ["is none for a date during the request", 0, -3, 3, 0],
    ["is none within the same second", 0, 0.2, 0.5, 0],
    ["is positive if the registry is behind", -300, -1, 1, 299],
    ["is negative if the registry is ahead", 300, -1, 1, -299],
  ])("%s", (_, date, sent, received, expected) => {
    const at = (seconds: number): number => NOON + seconds * 1000;
    expect(skewSeconds(new Date(at(date)), at(sent), at(received))).toBe(expected);
  });

  const skew = (registry: string, seconds: number): ClockSkew => ({
    registry,
    host: `${registry}.test`,
    seconds,
  });

  it("of a minute is tolerated", () => {
    expect(clockProblems([skew("ghcr", 60), skew("acr", -60)])).toEqual([]);
  });

  it("of this machine is reported once for all services and registries", () => {
    const problems = clockProblems([
      skew("ghcr", 301),
      skew("ghcr", 300),
      skew("acr", 299),
      skew("acr", 302),
    ]);
    expect(problems).toEqual([
      {
        code: "ENVIRONMENT",
        what: "this machine's clock is 300 s ahead of the clocks of all 2 registries",
        where: "ghcr.test, acr.test",
        remedy: expect.stringContaining("NTP") as unknown,
      },
    ]);
  });

  it("of one registry is reported for that registry", () => {
    const problems = clockProblems([skew("ghcr", 0), skew("dockerhub", 1), skew("acr", -7200)]);
    expect(problems).toMatchObject([
      {
        what: "the clock of acr is 120 min ahead of this machine's; other registries agree with this machine",
      },
    ]);
  });
});

describe("The engine's disk", () => {
  const GB = 1024 ** 3;
  it("is read from the output of df", () => {
    const output =
      "Filesystem     1024-blocks     Used Available Capacity Mounted on\noverlay          264212084 46784752  48716512      49% /\n";
    expect(freeBytes(output)).toBe(48_716_512 * 1024);
    expect(freeBytes("df: not found")).toBeUndefined();
  });

  it("warns if it is too small for all services, and blocks if it is too small for one", () => {
    expect(diskProblem(6 * GB, 6, "engine")).toBeUndefined();
    expect(diskProblem(undefined, 6, "engine")).toBeUndefined();
    expect(diskProblem(3 * GB, 6, "engine")).toMatchObject({
      what: "the engine has 3.0 GB of disk left",
      blocks: false,
    });
    expect(diskProblem(0.4 * GB, 1, "engine")).toMatchObject({ blocks: true });
  });
});

it("A problem of the engine that services already report is not repeated, and every other is reported once", () => {
  const problem = (what: string): Problem => ({ code: "SOURCE", what });
  const reported = [problem("no base")];
  expect(notReported([problem("no base"), problem("no disk"), problem("no disk")], reported)).toEqual([
    problem("no disk"),
  ]);
});

describe("The emulation probe", () => {
  it.each([
    ["linux/amd64", 62],
    ["linux/arm64", 183],
  ] as const)("for %s is an executable for machine %i", (platform, machine) => {
    const program = foreignProgram(platform);
    expect(program.readUInt16LE(18)).toBe(machine);
    expect(program.length).toBeLessThan(140);
  });

  it("for this machine runs and exits with 0", () => {
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
