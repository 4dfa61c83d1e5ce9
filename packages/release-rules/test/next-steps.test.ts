import { describe, expect, it } from "vitest";
import { nextSteps, TagPolicy, type ReleasePlan, type Sight } from "../src/index.js";
import { digest, version } from "./arbitraries.js";
import { World } from "./simulation.js";

const CANDIDATE = "candidate-0123456789abcdef";
const registries = [
  { registry: "ghcr", required: true },
  { registry: "hub", required: true },
  { registry: "acr", required: false },
];
const of = (text: string) => (service: string) =>
  digest(`${service === "api" ? "a" : "b"}${text.replaceAll(/\D/g, "")}`);

/** Two services in three registries; 1.2.2 is released, and the candidates of 1.2.3 are everywhere. */
function released(): World {
  const world = new World(["api", "web"], registries);
  for (const tag of ["1.2.2", "1.2", "1", "latest"]) world.putAll(tag, of("1.2.2"), "1.2.2");
  world.putAll(CANDIDATE, of("1.2.3"), "1.2.3");
  return world;
}

function planned(world: World, text = "1.2.3", flags: Parameters<World["plan"]>[2] = {}): ReleasePlan {
  const plan = world.plan(version(text), CANDIDATE, flags);
  if (plan === undefined) throw new Error("the gate is closed");
  return plan;
}

function next(world: World, plan: ReleasePlan, start?: Sight[]): [string, string[]] {
  const { next: asked } = nextSteps(world.look(), plan, start);
  const steps = asked.act === "write" ? asked.steps : asked.act === "stop" ? asked.because : asked.later;
  return [asked.act, steps.map(({ service, registry, tag }) => `${service} ${registry} ${tag}`).sort()];
}

function everywhere(...tags: string[]): string[] {
  return ["api", "web"]
    .flatMap((s) => registries.flatMap(({ registry }) => tags.map((t) => `${s} ${registry} ${t}`)))
    .sort();
}

function writeNext(world: World, plan: ReleasePlan): void {
  const { next: asked } = nextSteps(world.look(), plan);
  if (asked.act !== "write") throw new Error(asked.act);
  for (const step of asked.steps) world.write(step);
}

