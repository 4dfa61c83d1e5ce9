import { parse } from "@tgo/schemas";
import { describe, expect, it } from "vitest";
import { releaseState, TagPolicy, type ReleasePlan, type RegistrySnapshot } from "../src/index.js";
import { digest, version } from "./arbitraries.js";
import { Simulation } from "./simulation.js";

const CANDIDATE = "candidate-0123456789abcdef";
const registries = [
  { registry: "ghcr", required: true },
  { registry: "hub", required: true },
  { registry: "acr", required: false },
];
const of = (text: string) => (service: string) =>
  digest(`${service === "api" ? "a" : "b"}${text.replaceAll(/\D/g, "")}`);

/** Two services in three registries, with 1.2.2 released and the candidates of 1.2.3 everywhere. */
function released(): Simulation {
  const simulation = new Simulation(["api", "web"], registries);
  for (const tag of ["1.2.2", "1.2", "1", "latest"]) simulation.putAll(tag, of("1.2.2"), "1.2.2");
  simulation.putAll(CANDIDATE, of("1.2.3"), "1.2.3");
  return simulation;
}

function planned(
  simulation: Simulation,
  text = "1.2.3",
  flags: Parameters<Simulation["plan"]>[2] = {},
): ReleasePlan {
  const plan = simulation.plan(version(text), CANDIDATE, flags);
  if (plan === undefined) throw new Error("the gate is closed");
  return plan;
}

function next(simulation: Simulation, plan: ReleasePlan, start?: RegistrySnapshot[]): [string, string[]] {
  const { next: asked } = releaseState(simulation.look(), plan, start);
  const steps = asked.act === "write" ? asked.steps : asked.act === "stop" ? asked.blockers : asked.later;
  return [asked.act, steps.map(({ service, registry, tag }) => `${service} ${registry} ${tag}`).sort()];
}

function everywhere(...tags: string[]): string[] {
  return ["api", "web"]
    .flatMap((s) => registries.flatMap(({ registry }) => tags.map((t) => `${s} ${registry} ${t}`)))
    .sort();
}

function writeNext(simulation: Simulation, plan: ReleasePlan): void {
  const { next: asked } = releaseState(simulation.look(), plan);
  if (asked.act !== "write") throw new Error(asked.act);
  for (const step of asked.steps) simulation.write(step);
}

