import { parse } from "@tgo/schemas";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  tagTargets,
  releaseStatus,
  TagPolicy,
  type SeenTag,
  type RegistrySnapshot,
  type Status,
} from "../src/index.js";
import { digest } from "./arbitraries.js";

const registries = ["ghcr", "hub", "acr"];
const a = digest("a");
const b = digest("b");

/** `1.2.3=a` is a tag with the digest a…; a version after it is the image's annotation: `latest=a 1.2.3`. */
function tags(...texts: string[]): SeenTag[] {
  return texts.map((text) => {
    const [, tag = "", hex = "", annotation] = /^(\S+)=(\w+)(?: (\S+))?$/.exec(text) ?? [];
    return { tag, digest: digest(hex), ...(annotation === undefined ? {} : { annotation }) };
  });
}

const RELEASED = ["1.2.2=b", "1.2.3=a", "1.2=a", "1=a", "latest=a"];

function status(
  places: Record<string, string[] | undefined>,
  more: RegistrySnapshot[] = [],
  policy = parse(TagPolicy, {}),
): Status {
  const snapshots = Object.entries(places).map(([registry, texts]): RegistrySnapshot => ({
    service: "api",
    registry,
    contents:
      texts === undefined
        ? { state: "unreachable", why: "401 wrong password" }
        : { state: "seen", tags: tagTargets(tags(...texts), "api") },
  }));
  const services = [...new Set(["api", ...more.map(({ service }) => service)])].map((service) => ({
    service,
    policy,
  }));
  return releaseStatus({ services, registries, snapshots: [...snapshots, ...more] });
}

function told(places: Record<string, string[] | undefined>): string[] {
  return status(places).disagreements.map((one) => `${one.kind} [${one.registries.join(" ")}] ${one.told}`);
}

const everywhere = (texts: string[]): Record<string, string[]> => ({ ghcr: texts, hub: texts, acr: texts });

