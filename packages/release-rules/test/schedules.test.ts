import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  tagTargets,
  releaseState,
  type ReleasePlan,
  type RegistrySnapshot,
  type TagStep,
  type Version,
} from "../src/index.js";
import { type NextAction } from "../src/release-state.js";
import { isNewer } from "../src/version.js";
import { digest, version } from "./arbitraries.js";
import { Simulation } from "./simulation.js";

const services = ["api", "web"];
const registries = [
  { registry: "ghcr", required: true },
  { registry: "hub", required: true },
  { registry: "acr", required: false },
];

/** Releases running at the same time; the last one is a rollback. */
const RELEASES = ["1.2.3", "1.2.4-rc.1", "1.1.9", "1.2.4", "2.0.0", "1.2.2"] as const;
const ROLLBACK = RELEASES.length - 1;

const bytesOf = (service: string, text: string): string =>
  digest(`${service === "api" ? "a" : "b"}${text.replaceAll(/[^\d]/g, "")}${text.includes("rc") ? "f" : ""}`);
const candidateOf = (text: string): string => `candidate-${bytesOf("api", text).slice(7, 23)}`;

/** One event. `pick` chooses among the writes a release may make, in any order. */
interface Event {
  readonly release: number;
  readonly down: readonly string[];
  readonly pick: number;
  /** The release's process is killed and started again first. */
  readonly killed: boolean;
}

const event: fc.Arbitrary<Event> = fc.record({
  release: fc.nat({ max: RELEASES.length - 1 }),
  down: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray(["ghcr", "hub", "acr"], { minLength: 1 }) },
  ),
  pick: fc.nat({ max: 5 }),
  killed: fc.boolean(),
});

interface Running {
  readonly plan: ReleasePlan;
  readonly start: RegistrySnapshot[];
}

function fresh(): Simulation {
  const simulation = new Simulation(services, registries);
  for (const tag of ["1.2.2", "1.2", "1", "latest"])
    simulation.putAll(tag, (service) => bytesOf(service, "1.2.2"), "1.2.2");
  for (const text of RELEASES)
    simulation.putAll(candidateOf(text), (service) => bytesOf(service, text), text);
  return simulation;
}

interface Outcome {
  readonly act: NextAction["act"] | "closed";
  readonly wrote?: TagStep | undefined;
  /** The tag's previous digest. */
  readonly was?: string | undefined;
}

/** The next write of a release, after reading everything, as the release does it. */
function step(
  simulation: Simulation,
  running: Map<number, Running>,
  { release, down, pick, killed }: Event,
): Outcome {
  const text = RELEASES[release] ?? "";
  simulation.down.clear();
  for (const registry of down) simulation.down.add(registry);
  if (killed) running.delete(release);
  const started = running.get(release) ?? begin(simulation, text, release === ROLLBACK);
  if (started === undefined) return { act: "closed" };
  running.set(release, started);
  const { next } = releaseState(simulation.look(), started.plan, started.start);
  if (next.act !== "write") return { act: next.act };
  const chosen = next.steps[pick % next.steps.length];
  if (chosen === undefined) throw new Error("nothing to write");
  const was = simulation.get(chosen.service, chosen.registry, chosen.tag);
  simulation.write(chosen);
  return { act: "write", wrote: chosen, was };
}

function begin(simulation: Simulation, text: string, allowBackwards: boolean): Running | undefined {
  const plan = simulation.plan(version(text), candidateOf(text), { allowBackwards });
  return plan && { plan, start: simulation.look() };
}

function versionAt(
  simulation: Simulation,
  service: string,
  registry: string,
  tag: string,
): Version | undefined {
  const seen = [...simulation.tags(service, registry)].map(([name, image]) => ({ tag: name, ...image }));
  return tagTargets(seen, service).get(tag)?.version;
}

/** Every registry's version under a floating tag. */
function floats(
  simulation: Simulation,
  tag: string,
): { service: string; registry: string; at: Version | undefined }[] {
  return services.flatMap((service) =>
    registries.map(({ registry }) => ({
      service,
      registry,
      at: versionAt(simulation, service, registry, tag),
    })),
  );
}

/** Checks a tag just written against the laws. */
function checkMove(simulation: Simulation, wrote: TagStep, was: string | undefined, rollback: boolean): void {
  const { service, registry, tag } = wrote;
  const own = RELEASES.find((text) => text === tag);
  if (own !== undefined) {
    expect(was).toBeUndefined();
    expect(simulation.get(service, registry, tag)).toBe(bytesOf(service, own));
    return;
  }
  const at = versionAt(simulation, service, registry, tag);
  if (at === undefined) throw new Error(`${service} ${registry} ${tag} is of no version`);
  const before = RELEASES.find((text) => bytesOf(service, text) === was);
  expect(at.stable).toBe(true);
  if (before !== undefined && !rollback) expect(isNewer(at, version(before))).toBe(true);
  // A version that some required registry lacks is ahead of the gate.
  for (const other of services)
    for (const { registry: needed } of registries.filter(({ required }) => required))
      expect(simulation.get(other, needed, at.text)).toBe(bytesOf(other, at.text));
}

describe("concurrent releases that are killed, with registries that come and go", () => {
  it("never change a version's tag, never take latest back, and never move it ahead of the gate", () => {
    const counts = { schedules: 0, write: 0, done: 0, stop: 0, closed: 0, kills: 0 };
    fc.assert(
      fc.property(fc.array(event, { minLength: 10, maxLength: 50 }), (events) => {
        counts.schedules++;
        const simulation = fresh();
        const running = new Map<number, Running>();
        for (const happening of events) {
          const { act, wrote, was } = step(simulation, running, happening);
          counts[act]++;
          if (happening.killed) counts.kills++;
          if (wrote !== undefined) checkMove(simulation, wrote, was, happening.release === ROLLBACK);
        }
      }),
      { numRuns: 100 },
    );
    console.log(
      `${counts.schedules} schedules: ${counts.write} tags written, ${counts.kills} kills, ${counts.closed} closed gates, ` +
        `${counts.stop} stops, ${counts.done} looks at a finished release`,
    );
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(10);
  });

  it("are complete everywhere, with the newest version on latest, once each has been run again", () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 40 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
        (events, order) => {
          const simulation = fresh();
          const running = new Map<number, Running>();
          for (const happening of events)
            if (happening.release !== ROLLBACK) step(simulation, running, happening);
          simulation.down.clear();
          for (const release of order) {
            const text = RELEASES[release] ?? "";
            const plan = simulation.plan(version(text), candidateOf(text));
            expect(plan && simulation.finish(plan).next).toEqual({ act: "done", later: [] });
          }
          for (const { at } of floats(simulation, "latest")) expect(at?.text).toBe("2.0.0");
          for (const { at } of floats(simulation, "1.2")) expect(at?.text).toBe("1.2.4");
          for (const { at } of floats(simulation, "1.1")) expect(at?.text).toBe("1.1.9");
          for (const { at } of floats(simulation, "1")) expect(at?.text).toBe("1.2.4");
        },
      ),
      { numRuns: 30 },
    );
  });
});
