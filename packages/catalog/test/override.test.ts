import { describe, expect, it } from "vitest";
import { applyOverride, parseOverrideFile, processorOf, registryRepository } from "../src/index.js";

const base = {
  services: {
    "tgo-api": {
      title: "API",
      build: { strategy: "python" },
      image: { ports: [8000] },
    },
  },
};

function failure(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("expected a failure");
}

describe("applyOverride", () => {
  it("has three registries and both platforms by default", () => {
    const catalog = applyOverride(base);
    expect(Object.values(catalog.registries).map(({ host }) => host)).toEqual([
      "ghcr.io",
      "docker.io",
      "registry.cn-shanghai.aliyuncs.com",
    ]);
    expect(catalog.platforms).toEqual(["linux/amd64", "linux/arm64"]);
  });

  it("adds a service, replaces a field and removes a registry", () => {
    const catalog = applyOverride(
      {
        ...base,
        registries: {
          ghcr: { host: "ghcr.io", repository: "a/{service}" },
          acr: { host: "acr.example.com", repository: "b/{service}" },
        },
      },
      {
        services: {
          "tgo-api": { title: "Renamed" },
          "tgo-new": { title: "New", build: { strategy: "dockerfile" } },
        },
        registries: { acr: null, ghcr: { required: false } },
      },
    );
    expect(catalog.services["tgo-api"]?.title).toBe("Renamed");
    expect(catalog.services["tgo-api"]?.image.ports).toEqual([8000]);
    expect(catalog.services["tgo-new"]?.build.strategy).toBe("dockerfile");
    expect(Object.keys(catalog.registries)).toEqual(["ghcr"]);
    expect(catalog.registries.ghcr).toMatchObject({ host: "ghcr.io", required: false });
  });

  it("names a service's repository differently in one registry, never two services alike", () => {
    const old = { host: "ghcr.io", repository: "old/{service}", required: false };
    const catalog = applyOverride(base, {
      services: { constructor: { title: "New", build: { strategy: "dockerfile" } } },
      registries: { old: { ...old, names: { "tgo-api": "api" } } },
    });
    const repositoryOf = (registry: string, service: string): string | undefined => {
      const found = catalog.registries[registry];
      return found && registryRepository(found, service).repository;
    };
    expect(repositoryOf("old", "tgo-api")).toBe("old/api");
    expect(repositoryOf("old", "constructor")).toBe("old/constructor");
    expect(repositoryOf("ghcr", "tgo-api")).toBe("tgoai/tgo-deploy/tgo-api");

    const clash = failure(() =>
      applyOverride(base, {
        services: { api: { title: "API", build: { strategy: "dockerfile" } } },
        registries: { old: { ...old, names: { "tgo-api": "api" } } },
      }),
    );
    expect(clash).toMatchObject({ code: "CATALOG" });
    expect(clash.message).toContain("registry old would have tgo-api and api in one repository, old/api");
  });

  it("applies an override to the default registries of a catalog that names none", () => {
    const { registries } = applyOverride(base, { registries: { acr: { required: false }, dockerhub: null } });
    expect(Object.keys(registries)).toEqual(["ghcr", "acr"]);
    expect(registries.ghcr).toMatchObject({ host: "ghcr.io", required: true });
    expect(registries.acr).toMatchObject({ host: "registry.cn-shanghai.aliyuncs.com", required: false });
  });

  it("lists every problem at once, each with its path and the value found", () => {
    const { code, message } = failure(() =>
      applyOverride(
        base,
        {
          services: {
            "tgo-api": { build: { strategy: "make" }, image: { ports: [99999] }, colour: "red" },
            Bad_Name: { title: "x", build: { strategy: "python" } },
          },
          registries: { ghcr: { host: "https://ghcr.io" } },
          platforms: ["linux/sparc"],
        },
        "my.json",
      ),
    );
    expect(code).toBe("CATALOG");
    expect(message).toContain("my.json");
    expect(message).toContain("services.tgo-api.build.strategy");
    expect(message).toContain("services.tgo-api.image.ports.0");
    expect(message).toContain("99999");
    expect(message).toContain("services.tgo-api.colour: unknown field");
    expect(message).toContain("Bad_Name");
    expect(message).toContain("registries.ghcr.host");
    expect(message).toContain("linux/sparc");
    expect(message).toMatch(/^my.json: \d+ problems:/);
  });

  it("reads a mirror's URL as a browser would: without white space around it, tabs and line breaks", () => {
    const { mirrors } = applyOverride(base, { mirrors: { npm: " https://npm.exam\nple.com\t/x \n" } });
    expect(mirrors.npm).toBe("https://npm.example.com/x");
  });

  it("says in plain English what each value must be", () => {
    const override = {
      services: {
        "tgo-api": {
          title: "",
          build: { strategy: "python", base: "python", groups: "main" },
          image: { ports: [0, 1.5, "80"], env: { "A-B": "c" }, constructor: "x" },
          smoke: { imports: "yes", http: [{ port: 80, path: "health" }] },
        },
        extra: { title: "Extra", build: "python" },
      },
      platforms: [],
      mirrors: { npm: "npm.example.com", pypi: "https://user:secret@pypi.example.com" },
    };
    expect(
      failure(() => applyOverride(base, override, "my.json"))
        .message.split("\n")
        .slice(0, -1),
    ).toEqual([
      "my.json: 15 problems:",
      '  - services.tgo-api.title: must not be empty (got "")',
      '  - services.tgo-api.build.base: must be a full image reference with host and tag or digest, such as docker.io/library/python:3.11-slim (got "python")',
      '  - services.tgo-api.build.base: needs a tag or a digest, such as docker.io/library/python:3.11-slim (got "python")',
      '  - services.tgo-api.build.groups: must be an array (got "main")',
      "  - services.tgo-api.image.env.A-B: must be a variable name",
      "  - services.tgo-api.image.ports.0: must be at least 1 (got 0)",
      "  - services.tgo-api.image.ports.1: must be a whole number (got 1.5)",
      '  - services.tgo-api.image.ports.2: must be a number (got "80")',
      "  - services.tgo-api.image.constructor: unknown field",
      '  - services.tgo-api.smoke.http.0.path: must start with / (got "health")',
      '  - services.tgo-api.smoke.imports: must be true or false (got "yes")',
      '  - services.extra.build: must be an object (got "python")',
      "  - platforms: must not be empty (got [])",
      "  - mirrors.pypi: must not contain credentials: pass them with --netrc, --npmrc or --docker-config",
      '  - mirrors.npm: must be a URL, such as https://mirror.example.com (got "npm.example.com")',
    ]);
  });

  it("reports the missing build of an added service", () => {
    expect(failure(() => applyOverride(base, { services: { extra: { title: "Extra" } } })).message).toContain(
      "services.extra.build",
    );
  });
});

