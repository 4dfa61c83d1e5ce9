import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideGate, formatReasons, type Gate, type GateEntry } from "../src/index.js";
import { digest, version } from "./arbitraries.js";

const A = digest("a");
const B = digest("b");
const services = ["api", "web"];
const registries = [
  { registry: "ghcr", required: true },
  { registry: "hub", required: true },
  { registry: "acr", required: false },
];
const v = version("1.2.3");

const good = (service: string, registry: string): GateEntry => ({
  service,
  registry,
  candidate: { state: "verified", digest: A, version: "1.2.3", revision: "c0ffee" },
  versionTag: { state: "absent" },
});

/** Everything is verified, except for a change to api in one registry. */
function gateWith(registry: string, change: Partial<GateEntry> | undefined): Gate {
  const entries = services.flatMap((service) =>
    registries.flatMap((place) => {
      const entry = good(service, place.registry);
      if (service !== "api" || place.registry !== registry) return [entry];
      return change === undefined ? [] : [{ ...entry, ...change }];
    }),
  );
  return decideGate({ version: v, services, registries, entries });
}

const faults: [name: string, change: Partial<GateEntry> | undefined, kinds: string[]][] = [
  ["was never looked for", undefined, ["candidate missing", "version tag unknown"]],
  ["is missing", { candidate: { state: "missing" } }, ["candidate missing"]],
  ["failed", { candidate: { state: "failed", why: "arm64 has x86_64 files" } }, ["candidate failed"]],
  [
    "has another digest",
    { candidate: { state: "verified", digest: B, version: "1.2.3", revision: "c0ffee" } },
    ["digests differ"],
  ],
  [
    "belongs to another version",
    { candidate: { state: "verified", digest: A, version: "1.2.2", revision: "c0ffee" } },
    ["candidate refused"],
  ],
  [
    "was made of changed files",
    { candidate: { state: "verified", digest: A, version: "1.2.3", revision: "dev-0123" } },
    ["candidate refused"],
  ],
  ["may be taken", { versionTag: { state: "unknown", why: "503" } }, ["version tag unknown"]],
];

