import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container, Secret } from "@dagger.io/dagger";
import { startBaseMirror } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Built } from "../../src/build-request.js";
import { buildVariants } from "../../src/build-variants.js";
import { prepareBuild } from "../../src/prepare-build.js";
import { buildContext, startSession, writeProject, type EngineSession } from "../support/build-context.js";
import { startPythonIndex, type PythonIndex } from "../support/python-index.js";

const ENVIRONMENT = "/app/.venv";
const CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

const MACHINES = [
  ["linux/amd64", "x86_64"],
  ["linux/arm64", "aarch64"],
] as const;

/** An extension that rejects a cross compiler. */
const STUBBORN = `import os, sys
from setuptools import Extension, setup
if "-" in os.environ["CC"]:
    sys.exit("only a native compiler works")
setup(name="stubborn-words", version="1.0", ext_modules=[Extension("stubborn_words", ["words.c"])])
`;
const EXTENSION = `#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "stubborn_words", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_stubborn_words(void) { return PyModule_Create(&module); }
`;

interface Stoppable {
  stop(): Promise<void>;
}

let folder: string;
let index: PythonIndex;
let mirror: Stoppable & { readonly host: string };
let session: EngineSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-python-"));
  [mirror, index] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startPythonIndex([
      {
        name: "shared-words",
        version: "1.0",
        tag: "py3-none-any",
        files: {
          "shared_words.py": "def main():\n    print('hello')\n",
          "shared_words-1.0.dist-info/entry_points.txt": "[console_scripts]\nsay-words = shared_words:main\n",
        },
        yanked: "too short",
      },
      ...["x86_64", "aarch64"].map((machine) => ({
        name: "own-words",
        version: "1.0",
        tag: `cp311-abi3-manylinux_2_17_${machine}`,
        files: { "own_words.py": "", "own_words_machine.py": `MACHINE = "${machine}"` },
      })),
      {
        name: "source-words",
        version: "2.0",
        files: {
          "pyproject.toml":
            '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n[project]\nname = "source-words"\nversion = "2.0"\ndescription = "x"\n',
          "source_words.py": "",
        },
      },
      { name: "stubborn-words", version: "1.0", files: { "setup.py": STUBBORN, "words.c": EXTENSION } },
      { name: "one-sided", version: "1.0", tag: "cp311-cp311-manylinux_2_17_x86_64", files: { "o.py": "" } },
      { name: "changed", version: "1.0", tag: "py3-none-any", files: { "changed.py": "" }, damaged: true },
      {
        name: "secret-words",
        version: "1.0",
        tag: "py3-none-any",
        files: { "secret_words.py": "" },
        credentials: "me:word",
      },
    ]),
  ]);
  session = await startSession({
    home: join(folder, "engine"),
    reachable: [index.url],
    ...(existsSync(CA_BUNDLE) ? { caBundle: CA_BUNDLE } : {}),
  });
});

afterAll(async () => {
  await session.stop();
  await Promise.all([mirror.stop(), index.stop()]);
  await rm(folder, { recursive: true, force: true });
});

interface Change {
  readonly build?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly pypi?: string;
  readonly netrc?: Secret;
}

/** Builds a project with a requirements file of these packages, for both platforms. */
async function build(requirements: readonly string[], change: Change = {}): Promise<Built> {
  const { client } = session;
  const source = await writeProject(folder, {
    "pyproject.toml": '[project]\nname = "bot"\nversion = "1.0"\nrequires-python = ">=3.11"\n',
    "bot.py": "",
    "requirements.txt": `--extra-index-url ${index.url}\n${requirements.join("\n")}\n`,
    ...change.files,
  });
  const service = { title: "Bot", build: { strategy: "python", ...change.build } };
  const mirrors = { images: { "docker.io": mirror.host }, ...(change.pypi && { pypi: change.pypi }) };
  const context = await buildContext(client, {
    catalog: { services: { bot: service }, registries: {}, mirrors },
    ...(change.netrc === undefined ? {} : { netrc: change.netrc }),
  });
  const { bot } = context.catalog.services;
  if (bot === undefined) throw new Error("no service");
  const request = await prepareBuild(context, "bot", bot, { source: client.host().directory(source) });
  return buildVariants(request);
}

function variant(built: Built, platform: string): Container {
  const found = built.variants.find((candidate) => candidate.platform === platform);
  if (found === undefined) throw new Error(`no ${platform}`);
  return found.container;
}

