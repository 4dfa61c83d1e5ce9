import { describe, expect, it } from "vitest";
import {
  composeRecord,
  releaseState,
  recordJson,
  type ReleasedImage,
  type ReleasePlan,
} from "../src/index.js";
import { digest, version } from "./arbitraries.js";
import { Simulation } from "./simulation.js";

const registries = [
  { registry: "ghcr", required: true },
  { registry: "acr", required: false },
];
const CANDIDATE = "candidate-0123456789abcdef";
const of = (text: string) => (service: string) =>
  digest(`${service === "api" ? "a" : "b"}${text.replaceAll(/\D/g, "")}`);

const image = (created: string | undefined): ReleasedImage => ({
  revision: "c0ffee",
  candidate: "0123456789abcdef",
  created,
  platforms: [
    { platform: "linux/arm64", digest: digest("d"), size: 20 },
    { platform: "linux/amd64", digest: digest("e"), size: 10 },
  ],
});
const images = new Map([
  ["api", image("2026-01-02T03:04:05+02:00")],
  ["web", image("2026-01-01T00:00:00Z")],
]);

function simulation(): Simulation {
  const made = new Simulation(["api", "web"], registries);
  for (const text of ["1.2.2", "1.2.3"]) made.putAll(text, of(text), text);
  for (const tag of ["1.2", "1", "latest"]) made.putAll(tag, of("1.2.3"), "1.2.3");
  return made;
}

function planned(made: Simulation, text: string, flags: Parameters<Simulation["plan"]>[2] = {}): ReleasePlan {
  made.putAll(CANDIDATE, of(text), text);
  const plan = made.plan(version(text), CANDIDATE, flags);
  if (plan === undefined) throw new Error("the gate is closed");
  return plan;
}

function record(made: Simulation, plan: ReleasePlan, of_ = images): ReturnType<typeof composeRecord> {
  const now = made.look();
  return composeRecord({
    plan,
    steps: releaseState(now, plan).steps,
    now,
    images: of_,
    repository: (registry, service) => `${registry}.test/tgoai/${service}`,
    pipeline: "fedcba9876543210",
  });
}

describe("the record of a release", () => {
  it("names every service and registry, and the newest commit's time", () => {
    const made = simulation();
    const composed = record(made, planned(made, "1.2.3"));
    expect(composed).toMatchObject({
      kind: "release",
      tags: ["1.2.3", "1.2", "1", "latest"],
      createdAt: "2026-01-02T01:04:05.000Z",
      services: {
        api: {
          digest: of("1.2.3")("api"),
          revision: "c0ffee",
          candidate: "0123456789abcdef",
          registries: {
            acr: {
              reference: `acr.test/tgoai/api@${of("1.2.3")("api")}`,
              tags: ["1.2.3", "1.2", "1", "latest"],
              state: "complete",
            },
          },
        },
      },
    });
    expect(recordJson(composed ?? raise())).toContain('"mediaType":"application/vnd.tgo.release.v1+json"');
  });

  it("calls a registry incomplete that lacks a tag, and complete where a newer version has it", () => {
    const made = simulation();
    made.down.add("acr");
    const down = record(made, planned(made, "1.2.3"));
    expect(down?.services.api?.registries).toMatchObject({
      ghcr: { state: "complete" },
      acr: { state: "incomplete", tags: [] },
    });
    const older = simulation();
    expect(record(older, planned(older, "1.2.2"))?.services.api?.registries.ghcr).toMatchObject({
      tags: ["1.2.2"],
      state: "complete",
    });
  });

  it("is of kind rollback only when latest was moved back on request", () => {
    const made = simulation();
    const plan = planned(made, "1.2.2", { allowBackwards: true });
    expect(record(made, plan)?.kind).toBe("release");
    made.finish(plan);
    expect(record(made, plan)?.kind).toBe("rollback");
    expect(record(made, planned(made, "1.2.2"))?.kind).toBe("release");
    expect(record(simulation(), planned(simulation(), "1.2.3", { allowBackwards: true }))?.kind).toBe(
      "release",
    );
  });

  it("omits a service that could not be verified, and does not exist without any", () => {
    const made = simulation();
    const plan = planned(made, "1.2.3");
    const only = new Map([["web", image("not a time")]]);
    expect(Object.keys(record(made, plan, only)?.services ?? {})).toEqual(["web"]);
    expect(record(made, plan, only)).not.toHaveProperty("createdAt");
    expect(record(made, plan, new Map())).toBeUndefined();
  });
});

function raise(): never {
  throw new Error("there is no record");
}