describe("a release", () => {
  it("writes version tags, then floating tags, then latest, each everywhere before the next", () => {
    const simulation = released();
    const plan = planned(simulation);
    expect(next(simulation, plan)).toEqual(["write", everywhere("1.2.3")]);
    writeNext(simulation, plan);
    expect(next(simulation, plan)).toEqual(["write", everywhere("1.2", "1")]);
    writeNext(simulation, plan);
    expect(next(simulation, plan)).toEqual(["write", everywhere("latest")]);
    writeNext(simulation, plan);
    expect(next(simulation, plan)).toEqual(["done", []]);
    const { steps } = releaseState(simulation.look(), plan);
    expect(new Set(steps.map(({ status }) => status.state))).toEqual(new Set(["already there"]));
    expect(steps.at(-1)?.tag).toBe("latest");
  });

  it("writes no later tag of any service until the last version tag exists", () => {
    const simulation = released();
    const plan = planned(simulation);
    for (const name of everywhere("1.2.3").filter((step) => step !== "web hub 1.2.3")) {
      const [service = "", registry = ""] = name.split(" ");
      simulation.put(service, registry, "1.2.3", of("1.2.3")(service), "1.2.3");
    }
    expect(next(simulation, plan)).toEqual(["write", ["web hub 1.2.3"]]);
  });

  it("stops everywhere when a required registry cannot be reached", () => {
    const simulation = released();
    const plan = planned(simulation);
    writeNext(simulation, plan);
    simulation.down.add("hub");
    const [act, blockers] = next(simulation, plan);
    expect(act).toBe("stop");
    expect(blockers).toContain("api hub 1.2.3");
    expect(simulation.get("api", "ghcr", "latest")).toBe(of("1.2.2")("api"));
    simulation.down.clear();
    expect(simulation.finish(plan).next).toEqual({ act: "done", later: [] });
  });

  it("continues without an optional registry, and completes it later", () => {
    const simulation = released();
    const plan = planned(simulation);
    simulation.down.add("acr");
    const { next: asked } = simulation.finish(plan);
    expect(asked.act === "done" && asked.later.map(({ status }) => status.state)).toEqual(
      Array.from({ length: 8 }, () => "unreachable"),
    );
    expect(simulation.get("web", "hub", "latest")).toBe(of("1.2.3")("web"));
    simulation.down.clear();
    expect(simulation.finish(plan).next).toEqual({ act: "done", later: [] });
    expect(simulation.get("web", "acr", "latest")).toBe(of("1.2.3")("web"));
  });

  it("moves no latest in an optional registry while a service is missing there", () => {
    const simulation = new Simulation(["api", "web"], registries);
    for (const registry of ["ghcr", "hub", "acr"]) {
      for (const service of ["api", "web"]) {
        if (registry === "acr" && service === "web") continue;
        simulation.put(service, registry, CANDIDATE, of("1.2.3")(service), "1.2.3");
      }
    }
    const { next: asked } = simulation.finish(planned(simulation));
    expect(asked.act).toBe("done");
    expect(simulation.get("api", "acr", "1.2.3")).toBe(of("1.2.3")("api"));
    expect(simulation.get("api", "acr", "latest")).toBeUndefined();
    simulation.put("web", "acr", CANDIDATE, of("1.2.3")("web"), "1.2.3");
    expect(simulation.finish(planned(simulation)).next).toEqual({ act: "done", later: [] });
    expect(simulation.get("api", "acr", "latest")).toBe(of("1.2.3")("api"));
  });

  it("writes nothing when latest will be refused, and everything once it is adopted", () => {
    const simulation = released();
    simulation.put("web", "hub", "latest", digest("f"));
    const { next: asked } = simulation.finish(planned(simulation));
    expect(asked).toMatchObject({
      act: "stop",
      blockers: [{ service: "web", registry: "hub", tag: "latest" }],
    });
    expect(simulation.get("api", "ghcr", "1.2.3")).toBeUndefined();
    expect(simulation.finish(planned(simulation, "1.2.3", { adopt: true })).next).toEqual({
      act: "done",
      later: [],
    });
  });

  it("finishes the version tags it began, although latest will now be refused", () => {
    const simulation = released();
    const plan = planned(simulation);
    simulation.put("api", "ghcr", "1.2.3", of("1.2.3")("api"), "1.2.3");
    simulation.put("web", "hub", "latest", digest("f"));
    const { next: asked } = simulation.finish(plan);
    expect(asked).toMatchObject({
      act: "stop",
      blockers: [{ tag: "latest", status: { state: "refused" } }],
    });
    expect(simulation.get("web", "acr", "1.2.3")).toBe(of("1.2.3")("web"));
    expect(simulation.get("web", "ghcr", "1.2")).toBe(of("1.2.2")("web"));
  });

  it.each(["hub", "acr"])("stops for good when the version appeared in %s with other content", (registry) => {
    const simulation = released();
    const plan = planned(simulation);
    simulation.put("api", registry, "1.2.3", digest("f"));
    const { next: asked } = simulation.finish(plan);
    expect(asked).toMatchObject({ act: "stop", blockers: [{ registry, status: { state: "refused" } }] });
    expect(simulation.get("api", registry, "1.2.3")).toBe(digest("f"));
  });

  it.each(["v1.2.3", "api-v1.2.3"])(
    "does not make a second image of a version that was released as %s",
    (tag) => {
      const simulation = released();
      const plan = planned(simulation);
      simulation.put("api", "ghcr", tag, digest("f"));
      expect(simulation.plan(version("1.2.3"), CANDIDATE)).toBeUndefined();
      expect(next(simulation, plan)).toEqual(["stop", ["api ghcr 1.2.3"]]);
      simulation.put("api", "ghcr", tag, of("1.2.3")("api"));
      expect(simulation.finish(planned(simulation)).next).toEqual({ act: "done", later: [] });
      expect(simulation.get("api", "ghcr", "1.2.3")).toBe(of("1.2.3")("api"));
    },
  );

  it("leaves a tag alone where another required registry has it on a newer version", () => {
    const simulation = released();
    simulation.put("api", "acr", "latest", digest("9"), "9.9.9");
    simulation.put("api", "ghcr", "latest", digest("f"), "1.2.4");
    const { next: asked, steps } = simulation.finish(planned(simulation));
    expect(asked).toEqual({ act: "done", later: [] });
    expect(simulation.get("api", "hub", "latest")).toBe(of("1.2.2")("api"));
    expect(simulation.get("web", "hub", "latest")).toBe(of("1.2.3")("web"));
    expect(
      steps.find(({ service, registry, tag }) => `${service} ${registry} ${tag}` === "api hub latest")
        ?.status,
    ).toMatchObject({
      message: "left as it is: 1.2.4, newer than 1.2.3, is latest in ghcr",
    });
  });

  it("of a prerelease or an older version does not move latest", () => {
    const simulation = released();
    expect(simulation.finish(planned(simulation)).next.act).toBe("done");
    for (const text of ["1.2.4-rc.1", "1.1.9"]) {
      simulation.putAll(CANDIDATE, of(text), text);
      expect(simulation.finish(planned(simulation, text)).next).toEqual({ act: "done", later: [] });
      expect(simulation.get("api", "hub", text)).toBe(of(text)("api"));
      expect(simulation.get("api", "hub", "latest")).toBe(of("1.2.3")("api"));
      expect(simulation.get("api", "hub", "1")).toBe(of("1.2.3")("api"));
    }
    expect(simulation.get("api", "hub", "1.1")).toBe(of("1.1.9")("api"));
  });

  it("moves all floating tags back only with allowBackwards, and forward again from there", () => {
    const simulation = released();
    simulation.finish(planned(simulation));
    simulation.putAll(CANDIDATE, of("1.2.2"), "1.2.2");
    simulation.finish(planned(simulation, "1.2.2"));
    expect(simulation.get("api", "hub", "latest")).toBe(of("1.2.3")("api"));
    const rollback = planned(simulation, "1.2.2", { allowBackwards: true });
    expect(simulation.finish(rollback).next).toEqual({ act: "done", later: [] });
    for (const tag of ["latest", "1", "1.2"])
      expect(simulation.get("api", "hub", tag)).toBe(of("1.2.2")("api"));
    simulation.putAll(CANDIDATE, of("1.2.4"), "1.2.4");
    simulation.finish(planned(simulation, "1.2.4"));
    expect(simulation.get("api", "hub", "latest")).toBe(of("1.2.4")("api"));
  });

  it("moves only the tags of its policy", () => {
    const simulation = released();
    const policy = parse(TagPolicy, { latest: false, major: false });
    expect(simulation.finish(planned(simulation, "1.2.3", { policy })).next).toEqual({
      act: "done",
      later: [],
    });
    expect(simulation.get("api", "hub", "1.2")).toBe(of("1.2.3")("api"));
    expect(simulation.get("api", "hub", "latest")).toBe(of("1.2.2")("api"));
  });

  it("writes an alias with the version's own tag, and adds it to a version that was released without", () => {
    const simulation = released();
    const policy = parse(TagPolicy, { alias: "v{version}" });
    const plan = planned(simulation, "1.2.3", { policy });
    expect(next(simulation, plan)).toEqual(["write", everywhere("1.2.3", "v1.2.3")]);
    simulation.finish(plan);
    expect(next(simulation, plan)).toEqual(["done", []]);

    const old = released();
    old.finish(planned(old));
    expect(next(old, planned(old, "1.2.3", { policy }))).toEqual(["write", everywhere("v1.2.3")]);
  });

  it("never gives a version two contents by its alias", () => {
    const simulation = released();
    const plan = planned(simulation, "1.2.3", { policy: parse(TagPolicy, { alias: "v{version}" }) });
    simulation.put("api", "hub", "v1.2.3", of("1.2.2")("api"), "1.2.3");
    const { steps } = releaseState(simulation.look(), plan);
    const refused = steps.filter(({ status }) => status.state === "refused");
    expect(refused.map(({ service, registry, tag }) => `${service} ${registry} ${tag}`)).toEqual([
      "api hub 1.2.3",
      "api hub v1.2.3",
    ]);
  });

  it("creates no latest for an old version where a newer one exists", () => {
    const simulation = new Simulation(["api", "web"], registries);
    simulation.putAll("2.0.0", of("2.0.0"), "2.0.0");
    simulation.putAll(CANDIDATE, of("1.2.3"), "1.2.3");
    const { next: asked, steps } = simulation.finish(planned(simulation));
    expect(asked).toEqual({ act: "done", later: [] });
    expect(simulation.get("api", "ghcr", "latest")).toBeUndefined();
    expect(simulation.get("api", "ghcr", "1")).toBe(of("1.2.3")("api"));
    expect(steps.at(-1)?.status).toMatchObject({
      state: "stays",
      message: "left absent: 2.0.0, newer than 1.2.3, already exists",
    });
  });

  it("yields to a newer version whose release began meanwhile, and reports it", () => {
    const simulation = released();
    const plan = planned(simulation);
    const start = simulation.look();
    simulation.put("api", "ghcr", "1.2.4", digest("f"), "1.2.4");
    writeNext(simulation, plan);
    writeNext(simulation, plan);
    const { steps, newerReleases } = releaseState(simulation.look(), plan, start);
    expect(newerReleases).toEqual(["api: 1.2.4 appeared in ghcr while 1.2.3 was being released"]);
    const latest = steps.filter(({ phase }) => phase === "latest");
    expect(latest.filter(({ service }) => service === "api").map(({ status }) => status.state)).toEqual(
      Array.from({ length: 3 }, () => "stays"),
    );
    expect(latest.find(({ service }) => service === "web")?.status.state).toBe("to write");
  });

  it("rejects moving back to a prerelease", () => {
    const simulation = released();
    simulation.putAll(CANDIDATE, of("1.2.4-rc.1"), "1.2.4-rc.1");
    expect(() => planned(simulation, "1.2.4-rc.1", { allowBackwards: true })).toThrow(
      /--allow-backwards: .*prerelease/,
    );
  });

  it("continues in the required registries before an optional one is read, and there afterwards", () => {
    const simulation = released();
    const plan = planned(simulation);
    const of = (...names: string[]): RegistrySnapshot[] =>
      simulation.look().filter(({ registry }) => names.includes(registry));
    const writes = (snapshots: RegistrySnapshot[]): string[] => {
      const { next: asked } = releaseState(snapshots, plan);
      return asked.act === "write" ? asked.steps.map(({ registry, tag }) => `${registry} ${tag}`) : [];
    };
    expect(new Set(writes(of("ghcr", "hub")))).toEqual(new Set(["ghcr 1.2.3", "hub 1.2.3"]));
    const early = of("ghcr", "hub");
    // The optional registry's version tags do not wait for the required ones; its floating tags do.
    expect(new Set(writes([...early, ...of("acr")]))).toEqual(
      new Set(["ghcr 1.2.3", "hub 1.2.3", "acr 1.2.3"]),
    );
    for (const service of ["api", "web"]) simulation.put(service, "acr", "1.2.3", of3(service), "1.2.3");
    expect(writes([...early, ...of("acr")]).filter((name) => name.startsWith("acr"))).toEqual([]);
    for (const service of ["api", "web"])
      for (const registry of ["ghcr", "hub"])
        simulation.put(service, registry, "1.2.3", of3(service), "1.2.3");
    expect(new Set(writes(simulation.look()).filter((name) => name.startsWith("acr")))).toEqual(
      new Set(["acr 1.2", "acr 1"]),
    );
  });

  it("is not stopped half-way by another image under its version in an optional registry", () => {
    const simulation = released();
    const plan = planned(simulation);
    simulation.put("api", "acr", "1.2.3", digest("f"), "1.2.3");
    expect(next(simulation, plan)).toEqual(["stop", ["api acr 1.2.3"]]);
    simulation.put("api", "ghcr", "1.2.3", of3("api"), "1.2.3");
    const { next: ended } = simulation.finish(plan);
    expect(ended.act).toBe("done");
    expect(simulation.get("web", "hub", "latest")).toBe(of3("web"));
    expect(simulation.get("api", "acr", "1.2.3")).toBe(digest("f"));
    expect(simulation.get("web", "acr", "latest")).toBe(of("1.2.2")("web"));
  });
});

