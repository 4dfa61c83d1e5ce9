import { applyOverride } from "@tgo/catalog";
import { describe, expect, it } from "vitest";
import { buildError } from "../src/build-error.js";
import { fillTemplate, type BuildRequest } from "../src/build-request.js";
import { buildVariants } from "../src/build-variants.js";
import { buildValues } from "../src/static-web/build-values.js";
import { checkValues } from "../src/prepare-build.js";

const catalog = applyOverride({
  services: {
    web: {
      title: "Web",
      build: {
        strategy: "static-web",
        values: { VITE_URL: { default: "/api" }, VITE_VERSION: { default: "{version}" }, VITE_KEY: {} },
      },
      smoke: { http: [{ port: 80, path: "/" }] },
    },
    api: { title: "API", build: { strategy: "python" } },
  },
});
const web = catalog.services.web;
if (web?.build.strategy !== "static-web") throw new Error("no web service");
const { build } = web;
const identity = (text: string): string => text;

describe("build values", () => {
  it("are the given ones, and expanded defaults for the rest", () => {
    const given = new Map([
      ["VITE_KEY", "k"],
      ["VITE_URL", "https://x"],
    ]);
    expect(buildValues("web", build, given, (text) => text.replace("{version}", "1.2.3"))).toEqual({
      VITE_URL: "https://x",
      VITE_VERSION: "1.2.3",
      VITE_KEY: "k",
    });
  });

  it("are rejected if one is missing, naming its flag", () => {
    expect(() => buildValues("web", build, new Map(), identity)).toThrow(
      /web needs.*VITE_KEY\n.*--value VITE_KEY=/,
    );
  });

  it("are rejected if no selected service declares them", () => {
    const api = catalog.services.api;
    if (api === undefined) throw new Error("no api service");
    expect(() => {
      checkValues(["VITE_URL=x"], [{ name: "api", service: api }]);
    }).toThrow("VITE_URL");
    expect(() => {
      checkValues(["VITE_URL=x"], [{ name: "web", service: web }]);
    }).not.toThrow();
    expect(() => {
      checkValues(["VITE_URL"], [{ name: "web", service: web }]);
    }).toThrow(/is not NAME=value/);
  });
});

describe("build arguments of a Dockerfile", () => {
  const { dk } = applyOverride({
    services: { dk: { title: "D", build: { strategy: "dockerfile", args: { GREETING: "{service}" } } } },
  }).services;

  it("are build values like any other: --value overrides those that are declared", () => {
    if (dk === undefined) throw new Error("no service");
    const check = (value: string) => (): void => {
      checkValues([value], [{ name: "dk", service: dk }]);
    };
    expect(check("GREETING=bye")).not.toThrow();
    expect(check("GREETNG=bye")).toThrow(/GREETNG\n.*Declared: GREETING.*build\.args/);
  });
});

describe("templates", () => {
  it("use the revision if there is no version, and leave other braces alone", () => {
    const request = {
      name: "web",
      version: undefined,
      source: {
        revision: "c0ffee",
        created: new Date("2026-01-02T03:04:05Z"),
        modified: new Date(0),
        uncommitted: undefined,
        hash: "",
        entries: [],
        hidden: [],
        directory: undefined as never,
      },
    };
    expect(fillTemplate("{service} {version} {revision} {created} {other}", request)).toBe(
      "web c0ffee c0ffee 2026-01-02T03:04:05Z {other}",
    );
  });
});

describe("a failed build step", () => {
  it("shows the end of the command's output, whichever SDK the error comes from", () => {
    const output = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n");
    const error = Object.assign(new Error("exit code: 1"), {
      exitCode: 1,
      stdout: output,
      stderr: "fatal\n",
    });
    const wrapped = new Error("outer", { cause: error });
    const { message } = buildError("installing", "Do this.", wrapped);
    expect(message).toContain("installing failed with exit code 1");
    expect(message).toContain("| fatal");
    expect(message).toContain("| line 39");
    expect(message).not.toContain("| line 10");
    expect(message).toContain("Do this.");
  });

  it("says what is wrong with a line of a Dockerfile, and what to do about it", () => {
    const message =
      "line 3 of Dockerfile: the local engine does not support COPY --link\n  Use Dagger's engine.";
    expect(buildError("building", "Run the line by hand.", new Error(message))).toMatchObject({
      code: "BUILD",
      what: "line 3 of Dockerfile: the local engine does not support COPY --link",
      remedy: "Use Dagger's engine.",
    });
  });
});

describe("a build that does not end", () => {
  it("is given up with its limit, the setting and the last output", async () => {
    const never = new Promise<never>(() => undefined);
    const lasting = {
      name: "tiny",
      platforms: ["linux/arm64"],
      context: {
        native: "linux/amd64",
        host: { output: () => ["exec linux/arm64 sh -c ./configure", "checking for cc"] },
      },
      service: {
        build: { strategy: "dockerfile", file: "Dockerfile", args: {}, secrets: [], timeoutSeconds: 1 },
      },
      source: { directory: { file: () => ({ contents: () => never }) }, entries: ["Dockerfile"] },
      values: {},
      notes: [],
    } as unknown as BuildRequest;
    await expect(buildVariants(lasting)).rejects.toMatchObject({
      code: "BUILD",
      what: "building tiny did not end within 1 s\n  | exec linux/arm64 sh -c ./configure\n  | checking for cc",
      where: "build.timeoutSeconds",
      remedy: expect.stringMatching(/Raise build\.timeoutSeconds[^]*linux\/arm64 machine/) as string,
    });
  });
});
