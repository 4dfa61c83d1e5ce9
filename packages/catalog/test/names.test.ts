import { describe, expect, it } from "vitest";
import {
  applyOverride,
  mirrored,
  nearestName,
  parsePlatform,
  parseRegistryFlag,
  registryRepository,
  selectPlatforms,
  selectServices,
} from "../src/index.js";

const catalog = applyOverride({
  services: {
    "tgo-api": { title: "API", build: { strategy: "python" } },
    "tgo-web": { title: "Web", build: { strategy: "static-web" } },
  },
});

describe("the nearest name", () => {
  it.each([
    ["tgo-wb", "tgo-web"],
    ["TGO-WEB", "tgo-web"],
    ["dockerhub", "DockerHub"],
    ["postgres", undefined],
    ["", undefined],
  ])("of %j is %j", (name, expected) => {
    expect(nearestName(name, ["tgo-api", "tgo-web", "DockerHub"])).toBe(expected);
  });

  it("of an empty list is undefined", () => {
    expect(nearestName("x", [])).toBeUndefined();
  });
});

describe("services by name", () => {
  it.each([
    ["tgo-apii", "tgo-api"],
    ["tgo-wb", "tgo-web"],
    ["TGO-API", "tgo-api"],
  ])("suggests for %s the name %s", (name, nearest) => {
    expect(() => selectServices(catalog, [name])).toThrow(`did you mean "${nearest}"?`);
  });

  it("suggests nothing for an unrelated name, but lists all", () => {
    expect(() => selectServices(catalog, ["postgres"])).toThrow(
      /there is no service "postgres"\n.*tgo-api, tgo-web/s,
    );
  });

  it('selects all with "all", and each only once', () => {
    expect(selectServices(catalog, ["all"]).map(({ name }) => name)).toEqual(["tgo-api", "tgo-web"]);
    expect(selectServices(catalog, ["tgo-web", "tgo-web"]).map(({ name }) => name)).toEqual(["tgo-web"]);
  });

  it("requires at least one", () => {
    expect(() => selectServices(catalog, [])).toThrow(/no service given\n.*--service/s);
  });

  it("does not accept a property of Object as a service", () => {
    expect(() => selectServices(catalog, ["constructor"])).toThrow('there is no service "constructor"');
  });
});

describe("platforms", () => {
  it.each(["linux/arm64/v8", "arm64", "linux/amd46", "windows/amd64", ""])("refuses %s", (text) => {
    expect(() => parsePlatform(text)).toThrow(/is not a platform.*\n.*linux\/amd64, linux\/arm64/s);
  });

  it("default to the catalog's", () => {
    expect(selectPlatforms(catalog, undefined)).toEqual(["linux/amd64", "linux/arm64"]);
    expect(selectPlatforms(catalog, ["linux/arm64"])).toEqual(["linux/arm64"]);
  });

  it("are in a fixed order without duplicates", () => {
    expect(selectPlatforms(catalog, ["linux/arm64", "linux/amd64", "linux/arm64"])).toEqual([
      "linux/amd64",
      "linux/arm64",
    ]);
  });
});

describe("--registry", () => {
  it.each([
    ["localhost:5001/tgoai", "localhost:5001", { host: "localhost:5001", repository: "tgoai/{service}" }],
    ["mine=ghcr.io/me/x-{service}", "mine", { host: "ghcr.io", repository: "me/x-{service}" }],
    ["a.example.com/team/", "a.example.com", { host: "a.example.com", repository: "team/{service}" }],
  ])("reads %s", (text, name, registry) => {
    expect(parseRegistryFlag(text, {})).toMatchObject({
      name,
      registry: { ...registry, required: true, public: false },
    });
  });

  it("keeps the catalog's other properties of a known name", () => {
    const { registry } = parseRegistryFlag("ghcr=localhost:5001/x", catalog.registries);
    expect(registry).toMatchObject({ host: "localhost:5001", public: true });
  });

  it.each(["localhost:5001", "/x", "https://ghcr.io/x", "ghcr.io/UPPER", "ghcr.io/", "host:port/x"])(
    "refuses %s with the grammar",
    (text) => {
      expect(() => parseRegistryFlag(text, {})).toThrow(
        /is not a registry.*\n.*\[name=\]host\[:port\]\/path/s,
      );
    },
  );

  it("replaces {service} with the service's name", () => {
    const { registry } = parseRegistryFlag("x=h.example.com/a/{service}/b", {});
    expect(registryRepository(registry, "tgo-api")).toEqual({
      host: "h.example.com",
      repository: "a/tgo-api/b",
    });
  });
});

describe("mirrored", () => {
  it("replaces a mirrored host and leaves other hosts alone", () => {
    const mirrors = { "docker.io": "localhost:5000/hub/" };
    expect(mirrored("docker.io/library/python:3.11-slim", mirrors)).toBe(
      "localhost:5000/hub/library/python:3.11-slim",
    );
    expect(mirrored("ghcr.io/x/y:1", mirrors)).toBe("ghcr.io/x/y:1");
  });
});