const of3 = of("1.2.3");

describe("a floating tag that a late write moved off a newer version", () => {
  /** 1.2.3 has written everything; meanwhile 1.2.4 appeared in these registries, or it existed before. */
  function overtaken(
    places: readonly string[],
    float?: string,
  ): { simulation: Simulation; plan: ReleasePlan; start: RegistrySnapshot[] } {
    const simulation = released();
    const plan = planned(simulation);
    const start = simulation.look();
    for (const tag of ["1.2.3", "1.2", "1", "latest"]) simulation.putAll(tag, of3, "1.2.3");
    for (const place of places) {
      const [service = "", registry = ""] = place.split(" ");
      simulation.put(service, registry, "1.2.4", of("1.2.4")(service), "1.2.4");
    }
    if (float !== undefined) {
      const [service = "", registry = ""] = float.split(" ");
      simulation.put(service, registry, "latest", of("1.2.4")(service), "1.2.4");
    }
    return { simulation, plan, start };
  }

  const required = ["api ghcr", "api hub", "web ghcr", "web hub"];

  const givenBack = ({ simulation, plan, start }: ReturnType<typeof overtaken>): string[] =>
    releaseState(simulation.look(), plan, start).steps.flatMap(
      ({ service, registry, tag, status, digest: to }) =>
        status.state === "to write" && status.why === "given back" && to === of("1.2.4")(service)
          ? [`${service} ${registry} ${tag}`]
          : [],
    );

  it("is given back where that version passed its gate and exists", () => {
    const { simulation, plan, start } = overtaken(required);
    const expected = required.flatMap((place) => ["1.2", "1", "latest"].map((tag) => `${place} ${tag}`));
    expect(new Set(givenBack({ simulation, plan, start }))).toEqual(new Set(expected));
    for (let round = 0; round < 3; round += 1) {
      const { next: asked } = releaseState(simulation.look(), plan, start);
      if (asked.act === "write") for (const step of asked.steps) simulation.write(step);
    }
    expect(releaseState(simulation.look(), plan, start).next.act).toBe("done");
    expect(simulation.get("web", "hub", "latest")).toBe(of("1.2.4")("web"));
  });

  it("is given back where it has moved to that version in another registry", () => {
    expect(givenBack(overtaken(["api ghcr", "api hub"], "api hub"))).toEqual(["api ghcr latest"]);
  });

  it("stays while that version may not have passed its gate", () => {
    expect(givenBack(overtaken(required.slice(1)))).toEqual([]);
  });

  it("stays when the version existed before, as after a rollback", () => {
    const { simulation, plan } = overtaken(required);
    expect(givenBack({ simulation, plan, start: simulation.look() })).toEqual([]);
  });

  it("stays after a rollback, which is meant to have it", () => {
    const { simulation, plan, start } = overtaken(required);
    expect(givenBack({ simulation, plan: { ...plan, allowBackwards: true }, start })).toEqual([]);
  });
});
