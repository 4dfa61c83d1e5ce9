import { describe, expect, it } from "vitest";
import { diagnose, renderRows, type HostFacts, type RegistryFacts, type Row } from "../src/index.js";

const GHCR: RegistryFacts = {
  name: "ghcr",
  host: "ghcr.io",
  required: true,
  hasLogin: true,
  repository: "me/bot",
  push: { skewSeconds: 0 },
};

const HEALTHY: HostFacts = {
  tgo: { version: "1.2.3", node: "20.1.0" },
  engine: { kind: "local", why: "Docker is not running", expected: "0.21.8", problems: [] },
  platforms: [
    { platform: "linux/amd64", runs: { by: "natively" } },
    { platform: "linux/arm64", runs: { by: "emulated by qemu-aarch64 version 7.2" } },
  ],
  disk: { path: "/home/me/.cache", freeBytes: 50e9, services: 2 },
  catalog: { from: "tgo.catalog.jsonc", services: 2 },
  credentials: { from: "/home/me/.docker/config.json" },
  registries: [GHCR],
  mirrors: [{ name: "pypi", address: "https://pypi.example.com/simple" }],
  ca: { from: undefined, certificates: 0, expired: 0 },
  proxies: [],
  git: "git version 2.39.5",
};

const problem = (
  what: string,
  remedy: string,
  code: "ENVIRONMENT" | "UNAVAILABLE" | "UNAUTHORIZED" | "DENIED" = "ENVIRONMENT",
) => ({
  problem: { code, what, remedy },
});
const arm64 = (what: string, remedy: string): Partial<HostFacts> => ({
  platforms: [{ platform: "linux/arm64", runs: problem(what, remedy) }],
});
const registry = (change: Partial<RegistryFacts>): Partial<HostFacts> => ({
  registries: [{ ...GHCR, ...change }],
});