describe("the release status", () => {
  it("misses the alias of the newest version only, and only where the policy has one", () => {
    const places = { ...everywhere([...RELEASED, "v1.2.3=a"]), hub: RELEASED };
    const policy = parse(TagPolicy, { alias: "v{version}" });
    expect(status(places).disagreements).toEqual([]);
    expect(status(places, [], policy).disagreements).toEqual([
      {
        kind: "tag missing",
        service: "api",
        registries: ["hub"],
        tag: "v1.2.3",
        told: "api: there is no v1.2.3 beside 1.2.3 in hub",
        remedy: "promote --version 1.2.3 writes it.",
      },
    ]);
  });

  it("shows latest, the lines and the newest version, and reports no disagreement after a release", () => {
    const { rows, disagreements } = status(
      everywhere([...RELEASED, "1.2.4-rc.1=c", "candidate-0123456789abcdef=a"]),
    );
    expect(disagreements).toEqual([]);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toEqual({
      service: "api",
      registry: "ghcr",
      latest: { tag: "latest", digest: a, version: "1.2.3" },
      lines: [
        { tag: "1.2", digest: a, version: "1.2.3" },
        { tag: "1", digest: a, version: "1.2.3" },
      ],
      newest: { tag: "1.2.3", digest: a, version: "1.2.3" },
      prerelease: { tag: "1.2.4-rc.1", digest: digest("c"), version: "1.2.4-rc.1" },
    });
  });

  it("reports no disagreement where nothing was released", () => {
    expect(status(everywhere([])).disagreements).toEqual([]);
  });

  const A = "a00000000000";
  const B = "b00000000000";
  it.each<[string, Record<string, string[] | undefined>, string[]]>([
    [
      "a registry that could not be queried",
      { ...everywhere(RELEASED), acr: undefined },
      ["not asked [acr] api: acr could not be queried: 401 wrong password"],
    ],
    [
      "latest that differs, and is behind in one registry",
      { ...everywhere(RELEASED), acr: RELEASED.map((text) => text.replace("latest=a", "latest=b")) },
      [
        `tag differs [ghcr hub acr] api: latest is 1.2.3 (${A}) in ghcr, hub, and 1.2.2 (${B}) in acr`,
        "behind [acr] api: latest is 1.2.2, the newest is 1.2.3 (acr)",
      ],
    ],
    [
      "latest that was taken back everywhere",
      everywhere(RELEASED.map((text) => text.replace("latest=a", "latest=b"))),
      ["behind [ghcr hub acr] api: latest is 1.2.2, the newest is 1.2.3 (ghcr, hub, acr)"],
    ],
    [
      "a line behind its newest version",
      everywhere([...RELEASED, "1.3.0=c", "1.3=c", "latest=c"]),
      ["behind [ghcr hub acr] api: 1 is 1.2.3, the newest is 1.3.0 (ghcr, hub, acr)"],
    ],
    [
      "latest ahead of every version tag",
      everywhere([...RELEASED.slice(0, 4), "latest=d 1.3.0"]),
      [
        "ahead [ghcr hub acr] api: latest is 1.3.0, but no version newer than 1.2.3 is tagged there (ghcr, hub, acr)",
      ],
    ],
    [
      "a prerelease under latest",
      everywhere([...RELEASED.slice(0, 4), "1.3.0-rc.1=c", "latest=c"]),
      ["strange [ghcr hub acr] api: latest is 1.3.0-rc.1, a prerelease (ghcr, hub, acr)"],
    ],
    [
      "an image of unknown version under latest",
      everywhere([...RELEASED.slice(0, 4), "latest=e main"]),
      ["strange [ghcr hub acr] api: latest is e00000000000, of unknown version (ghcr, hub, acr)"],
    ],
    [
      "a line's tag on another line",
      everywhere(["1.1.9=c", "1.1=a", ...RELEASED]),
      ["strange [ghcr hub acr] api: 1.1 is 1.2.3, which does not belong to 1.1 (ghcr, hub, acr)"],
    ],
    [
      "another image of the same version under latest",
      everywhere([...RELEASED.slice(0, 4), "latest=d 1.2.3"]),
      [
        "strange [ghcr hub acr] api: latest claims to be 1.2.3, but is a different image from 1.2.3 (ghcr, hub, acr)",
      ],
    ],
    [
      "a version that is two images",
      { ...everywhere(["1.2.3=a"]), hub: ["1.2.3=b"] },
      [
        "tag missing [ghcr hub acr] api: there is no latest anywhere, although 1.2.3 exists",
        `version differs [ghcr hub acr] api: 1.2.3 is ${A} in ghcr, acr, and ${B} in hub`,
      ],
    ],
    [
      "a version that is two images by two spellings",
      everywhere([...RELEASED, "v1.2.3=d"]),
      [
        `version differs [ghcr hub acr] api: 1.2.3 is ${A} in ghcr, hub, acr, and d00000000000 in ghcr, hub, acr (as v1.2.3)`,
      ],
    ],
    [
      "what one registry lacks",
      { ...everywhere(["0.9.0=d", "0.9.1=e", "0.9.2=f", ...RELEASED]), acr: ["1.2.3=a", "1=a", "latest=a"] },
      [
        "tag missing [acr] api: there is no 1.2 in acr",
        "version missing [acr] api: acr lacks 1.2.2, 0.9.2, 0.9.1 and 1 older, which other registries have",
      ],
    ],
  ])("reports %s", (_, places, expected) => {
    expect(told(places)).toEqual(expected);
  });

  it("explains once why floating tags may be behind, and the fix", () => {
    const back = everywhere(
      RELEASED.map((text) => text.replace("latest=a", "latest=b").replace("1.2=a", "1.2=b")),
    );
    const { disagreements } = status(back);
    expect(disagreements.map(({ kind, tag }) => `${kind} ${tag ?? ""}`)).toEqual([
      "behind latest",
      "behind 1.2",
    ]);
    const remedies = new Set(disagreements.map(({ remedy }) => remedy));
    expect([...remedies]).toEqual([
      expect.stringMatching(/moved back on purpose.*release command of 1\.2\.3 .*promote.*--allow-backwards/),
    ]);
  });

  it("reports services whose latest differ, since they are installed together", () => {
    const web: RegistrySnapshot[] = registries.map((registry) => ({
      service: "web",
      registry,
      contents: { state: "seen", tags: tagTargets(tags("1.2.2=f", "1.2=f", "1=f", "latest=f"), "web") },
    }));
    expect(status(everywhere(RELEASED), web).disagreements.map((one) => one.told)).toEqual([
      "latest is 1.2.3 in api, and 1.2.2 in web",
    ]);
  });

  it("does not compare a service with others while its own registries disagree", () => {
    const web: RegistrySnapshot[] = registries.map((registry) => ({
      service: "web",
      registry,
      contents: {
        state: "seen",
        tags: tagTargets(tags("1.2.2=f", "1.2.1=e", `latest=${registry === "acr" ? "e" : "f"}`), "web"),
      },
    }));
    const kinds = status(everywhere(RELEASED), web).disagreements.map(({ kind }) => kind);
    expect(kinds).toEqual(["tag differs", "behind"]);
  });

  it("treats a registry without a snapshot as unknown, not empty", () => {
    const { rows, disagreements } = releaseStatus({
      services: [{ service: "api" }],
      registries: ["ghcr"],
      snapshots: [],
    });
    expect(rows).toEqual([
      { service: "api", registry: "ghcr", unreachable: "it was not queried", lines: [] },
    ]);
    expect(disagreements).toMatchObject([{ kind: "not asked" }]);
  });

  it("never throws, and reports nothing exactly when all registries agree", () => {
    const tag = fc.constantFrom(
      "latest",
      "1",
      "1.2",
      "1.2.3",
      "1.2.2",
      "v1.2.3",
      "1.3.0-rc.1",
      "main",
      "0",
      "1.2.3.4",
    );
    const seen: fc.Arbitrary<SeenTag[]> = fc.uniqueArray(
      fc.record(
        {
          tag,
          digest: fc.constantFrom(a, b),
          annotation: fc.constantFrom("1.2.3", "1.2.2", "main", "", "9.9.9"),
        },
        { requiredKeys: ["tag", "digest"] },
      ),
      { selector: (one) => one.tag },
    );
    const held: fc.Arbitrary<RegistrySnapshot["contents"]> = fc.oneof(
      {
        weight: 9,
        arbitrary: seen.map((found) => ({ state: "seen" as const, tags: tagTargets(found, "api") })),
      },
      { weight: 1, arbitrary: fc.constant({ state: "unreachable" as const, why: "down" }) },
    );
    fc.assert(
      fc.property(fc.array(held, { minLength: 1, maxLength: 3 }), (all) => {
        const snapshots = all.map((one, at): RegistrySnapshot => ({
          service: "api",
          registry: registries[at] ?? "",
          contents: one,
        }));
        const names = snapshots.map(({ registry }) => registry);
        const { rows, disagreements } = releaseStatus({
          services: [{ service: "api" }],
          registries: names,
          snapshots,
        });
        expect(rows).toHaveLength(all.length);
        const digests = new Set(rows.map(({ latest }) => latest?.digest));
        const down = rows.some(({ unreachable }) => unreachable !== undefined);
        if (!down && digests.size > 1) expect(disagreements.some((one) => one.tag === "latest")).toBe(true);
        expect(disagreements.filter(({ kind }) => kind === "not asked")).toHaveLength(
          rows.filter(({ unreachable }) => unreachable !== undefined).length,
        );
      }),
      { numRuns: 500 },
    );
  });
});