describe("a release", () => {
  it("writes version tags, then floating tags, then latest, each everywhere before the next", () => {
    const world = released();
    const plan = planned(world);
    expect(next(world, plan)).toEqual(["write", everywhere("1.2.3")]);
    writeNext(world, plan);
    expect(next(world, plan)).toEqual(["write", everywhere("1.2", "1")]);
    writeNext(world, plan);
    expect(next(world, plan)).toEqual(["write", everywhere("latest")]);
    writeNext(world, plan);
    expect(next(world, plan)).toEqual(["done", []]);
    const { steps } = nextSteps(world.look(), plan);
    expect(new Set(steps.map(({ standing }) => standing.state))).toEqual(new Set(["already there"]));
    expect(steps.at(-1)?.tag).toBe("latest");
  });

  it("holds every later tag of every service until one last version tag is there", () => {
    const world = released();
    const plan = planned(world);
    for (const name of everywhere("1.2.3").filter((step) => step !== "web hub 1.2.3")) {
      const [service = "", registry = ""] = name.split(" ");
      world.put(service, registry, "1.2.3", of("1.2.3")(service), "1.2.3");
    }
    expect(next(world, plan)).toEqual(["write", ["web hub 1.2.3"]]);
  });

  it("stops, and moves nothing more anywhere, when a required registry cannot be asked", () => {
    const world = released();
    const plan = planned(world);
    writeNext(world, plan);
    world.down.add("hub");
    const [act, because] = next(world, plan);
    expect(act).toBe("stop");
    expect(because).toContain("api hub 1.2.3");
    expect(world.get("api", "ghcr", "latest")).toBe(of("1.2.2")("api"));
    world.down.clear();
    expect(world.finish(plan).next).toEqual({ act: "done", later: [] });
  });

  it("goes on without a registry that is not required, and catches up there later", () => {
    const world = released();
    const plan = planned(world);
    world.down.add("acr");
    const { next: asked } = world.finish(plan);
    expect(asked.act === "done" && asked.later.map(({ standing }) => standing.state)).toEqual(
      Array.from({ length: 8 }, () => "unreachable"),
    );
    expect(world.get("web", "hub", "latest")).toBe(of("1.2.3")("web"));
    world.down.clear();
    expect(world.finish(plan).next).toEqual({ act: "done", later: [] });
    expect(world.get("web", "acr", "latest")).toBe(of("1.2.3")("web"));
  });

  it("moves no latest in a registry that is not required while one of its services is missing there", () => {
    const world = new World(["api", "web"], registries);
    for (const registry of ["ghcr", "hub", "acr"]) {
      for (const service of ["api", "web"]) {
        if (registry === "acr" && service === "web") continue;
        world.put(service, registry, CANDIDATE, of("1.2.3")(service), "1.2.3");
      }
    }
    const { next: asked } = world.finish(planned(world));
    expect(asked.act).toBe("done");
    expect(world.get("api", "acr", "1.2.3")).toBe(of("1.2.3")("api"));
    expect(world.get("api", "acr", "latest")).toBeUndefined();
    world.put("web", "acr", CANDIDATE, of("1.2.3")("web"), "1.2.3");
    expect(world.finish(planned(world)).next).toEqual({ act: "done", later: [] });
    expect(world.get("api", "acr", "latest")).toBe(of("1.2.3")("api"));
  });

  it("writes nothing at all when latest will be refused, and all of it once it is adopted", () => {
    const world = released();
    world.put("web", "hub", "latest", digest("f"));
    const { next: asked } = world.finish(planned(world));
    expect(asked).toMatchObject({
      act: "stop",
      because: [{ service: "web", registry: "hub", tag: "latest" }],
    });
    expect(world.get("api", "ghcr", "1.2.3")).toBeUndefined();
    expect(world.finish(planned(world, "1.2.3", { adopt: true })).next).toEqual({ act: "done", later: [] });
  });

  it("finishes the version tags that it began, though latest will be refused by now", () => {
    const world = released();
    const plan = planned(world);
    world.put("api", "ghcr", "1.2.3", of("1.2.3")("api"), "1.2.3");
    world.put("web", "hub", "latest", digest("f"));
    const { next: asked } = world.finish(plan);
    expect(asked).toMatchObject({
      act: "stop",
      because: [{ tag: "latest", standing: { state: "refused" } }],
    });
    expect(world.get("web", "acr", "1.2.3")).toBe(of("1.2.3")("web"));
    expect(world.get("web", "ghcr", "1.2")).toBe(of("1.2.2")("web"));
  });

  it.each(["hub", "acr"])(
    "stops for good when the version came to %s with other content meanwhile",
    (registry) => {
      const world = released();
      const plan = planned(world);
      world.put("api", registry, "1.2.3", digest("f"));
      const { next: asked } = world.finish(plan);
      expect(asked).toMatchObject({ act: "stop", because: [{ registry, standing: { state: "refused" } }] });
      expect(world.get("api", registry, "1.2.3")).toBe(digest("f"));
    },
  );

  it.each(["v1.2.3", "api-v1.2.3"])(
    "does not make a second image of a version that was released as %s",
    (tag) => {
      const world = released();
      const plan = planned(world);
      world.put("api", "ghcr", tag, digest("f"));
      expect(world.plan(version("1.2.3"), CANDIDATE)).toBeUndefined();
      expect(next(world, plan)).toEqual(["stop", ["api ghcr 1.2.3"]]);
      world.put("api", "ghcr", tag, of("1.2.3")("api"));
      expect(world.finish(planned(world)).next).toEqual({ act: "done", later: [] });
      expect(world.get("api", "ghcr", "1.2.3")).toBe(of("1.2.3")("api"));
    },
  );

  it("leaves a tag to the newer version that has it in another required registry, and only there", () => {
    const world = released();
    world.put("api", "acr", "latest", digest("9"), "9.9.9");
    world.put("api", "ghcr", "latest", digest("f"), "1.2.4");
    const { next: asked, steps } = world.finish(planned(world));
    expect(asked).toEqual({ act: "done", later: [] });
    expect(world.get("api", "hub", "latest")).toBe(of("1.2.2")("api"));
    expect(world.get("web", "hub", "latest")).toBe(of("1.2.3")("web"));
    expect(
      steps.find(({ service, registry, tag }) => `${service} ${registry} ${tag}` === "api hub latest")
        ?.standing,
    ).toMatchObject({
      told: "left as it is: 1.2.4, newer than 1.2.3, is latest in ghcr",
    });
  });

  it("of a prerelease or an older version leaves latest where it is", () => {
    const world = released();
    expect(world.finish(planned(world)).next.act).toBe("done");
    for (const text of ["1.2.4-rc.1", "1.1.9"]) {
      world.putAll(CANDIDATE, of(text), text);
      expect(world.finish(planned(world, text)).next).toEqual({ act: "done", later: [] });
      expect(world.get("api", "hub", text)).toBe(of(text)("api"));
      expect(world.get("api", "hub", "latest")).toBe(of("1.2.3")("api"));
      expect(world.get("api", "hub", "1")).toBe(of("1.2.3")("api"));
    }
    expect(world.get("api", "hub", "1.1")).toBe(of("1.1.9")("api"));
  });

  it("goes back only when told to, with everything that floats, and forward again from there", () => {
    const world = released();
    world.finish(planned(world));
    world.putAll(CANDIDATE, of("1.2.2"), "1.2.2");
    world.finish(planned(world, "1.2.2"));
    expect(world.get("api", "hub", "latest")).toBe(of("1.2.3")("api"));
    const rollback = planned(world, "1.2.2", { allowBackwards: true });
    expect(world.finish(rollback).next).toEqual({ act: "done", later: [] });
    for (const tag of ["latest", "1", "1.2"]) expect(world.get("api", "hub", tag)).toBe(of("1.2.2")("api"));
    world.putAll(CANDIDATE, of("1.2.4"), "1.2.4");
    world.finish(planned(world, "1.2.4"));
    expect(world.get("api", "hub", "latest")).toBe(of("1.2.4")("api"));
  });

  it("by policy moves only what it should", () => {
    const world = released();
    const policy = TagPolicy.parse({ latest: false, major: false });
    expect(world.finish(planned(world, "1.2.3", { policy })).next).toEqual({ act: "done", later: [] });
    expect(world.get("api", "hub", "1.2")).toBe(of("1.2.3")("api"));
    expect(world.get("api", "hub", "latest")).toBe(of("1.2.2")("api"));
  });

  it("makes no latest of an old version where a newer one is", () => {
    const world = new World(["api", "web"], registries);
    world.putAll("2.0.0", of("2.0.0"), "2.0.0");
    world.putAll(CANDIDATE, of("1.2.3"), "1.2.3");
    const { next: asked, steps } = world.finish(planned(world));
    expect(asked).toEqual({ act: "done", later: [] });
    expect(world.get("api", "ghcr", "latest")).toBeUndefined();
    expect(world.get("api", "ghcr", "1")).toBe(of("1.2.3")("api"));
    expect(steps.at(-1)?.standing).toMatchObject({
      state: "stays",
      told: "left absent: 2.0.0, newer than 1.2.3, is there already",
    });
  });

  it("steps aside for a newer version whose release began meanwhile, and says so", () => {
    const world = released();
    const plan = planned(world);
    const start = world.look();
    world.put("api", "ghcr", "1.2.4", digest("f"), "1.2.4");
    writeNext(world, plan);
    writeNext(world, plan);
    const { steps, overtaking } = nextSteps(world.look(), plan, start);
    expect(overtaking).toEqual(["api: 1.2.4 came to ghcr while 1.2.3 was released"]);
    const latest = steps.filter(({ phase }) => phase === "latest");
    expect(latest.filter(({ service }) => service === "api").map(({ standing }) => standing.state)).toEqual(
      Array.from({ length: 3 }, () => "stays"),
    );
    expect(latest.find(({ service }) => service === "web")?.standing.state).toBe("to write");
  });

  it("refuses to send a prerelease backwards", () => {
    const world = released();
    world.putAll(CANDIDATE, of("1.2.4-rc.1"), "1.2.4-rc.1");
    expect(() => planned(world, "1.2.4-rc.1", { allowBackwards: true })).toThrow(
      /--allow-backwards: .*prerelease/,
    );
  });

  it("goes on in the required registries while another one has not been looked at, and there when it has", () => {
    const world = released();
    const plan = planned(world);
    const of = (...names: string[]): Sight[] =>
      world.look().filter(({ registry }) => names.includes(registry));
    const writes = (sights: Sight[]): string[] => {
      const { next: asked } = nextSteps(sights, plan);
      return asked.act === "write" ? asked.steps.map(({ registry, tag }) => `${registry} ${tag}`) : [];
    };
    expect(new Set(writes(of("ghcr", "hub")))).toEqual(new Set(["ghcr 1.2.3", "hub 1.2.3"]));
    const early = of("ghcr", "hub");
    // The other one's own version tags do not wait for theirs; its floating tags do.
    expect(new Set(writes([...early, ...of("acr")]))).toEqual(
      new Set(["ghcr 1.2.3", "hub 1.2.3", "acr 1.2.3"]),
    );
    for (const service of ["api", "web"]) world.put(service, "acr", "1.2.3", of3(service), "1.2.3");
    expect(writes([...early, ...of("acr")]).filter((name) => name.startsWith("acr"))).toEqual([]);
    for (const service of ["api", "web"])
      for (const registry of ["ghcr", "hub"]) world.put(service, registry, "1.2.3", of3(service), "1.2.3");
    expect(new Set(writes(world.look()).filter((name) => name.startsWith("acr")))).toEqual(
      new Set(["acr 1.2", "acr 1"]),
    );
  });

  it("is not stopped half way by another image under its version in a registry that is not required", () => {
    const world = released();
    const plan = planned(world);
    world.put("api", "acr", "1.2.3", digest("f"), "1.2.3");
    expect(next(world, plan)).toEqual(["stop", ["api acr 1.2.3"]]);
    world.put("api", "ghcr", "1.2.3", of3("api"), "1.2.3");
    const { next: ended } = world.finish(plan);
    expect(ended.act).toBe("done");
    expect(world.get("web", "hub", "latest")).toBe(of3("web"));
    expect(world.get("api", "acr", "1.2.3")).toBe(digest("f"));
    expect(world.get("web", "acr", "latest")).toBe(of("1.2.2")("web"));
  });
});