/** What is wrong with a machine, and the row that says so. */
const BROKEN: readonly (readonly [string, Partial<HostFacts>, Row["state"], string, RegExp, RegExp])[] = [
  [
    "no qemu",
    arm64("no emulation is registered", "apt-get install qemu-user-static"),
    "failed",
    "runs linux/arm64",
    /no emulation/,
    /qemu-user-static/,
  ],
  [
    "qemu without the flag F",
    arm64("registered without the flag F", "update-binfmts --disable qemu-aarch64"),
    "failed",
    "runs linux/arm64",
    /flag F/,
    /--disable/,
  ],
  [
    "no crun",
    {
      engine: { ...HEALTHY.engine, problems: [problem("missing: crun", "apt-get install -y crun").problem] },
    },
    "failed",
    "engine",
    /missing: crun/,
    /install -y crun/,
  ],
  [
    "an older engine",
    { engine: { ...HEALTHY.engine, kind: "dagger", version: "0.20.3" } },
    "failed",
    "engine",
    /0\.20\.3, and the pipelines are made for 0\.21\.8/,
    /version 0\.21\.8, or add --engine local/,
  ],
  [
    "a newer engine",
    { engine: { ...HEALTHY.engine, kind: "dagger", version: "0.22.0" } },
    "warn",
    "engine",
    /0\.22\.0/,
    /0\.21\.8/,
  ],
  [
    "no disk",
    { disk: { path: "/c", freeBytes: 5e8, services: 2 } },
    "failed",
    "disk",
    /0\.5 GB of disk left/,
    /Free disk space/,
  ],
  [
    "little disk",
    { disk: { path: "/c", freeBytes: 1.5e9, services: 2 } },
    "warn",
    "disk",
    /1\.4 GB/,
    /up to 2 GB/,
  ],
  ["a wrong clock", registry({ push: { skewSeconds: 7200 } }), "failed", "clock", /120 min ahead of/, /NTP/],
  [
    "a clock before the certificate's time",
    registry({ push: problem("cannot reach ghcr.io: certificate is not yet valid", "x", "UNAVAILABLE") }),
    "warn",
    "clock",
    /not valid at this machine's time/,
    /NTP/,
  ],
  [
    "a dead proxy",
    {
      proxies: [
        {
          name: "HTTPS_PROXY",
          address: "http://p:3128",
          ...problem("cannot be reached at p:3128: connection refused", "Correct or unset HTTPS_PROXY"),
        },
      ],
    },
    "failed",
    "proxy HTTPS_PROXY",
    /connection refused/,
    /unset HTTPS_PROXY/,
  ],
  [
    "no login",
    registry({ hasLogin: false, push: problem("authentication required", "x", "UNAUTHORIZED") }),
    "failed",
    "registry ghcr",
    /no login for ghcr\.io/,
    /^docker login ghcr\.io$/,
  ],
  [
    "no login for Docker Hub",
    registry({ host: "docker.io", hasLogin: false, push: problem("denied", "x", "DENIED") }),
    "failed",
    "registry ghcr",
    /no login/,
    /^docker login$/,
  ],
  [
    "an expired token",
    registry({ push: problem("authentication required", "x", "UNAUTHORIZED") }),
    "failed",
    "registry ghcr",
    /refuses the login/,
    /expired.*docker login ghcr\.io/,
  ],
  [
    "a token without permission",
    registry({
      push: problem("ghcr.io: permission_denied: write_package", "Give this repository Write", "DENIED"),
    }),
    "failed",
    "registry ghcr",
    /write_package/,
    /Give this repository Write/,
  ],
  [
    "an unreachable registry",
    registry({ push: problem("cannot reach ghcr.io: no such host", "Check the host", "UNAVAILABLE") }),
    "failed",
    "registry ghcr",
    /no such host/,
    /Check the host/,
  ],
  [
    "an unreachable registry that is optional",
    registry({ required: false, push: problem("cannot reach ghcr.io", "Check", "UNAVAILABLE") }),
    "warn",
    "registry ghcr",
    /cannot reach/,
    /Check/,
  ],
  [
    "a missing CA file",
    { ca: problem("NODE_EXTRA_CA_CERTS cannot be read: no such file", "Let it name a PEM file") },
    "failed",
    "CA certificates",
    /no such file/,
    /PEM/,
  ],
  [
    "CAs that have all expired",
    { ca: { from: "/ca.pem", certificates: 2, expired: 2 } },
    "warn",
    "CA certificates",
    /all of them have expired/,
    /current certificates/,
  ],
  [
    "a dead mirror",
    {
      mirrors: [
        { name: "npm", address: "https://npm.example", ...problem("cannot be reached", "Correct mirrors") },
      ],
    },
    "failed",
    "mirror npm",
    /cannot be reached/,
    /Correct mirrors/,
  ],
  [
    "a broken catalog",
    { catalog: problem("2 problems:\n  - a: b\n  - c: d", "Fields: docs"), registries: [] },
    "failed",
    "catalog",
    /- c: d/,
    /Fields/,
  ],
  [
    "an unreadable Docker config",
    { credentials: problem("permission denied", "Check its permissions") },
    "failed",
    "credentials",
    /permission denied/,
    /permissions/,
  ],
  ["no git", { git: undefined }, "warn", "git", /not installed/, /install -y git/],
];

describe("a broken machine", () => {
  it.each(BROKEN)("with %s is told so, and what to do", (_, change, state, check, found, remedy) => {
    const rows = diagnose({ ...HEALTHY, ...change });
    expect(rows.filter((row) => row.state !== "ok" && row.check === check)).toEqual([
      {
        check,
        state,
        found: expect.stringMatching(found) as string,
        remedy: expect.stringMatching(remedy) as string,
      },
    ]);
    // Nothing else is blamed for it, but for the registry that a wrong clock closes.
    const others = rows.filter((row) => row.state !== "ok" && row.check !== check);
    expect(others.every((row) => check === "clock" && row.check.startsWith("registry"))).toBe(true);
  });

  it("is another when the fault is gone: every row is fine", () => {
    const rows = diagnose(HEALTHY);
    expect(rows.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(rows.map(({ check }) => check)).toEqual([
      ...[
        "tgo",
        "engine",
        "runs linux/amd64",
        "runs linux/arm64",
        "disk",
        "catalog",
        "credentials",
        "registry ghcr",
      ],
      ...["clock", "mirror pypi", "CA certificates", "proxies", "git"],
    ]);
    expect(renderRows(rows).trimEnd().split("\n").at(-1)).toBe("This machine can build and publish.");
  });

  it("has every fault in one table, with its remedy below it", () => {
    const text = renderRows(
      diagnose({
        ...HEALTHY,
        ...arm64("no emulation is registered", "apt-get install qemu-user-static\nupdate-binfmts --enable"),
        git: undefined,
      }),
    );
    expect(text).toMatch(
      /failed {2}runs linux\/arm64 {2}no emulation[^\n]*\n +-> apt-get install qemu-user-static\n +update-binfmts/,
    );
    expect(text).toContain("1 check failed; 1 warning.");
  });
});