describe("parseOverrideFile", () => {
  it("names file, line and column of a syntax error", () => {
    const { code, message } = failure(() => parseOverrideFile('{\n  "services": {,}\n}', "tgo.catalog.json"));
    expect(code).toBe("CATALOG");
    expect(message).toMatch(/tgo\.catalog\.json: not valid JSON.*line 2/s);
  });

  it.each(["[]", '"text"', "3"])("refuses %s as a catalog", (text) => {
    expect(failure(() => applyOverride(base, parseOverrideFile(text, "c.json"), "c.json")).message).toContain(
      "must be a JSON object",
    );
  });
});

describe("a catalog file", () => {
  it("may have comments, and errors keep their lines", () => {
    const text = '{\n  // ours\n  "services": { /* the API */ "tgo-api": { "title": "A // B" } }\n}';
    expect(applyOverride(base, parseOverrideFile(text, "c.jsonc")).services["tgo-api"]?.title).toBe("A // B");
    expect(
      failure(() => parseOverrideFile('{\n  // ours\n  "services": {}\n "x": 1 }', "c.jsonc")).message,
    ).toMatch(/line 4/);
  });

  it.each([
    [
      '{"a": "// no \\" /* comment */", /* "b": "*/ "c": "\\\\" // "d"\n}',
      { a: '// no " /* comment */', c: "\\" },
    ],
    ["// first\r\n{/**/}// last", {}],
    ['["http://x/*y*/", 1 /* a\n * b */]', ["http://x/*y*/", 1]],
  ])("has comments where JSON with Comments has them: %s", (text, expected) => {
    expect(parseOverrideFile(text, "c.jsonc")).toEqual(expected);
  });

  it.each(["{ /* without an end }", "{} /", "{ # no }"])("is not valid with %s", (text) => {
    expect(failure(() => parseOverrideFile(text, "c.jsonc")).code).toBe("CATALOG");
  });

  it("starts from nothing if it says so: only its own services and registries are there", () => {
    const own = { title: "Bot", build: { strategy: "dockerfile" } };
    const catalog = applyOverride(base, { version: 1, extends: "none", services: { bot: own } });
    expect(Object.keys(catalog.services)).toEqual(["bot"]);
    expect(catalog.registries).toEqual({});
    expect(Object.keys(applyOverride(base, { extends: "tgo", services: { bot: own } }).services)).toEqual([
      "tgo-api",
      "bot",
    ]);
  });

  it("is refused if its format is newer, whatever else it says", () => {
    expect(failure(() => applyOverride(base, { version: 2, services: "new" }, "c.jsonc")).message).toBe(
      "c.jsonc: its format is version 2, and this version of tgo reads 1\n" +
        "  Update the pipelines to the version that the catalog was written for.",
    );
  });

  it("has the mistakes of its head listed with the others", () => {
    const { message } = failure(() =>
      applyOverride(base, { version: 0, extends: "theirs", services: { "tgo-api": { title: 1 } } }),
    );
    expect(message).toContain("3 problems:");
    for (const part of ["version", "extends: must be", "services.tgo-api.title"])
      expect(message).toContain(part);
  });
});