describe("the gate", () => {
  it("opens when every candidate is verified everywhere, with one digest for each service", () => {
    const gate = gateWith("ghcr", {});
    expect(gate).toMatchObject({ open: true, later: [] });
    expect(gate.open && [...gate.digests]).toEqual([
      ["api", A],
      ["web", A],
    ]);
  });

  it.each(faults)("stays closed when a candidate %s in a required registry", (_, change, kinds) => {
    const gate = gateWith("hub", change);
    expect(gate).toMatchObject({
      open: false,
      reasons: kinds.map((kind) => ({ kind, service: "api", registry: "hub" })),
    });
  });

  it.each(faults)(
    "is not closed by a candidate that %s in an optional registry, but lists it",
    (_, change, kinds) => {
      const gate = gateWith("acr", change);
      expect(gate).toMatchObject({
        open: true,
        later: kinds.map((kind) => ({ kind, service: "api", registry: "acr" })),
      });
    },
  );

  it.each(["ghcr", "acr"])(
    "is closed by another image under the version in %s, required or not",
    (registry) => {
      const gate = gateWith(registry, { versionTag: { state: "present", digest: B } });
      expect(gate).toMatchObject({ open: false, reasons: [{ kind: "version taken", registry }] });
    },
  );

  it("is not closed by that once a required registry has the version: half a release helps nobody", () => {
    const entries = services.flatMap((service) => registries.map(({ registry }) => good(service, registry)));
    const changed = entries.map((entry): GateEntry => {
      if (entry.registry === "acr" && entry.service === "api")
        return { ...entry, versionTag: { state: "present", digest: B } };
      if (entry.registry === "hub" && entry.service === "web")
        return { ...entry, versionTag: { state: "present", digest: A } };
      return entry;
    });
    expect(decideGate({ version: v, services, registries, entries: changed })).toMatchObject({
      open: true,
      later: [{ kind: "version taken", service: "api", registry: "acr" }],
    });
  });

  it("opens when the version exists with the same digest: the release continues", () => {
    expect(gateWith("hub", { versionTag: { state: "present", digest: A } }).open).toBe(true);
  });

  it("opens for an older release without annotations, by its tag", () => {
    const legacy: Partial<GateEntry> = {
      candidate: { state: "verified", digest: A, version: undefined, revision: undefined },
    };
    expect(gateWith("hub", legacy).open).toBe(false);
    expect(gateWith("hub", { ...legacy, versionTag: { state: "present", digest: A } }).open).toBe(true);
  });

  it("stays closed without services or registries", () => {
    expect(decideGate({ version: v, services: [], registries, entries: [] }).open).toBe(false);
    expect(decideGate({ version: v, services, registries: [], entries: [] }).open).toBe(false);
  });

  it("opens on any verified registry when none is required, and lists the others", () => {
    const optional = registries.map((place) => ({ ...place, required: false }));
    const gate = decideGate({
      version: v,
      services,
      registries: optional,
      entries: services.map((s) => good(s, "acr")),
    });
    expect(gate.open).toBe(true);
    expect(gate.later).toHaveLength(8);
    expect(decideGate({ version: v, services, registries: optional, entries: [] })).toMatchObject({
      open: false,
      reasons: [{ message: "api: no registry has a verified candidate" }, { service: "web" }],
    });
  });

  it("says why a candidate is missing, once for all registries with the same reason", () => {
    const entries = services.flatMap((service) =>
      registries.map(({ registry }): GateEntry => {
        const why = "pip found no such package";
        return service === "web"
          ? good(service, registry)
          : { ...good(service, registry), candidate: { state: "missing", why } };
      }),
    );
    const gate = decideGate({ version: v, services, registries, entries });
    if (gate.open) throw new Error("open");
    expect(formatReasons(gate.reasons)).toEqual([
      "api in ghcr, hub: the candidate is missing: pip found no such package",
    ]);
    const nothing = decideGate({ version: v, services: [], registries, entries: [] });
    expect(nothing.open ? [] : formatReasons(nothing.reasons)).toEqual(["there is no service to release"]);
  });

  it("closed, names every reason with its service and registry", () => {
    const gate = gateWith("hub", {
      candidate: { state: "failed", why: "denied" },
      versionTag: { state: "present", digest: B },
    });
    if (gate.open) throw new Error("open");
    expect(formatReasons(gate.reasons)).toEqual([
      "api in hub: the candidate failed: denied",
      `api in hub: 1.2.3 already exists as ${B}; a version's tag never changes`,
    ]);
  });

  it("never opens unless every required candidate is verified with one digest and no version is taken", () => {
    const entry = (service: string, registry: string): fc.Arbitrary<GateEntry | undefined> => {
      const change = fc.constantFrom(...faults.map(([, fault]) => fault), {
        versionTag: { state: "present", digest: B } as const,
      });
      return fc
        .oneof({ weight: 12, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: change })
        .map((fault) => fault && { ...good(service, registry), ...fault });
    };
    const all = services.flatMap((service) => registries.map(({ registry }) => entry(service, registry)));
    const required = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
    const seen = { open: 0, closed: 0 };
    fc.assert(
      fc.property(fc.tuple(...all), required, (found, flags) => {
        const entries = found.filter((one) => one !== undefined);
        const places = registries.map(({ registry }, at) => ({ registry, required: flags[at] === true }));
        const gate = decideGate({ version: v, services, registries: places, entries });
        seen[gate.open ? "open" : "closed"]++;
        if (!gate.open) {
          expect(gate.reasons).not.toEqual([]);
          return;
        }
        for (const service of services) {
          const ofService = entries.filter((one) => one.service === service);
          for (const { registry } of places.filter((place) => place.required)) {
            const there = ofService.find((one) => one.registry === registry);
            expect(there?.candidate).toMatchObject({
              state: "verified",
              digest: gate.digests.get(service),
              version: "1.2.3",
              revision: "c0ffee",
            });
            expect(there?.versionTag.state).not.toBe("unknown");
          }
          for (const { versionTag } of ofService)
            if (versionTag.state === "present") expect(versionTag.digest).toBe(gate.digests.get(service));
        }
      }),
      { numRuns: 1000 },
    );
    expect(seen.open).toBeGreaterThan(50);
    expect(seen.closed).toBeGreaterThan(50);
  });
});