/** A project with one dependency group, as uv 0.13 locks it. */
function uvProject(): Record<string, string> {
  const [, hash = ""] = /--hash=(\S+)/.exec(index.requirement("shared-words")) ?? [];
  return {
    "pyproject.toml": `[project]
name = "bot"
version = "1.0"
requires-python = ">=3.11"
[dependency-groups]
tools = ["shared-words==1.0"]
[[tool.uv.index]]
name = "own"
url = "${index.url}"
`,
    "uv.lock": `version = 1
requires-python = ">=3.11"

[[package]]
name = "bot"
version = "1.0"
source = { virtual = "." }

[package.dev-dependencies]
tools = [
    { name = "shared-words" },
]

[package.metadata]

[package.metadata.requires-dev]
tools = [{ name = "shared-words", specifier = "==1.0" }]

[[package]]
name = "shared-words"
version = "1.0"
source = { registry = "${index.url}" }
wheels = [
    { url = "${index.url.replace("simple", "files")}/shared_words-1.0-py3-none-any.whl", hash = "${hash}" },
]
`,
  };
}

describe("a Python service", () => {
  it("gets the packages of both platforms from one native build, and a pure package from one source build", async () => {
    const names = ["shared-words", "own-words", "source-words"];
    const built = await build(names.map(index.requirement), {
      build: {
        data: [
          {
            command: ["sh", "-c", "mkdir -p /srv/words && say-words > /srv/words/list"],
            output: "/srv/words",
          },
        ],
      },
    });
    expect(built.notes.join("\n")).toMatch(/shared-words 1\.0 was withdrawn .*too short/);
    expect(built.notes.join("\n")).toMatch(/source-words 2\.0 has no wheel: built from source once/);
    for (const [platform, machine] of MACHINES) {
      const container = variant(built, platform);
      const packages = await container.directory(ENVIRONMENT).glob("lib/python3.11/site-packages/**");
      const installed = container.directory(`${ENVIRONMENT}/lib/python3.11/site-packages`);
      expect(await installed.file("own_words_machine.py").contents()).toContain(machine);
      expect(packages.filter((path) => path.includes("words") && path.endsWith(".pyc")).length).toBe(4);
      expect(packages.filter((path) => /uv_cache|direct_url/.test(path))).toEqual([]);
      expect(await container.file("/srv/words/list").contents()).toBe("hello\n");
      expect(await container.withExec(["say-words"]).stdout()).toBe("hello\n");
    }
  });

  it("has data per platform if its variables differ, and none for a package that is not locked", async () => {
    const path = "/srv/machine";
    const command = ["sh", "-c", `mkdir ${path} && echo $MACHINE > ${path}/name`];
    const platforms = { "linux/amd64": { MACHINE: "x86_64" }, "linux/arm64": { MACHINE: "aarch64" } };
    const data = [
      { command, output: path, package: "Shared.Words", platforms },
      { command: ["false"], output: "/srv/absent", package: "absent-words" },
    ];
    const built = await build([index.requirement("shared-words")], { build: { data } });
    const names = ["linux/amd64", "linux/arm64"].map((platform) =>
      variant(built, platform).file(`${path}/name`).contents(),
    );
    expect(await Promise.all(names)).toEqual(["x86_64\n", "aarch64\n"]);
    expect(await variant(built, "linux/arm64").exists("/srv/absent")).toBe(false);
  });

  it("builds under emulation what does not cross-compile, and notes it", async () => {
    const built = await build([index.requirement("stubborn-words")]);
    expect(built.notes.join("\n")).toMatch(
      /stubborn-words 1\.0 has no wheel: built from source (natively for \S+, under emulation for \S+|under emulation for \S+ .*, natively for)/,
    );
    for (const [platform, machine] of MACHINES) {
      const container = variant(built, platform);
      const code = "import stubborn_words; print(stubborn_words.__file__)";
      expect(await container.withExec(["python", "-c", code]).stdout()).toContain(`-${machine}-linux-gnu.so`);
    }
  });

  it("is built from a uv.lock, with the groups in its definition", async () => {
    const built = await build([], { files: uvProject(), build: { lock: "uv.lock", groups: ["tools"] } });
    const packages = await variant(built, "linux/arm64")
      .directory(ENVIRONMENT)
      .glob("lib/python3.11/site-packages/*.py");
    expect(packages.map((path) => path.split("/").at(-1))).toEqual(["shared_words.py"]);
  });

  it("downloads from a private index with the credentials from --netrc", async () => {
    const requirements = [index.requirement("secret-words")];
    await expect(build(requirements)).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      message: expect.stringMatching(/secret-words 1\.0.*401\n.*--netrc/) as string,
    });
    const netrc = session.client.setSecret("netrc", "machine localhost login me password word\n");
    const built = await build(requirements, { netrc });
    expect(built.variants).toHaveLength(2);
    expect(await variant(built, "linux/amd64").exists("/root/.netrc")).toBe(false);
  });
});