describe("promised machines", () => {
  it("are an x86-64-v2 machine, Raspberry Pi 4, Raspberry Pi 5 with its pages, Graviton and Apple silicon by default", () => {
    const { machines } = applyOverride(base);
    expect(machines["linux/amd64"]).toEqual([
      { name: "x86-64-v2 PCs and servers", processor: "x86-64-v2", pageSize: 4096 },
    ]);
    expect(
      machines["linux/arm64"].map(({ name, processor, pageSize }) => [name, processor, pageSize]),
    ).toEqual([
      ["Raspberry Pi 4", "cortex-a72", 4096],
      ["Raspberry Pi 5", "cortex-a76", 16384],
      ["AWS Graviton2", "neoverse-n1", 4096],
      ["Apple silicon", "apple-m1", 4096],
    ]);
  });

  it("are replaced for the platforms that an override names", () => {
    const { machines } = applyOverride(base, {
      machines: { "linux/arm64": [{ name: "Ampere Altra", processor: "neoverse-n1", pageSize: 65536 }] },
    });
    expect(machines["linux/arm64"]).toEqual([
      { name: "Ampere Altra", processor: "neoverse-n1", pageSize: 65536 },
    ]);
    expect(machines["linux/amd64"]).toHaveLength(1);
    expect(applyOverride(base, { machines: { "linux/amd64": [] } }).machines["linux/amd64"]).toEqual([]);
  });

  it("name a known processor and a page size that the platform's kernels have", () => {
    const override = {
      machines: {
        "linux/amd64": [{ name: "Pi", processor: "cortex-a72" }],
        "linux/arm64": [{ name: "", processor: "cortex-a72", pageSize: 8192 }],
        "linux/s390x": [],
      },
    };
    const { code, message } = failure(() => applyOverride(base, override));
    expect(code).toBe("CATALOG");
    for (const told of [
      /machines\.linux\/amd64\[?\.?0\]?\.processor: .*"x86-64-v2".*got "cortex-a72"/,
      /machines\.linux\/arm64\S*\.pageSize: .*16384.*got 8192/,
      /machines\.linux\/arm64\S*\.name: .*got ""/,
      /machines\.linux\/s390x: unknown field/,
    ])
      expect(message).toMatch(told);
  });

  it("are compared by what their processor has, and emulated by one without more", () => {
    const { machines } = applyOverride(base);
    const processors = machines["linux/arm64"].map((machine) => processorOf("linux/arm64", machine));
    expect(processors.map(({ level, qemu }) => `${level} ${qemu}`)).toEqual([
      "0 cortex-a72",
      "2 cortex-a76",
      "2 neoverse-n1",
      "2 neoverse-n1",
    ]);
  });
});
