import type { Kind } from "../src/kinds.js";
import type { Results, Run, ServiceResults } from "../src/results.js";

const MEBI = 1024 * 1024;

export const PLATFORMS = { native: "linux/amd64", foreign: "linux/arm64" };

/** Runs of one kind, one per round. */
export function runs(kind: Kind, ...seconds: number[]): Run[] {
  return seconds.map((each, index) => ({
    kind,
    round: index + 1,
    seconds: each,
    peakMemory: 150 * MEBI,
    steps: [{ kind: "exec", title: "pip install", platform: PLATFORMS.native, at: 0, seconds: each / 2 }],
  }));
}

/** A service that meets every target, with changes. */
export function service(change: Partial<ServiceResults> = {}): ServiceResults {
  return {
    service: "shop",
    strategy: "python",
    hasDockerfile: true,
    edited: "app/main.py",
    runs: [
      ...runs("one", 20, 21, 19),
      ...runs("both", 21, 22, 20),
      ...runs("warm", 1),
      ...runs("edit", 4),
      ...runs("foreign", 20),
      ...runs("dockerfile", 60),
      ...runs("emulated", 240),
    ],
    failures: [],
    sizes: {
      ours: {
        "linux/amd64": { bytes: 80 * MEBI, layers: 6 },
        "linux/arm64": { bytes: 79 * MEBI, layers: 6 },
      },
      dockerfile: {
        "linux/amd64": { bytes: 160 * MEBI, layers: 9 },
        "linux/arm64": { bytes: 158 * MEBI, layers: 9 },
      },
      stored: { one: 30 * MEBI, both: 40 * MEBI },
    },
    ...change,
  };
}

export function results(...services: ServiceResults[]): Results {
  return {
    date: "2026-01-02T03:04:05.000Z",
    command: "npm run bench",
    seconds: 600,
    engine: "local engine",
    cold: "an empty folder",
    bases: "Docker Hub",
    ...PLATFORMS,
    rounds: { one: 3, both: 3, foreign: 1, dockerfile: 1, emulated: 1 },
    machine: { cpu: "Fast", cores: 2, memory: 8 * 1024 ** 3, os: "Debian", kernel: "6.1" },
    versions: { node: "20.0.0" },
    services,
  };
}
