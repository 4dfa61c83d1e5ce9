import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  makeFolder,
  reportOf,
  ROOT,
  tagsIn,
  type Harness,
} from "./harness.js";

/** Edits of a fixture's files; undefined removes the file. */
type Edits = Readonly<Record<string, (text: string) => string | undefined>>;

interface Input {
  readonly fixture: "tiny" | "seventh/weather-bot" | "seventh/leaflet";
  readonly edits?: Edits;
  /** Fields of `build` besides the strategy. */
  readonly build?: object;
  readonly args?: readonly string[];
}

const STRATEGIES = { tiny: "python", "seventh/weather-bot": "python", "seventh/leaflet": "static-web" };

/** python-magic loads its system library on import. */
const MAGIC =
  "python-magic==0.4.27 --hash=sha256:c212960ad306f700aa0d01e5d7a325d20548ff97eb9920dcd29513174f0294d3\n";

const INPUTS: [string, Input | ((harness: Harness) => Promise<Input>), message: RegExp, remedy: RegExp][] = [
  [
    "a poetry.lock that is older than pyproject.toml",
    { fixture: "tiny", edits: { "pyproject.toml": (text) => text.replace("1.17.0", "1.16.0") } },
    /poetry\.lock|lock/,
    /poetry lock/,
  ],
  [
    "a poetry.lock that is missing",
    { fixture: "tiny", edits: { "poetry.lock": () => undefined } },
    /poetry\.lock/,
    /poetry lock/,
  ],
  [
    "a uv.lock that is older than pyproject.toml",
    {
      fixture: "seventh/weather-bot",
      edits: { "pyproject.toml": (text) => text.replace("markupsafe==3.0.2", "markupsafe==3.0.1") },
    },
    /uv\.lock|lock/,
    /uv lock/,
  ],
  [
    "a package that does not match its locked hash",
    {
      fixture: "tiny",
      edits: { "poetry.lock": (text) => text.replaceAll(/sha256:[0-9a-f]{8}/g, "sha256:00000000") },
    },
    /six[^]*hash|hash[^]*six/i,
    /lock/,
  ],
  [
    "a package without a wheel for one platform",
    {
      fixture: "seventh/weather-bot",
      edits: {
        "uv.lock": (text) =>
          text
            .split("\n")
            .filter((line) => !/aarch64|markupsafe-3\.0\.2\.tar\.gz/.test(line))
            .join("\n"),
      },
    },
    /markupsafe 3\.0\.2 for linux\/arm64: uv\.lock does not list \S+aarch64\.whl[^]*locked for one machine/i,
    /Lock it again \(uv lock/,
  ],
  [
    "an unreachable PyPI mirror",
    { fixture: "tiny", args: ["--mirror", "pypi=http://localhost:9/simple"] },
    /localhost:9/,
    /mirror/,
  ],
  [
    "an unknown Debian package",
    { fixture: "tiny", build: { packages: ["libnowhere9"] } },
    /libnowhere9/,
    /build\.packages|name|search/i,
  ],
  [
    "a Python package without the system library it loads",
    {
      fixture: "tiny",
      edits: {
        "requirements.txt": () => MAGIC,
        "poetry.lock": () => undefined,
        "server.py": (text) => text.replace("import six\n", "").replace('six.ensure_binary("ok")', 'b"ok"'),
      },
    },
    /magic \(python-magic 0\.4\.27\): ImportError: failed to find libmagic/,
    /build\.packages/,
  ],
  [
    "a package-lock.json that is older than package.json",
    { fixture: "seventh/leaflet", edits: { "package.json": (text) => text.replace("1.0.3", "1.0.2") } },
    /package-lock\.json/,
    /npm install/,
  ],
  [
    "a Node version the project does not support",
    {
      fixture: "seventh/leaflet",
      edits: {
        "package.json": (text) => text.replace('"private"', '"engines": { "node": ">=99" },\n  "private"'),
      },
    },
    />=99/,
    /build\.builder/,
  ],
  [
    "a missing build value",
    { fixture: "seventh/leaflet", build: { values: { VITE_KEY: {} } } },
    /VITE_KEY/,
    /--value VITE_KEY=/,
  ],
  [
    "a base image without one of the platforms",
    async ({ mirror, registries: { open } }) => {
      const from = `docker://${mirror}/library/nginx:alpine`;
      const to = `docker://${open.host}/library/nginx:amd64`;
      const copy = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--override-arch", "amd64"];
      expect(await execute("skopeo", [...copy, from, to])).toMatchObject({ code: 0 });
      return { fixture: "seventh/leaflet", build: { base: `${open.host}/library/nginx:amd64` } };
    },
    /library\/nginx:amd64[^]*linux\/arm64/,
    /platform/,
  ],
];

describe.each(ENGINES)("bad input on the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await createHarness(engine);
    });
    afterAll(() => harness.close());

    async function sourceOf({ fixture, edits = {} }: Input, name: string): Promise<string> {
      const folder = await makeFolder(harness, name, {});
      await cp(join(ROOT, "e2e/fixtures", fixture), folder, { recursive: true });
      for (const [path, edit] of Object.entries(edits)) {
        const file = join(folder, path);
        const before = await readFile(file, "utf8").catch(() => "");
        const after = edit(before);
        if (after === before) throw new Error(`editing ${path} changes nothing`);
        if (after === undefined) await rm(file);
        else await writeFile(file, after);
      }
      return folder;
    }

    it.each(INPUTS)("is rejected with one message: %s", async (title, given, message, remedy) => {
      const input = typeof given === "function" ? await given(harness) : given;
      const name = `input-${INPUTS.findIndex(([each]) => each === title)}`;
      const source = await sourceOf(input, name);
      const build = { strategy: STRATEGIES[input.fixture], ...input.build };
      const catalog = await harness.catalog(`${name}.json`, { services: { [name]: { title, build } } });
      const args = ["--service", name, "--catalog", catalog, "--source", source, ...(input.args ?? [])];
      const outcome = await harness.run(["publish", ...args, "--format", "json"]);
      const { services } = reportOf(outcome);
      const problems = services[0]?.problems ?? [];
      expect(problems, JSON.stringify(problems)).toHaveLength(1);
      expect(JSON.stringify(problems[0])).toMatch(message);
      expect(problems[0]?.remedy).toMatch(remedy);
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).not.toMatch(/ finalise |\n\s+at .*\(.*:\d+:\d+\)/);
      // An upload that began beside the smoke run leaves a staging tag, and nothing says that it failed.
      expect(outcome.stderr).not.toMatch(/ upload … failed|GraphQL/);
      const tags = await tagsIn(harness.registries.open, `tgoai/${name}`);
      expect(tags.filter((tag) => !tag.startsWith("staging-"))).toEqual([]);
    });
  });
});