const of3 = of("1.2.3");

describe("a floating tag that a late write took from a newer version", () => {
  /** 1.2.3 has written everything; while it did, 1.2.4 came to these places, or all of it was there before. */
  function overtaken(
    places: readonly string[],
    float?: string,
  ): { world: World; plan: ReleasePlan; start: Sight[] } {
    const world = released();
    const plan = planned(world);
    const start = world.look();
    for (const tag of ["1.2.3", "1.2", "1", "latest"]) world.putAll(tag, of3, "1.2.3");
    for (const place of places) {
      const [service = "", registry = ""] = place.split(" ");
      world.put(service, registry, "1.2.4", of("1.2.4")(service), "1.2.4");
    }
    if (float !== undefined) {
      const [service = "", registry = ""] = float.split(" ");
      world.put(service, registry, "latest", of("1.2.4")(service), "1.2.4");
    }
    return { world, plan, start };
  }

  const required = ["api ghcr", "api hub", "web ghcr", "web hub"];

  const givenBack = ({ world, plan, start }: ReturnType<typeof overtaken>): string[] =>
    nextSteps(world.look(), plan, start).steps.flatMap(({ service, registry, tag, standing, digest: to }) =>
      standing.state === "to write" && standing.why === "given back" && to === of("1.2.4")(service)
        ? [`${service} ${registry} ${tag}`]
        : [],
    );

  it("is given back where that version passed its gate and is there", () => {
    const { world, plan, start } = overtaken(required);
    const expected = required.flatMap((place) => ["1.2", "1", "latest"].map((tag) => `${place} ${tag}`));
    expect(new Set(givenBack({ world, plan, start }))).toEqual(new Set(expected));
    for (let round = 0; round < 3; round += 1) {
      const { next: asked } = nextSteps(world.look(), plan, start);
      if (asked.act === "write") for (const step of asked.steps) world.write(step);
    }
    expect(nextSteps(world.look(), plan, start).next.act).toBe("done");
    expect(world.get("web", "hub", "latest")).toBe(of("1.2.4")("web"));
  });

  it("is given back where it came to stand for that version in another registry meanwhile", () => {
    expect(givenBack(overtaken(["api ghcr", "api hub"], "api hub"))).toEqual(["api ghcr latest"]);
  });

  it("is left while that version may not have passed its gate", () => {
    expect(givenBack(overtaken(required.slice(1)))).toEqual([]);
  });

  it("is left when the version was there before, as after a rollback", () => {
    const { world, plan } = overtaken(required);
    expect(givenBack({ world, plan, start: world.look() })).toEqual([]);
  });

  it("is left by a rollback, which is meant to have it", () => {
    const { world, plan, start } = overtaken(required);
    expect(givenBack({ world, plan: { ...plan, allowBackwards: true }, start })).toEqual([]);
  });
});