describe("one clear message", () => {
  const HASH = `--hash=sha256:${"0".repeat(64)}`;

  it.each([
    [
      "a package that was removed",
      () => `words-that-are-gone==1.0 ${HASH}`,
      "BUILD",
      /words-that-are-gone is not on the package index\n.*removed/,
    ],
    [
      "a version that was removed",
      (): string => `shared-words==9.0 ${HASH}`,
      "BUILD",
      /shared-words 9\.0 is not on the package index/,
    ],
    [
      "files that were replaced",
      (): string => `shared-words==1.0 ${HASH}`,
      "BUILD",
      /shared-words 1\.0: no file on the index has a hash/,
    ],
    [
      "a file with another hash",
      (): string => index.requirement("changed"),
      "BUILD",
      /changed 1\.0: the hash of \S+ on the index differs from the lock/,
    ],
    [
      "a package without a wheel for one platform",
      (): string => index.requirement("one-sided"),
      "BUILD",
      /one-sided 1\.0 for linux\/arm64 has neither a wheel that fits nor a source archive: its wheels are for x86_64\n[^]*marker[^]*--platform/,
    ],
    [
      "a requirement without a hash",
      (): string => "six==1.17.0",
      "SOURCE",
      /^requirements\.txt:2: .*without --hash/,
    ],
  ] as const)("reports %s", async (_, requirement, code, message) => {
    await expect(build([requirement()])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it("reports an unknown group, a stale uv.lock and an unsupported Python", async () => {
    const project = uvProject();
    const text = project["pyproject.toml"] ?? "";
    const uv = (files: Record<string, string>, groups: string[]): Promise<Built> =>
      build([], { files: { ...project, ...files }, build: { lock: "uv.lock", groups } });
    await expect(uv({}, ["tool"])).rejects.toThrow(/no dependency group tool\n.*main, tools/);
    const changed = text.replace("==1.0", "==2.0");
    await expect(uv({ "pyproject.toml": changed }, ["tools"])).rejects.toThrow(
      /^uv\.lock: bot: .*not match[^]*uv lock/,
    );
    const newer = text.replace(">=3.11", ">=3.99");
    await expect(uv({ "pyproject.toml": newer }, ["tools"])).rejects.toThrow(
      /requires Python >=3\.99, .*has 3\.11/,
    );
    await expect(uv({ "uv.lock": "version = " }, ["tools"])).rejects.toThrow(/^uv\.lock: .*not valid TOML/);
  });

  it("reports an unreachable mirror, and the setting that it comes from", async () => {
    const pypi = "http://localhost:9/simple";
    await expect(build([index.requirement("shared-words")], { pypi })).rejects.toMatchObject({
      message: expect.stringMatching(/localhost:9[^]*mirrors\.pypi/) as string,
    });
  });

  it("names a platform without variables for a data command", async () => {
    const data = [{ command: ["true"], output: "/srv/words", platforms: { "linux/amd64": {} } }];
    await expect(build([index.requirement("shared-words")], { build: { data } })).rejects.toMatchObject({
      code: "CATALOG",
      message: expect.stringContaining("linux/arm64") as string,
    });
  });

  it.each([
    [
      "fails",
      ["sh", "-c", "echo no corpus >&2; exit 3"],
      /data command .* of bot failed with exit code 3\n.*no corpus/,
    ],
    ["writes nothing", ["mkdir", "-p", "/srv/words"], /left \/srv\/words of bot empty/],
    ["does not create its folder", ["true"], /left \/srv\/words of bot missing/],
  ])("reports a data command that %s", async (_, command, message) => {
    const data = [{ command, output: "/srv/words" }];
    await expect(build([index.requirement("shared-words")], { build: { data } })).rejects.toThrow(message);
  });
});
