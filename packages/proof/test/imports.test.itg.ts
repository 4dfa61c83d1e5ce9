import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { importLines, type ImportOptions, type ImportReport } from "../src/imports.js";
import program from "../src/imports.py";
import type { SharedPrograms } from "../src/shared-interpreter.js";
import sharing from "../src/shared_interpreter.py";

const execute = promisify(execFile);
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** An installed package: its files, and a RECORD that lists them. */
interface Package {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly requires?: readonly string[];
}

const single = (name: string, text: string, requires: readonly string[] = []): Package => ({
  name,
  files: { [`${name}/__init__.py`]: text },
  requires,
});

/** Runs the program with the host's Python, in a virtual environment with these packages. */
async function imports(
  packages: readonly Package[],
  options: { skip?: readonly string[]; seconds?: number } & ImportOptions = {},
  scripts: Readonly<Record<string, string>> = {},
): Promise<ImportReport> {
  const root = await mkdtemp(join(tmpdir(), "tgo-imports-"));
  folders.push(root);
  const script = "import sys; print(sys._base_executable, '%d.%d' % sys.version_info[:2])";
  const [python = "", version = ""] = (await execute("python3", ["-c", script])).stdout.trim().split(" ");
  const site = join(root, `lib/python${version}/site-packages`);
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(site, path)), { recursive: true });
    await writeFile(join(site, path), text);
  };
  await mkdir(join(root, "bin"));
  await symlink(await realpath(python), join(root, "bin/python"));
  await writeFile(join(root, "pyvenv.cfg"), `home = ${dirname(await realpath(python))}\n`);
  for (const { name, files, requires = [] } of packages) {
    const info = `${name}-1.0.dist-info`;
    for (const [path, text] of Object.entries(files)) await put(path, text);
    const metadata = [
      "Metadata-Version: 2.1",
      `Name: ${name}`,
      "Version: 1.0",
      ...requires.map((each) => `Requires-Dist: ${each}`),
    ];
    await put(`${info}/METADATA`, `${metadata.join("\n")}\n`);
    await put(
      `${info}/RECORD`,
      [...Object.keys(files), "../../../bin/tool"].map((path) => `${path},,\n`).join(""),
    );
  }
  const file = join(root, "imports.py");
  await writeFile(file, program);
  await writeFile(join(root, "shared_interpreter.py"), sharing);
  for (const [name, text] of Object.entries(scripts))
    await writeFile(join(root, "bin", name), `#!${root}/bin/python\n${text}\n`, { mode: 0o755 });
  const input = JSON.stringify({ skip: [], seconds: 30, ...options });
  const env = { ...process.env, PATH: `${root}/bin:${process.env.PATH ?? ""}`, TGO_TEST: "as given" };
  const { stdout } = await execute(join(root, "bin/python"), [file, input], { env });
  return JSON.parse(stdout) as ImportReport;
}

const RUN = { where: "api linux/arm64", how: "emulated", native: "linux/amd64" };

const failures = (report: ImportReport): string[] =>
  report.failed.map((each) => `${each.module}: ${each.error}`);

describe("importing every package", () => {
  it("finds packages, single-file modules and parts of namespaces, but skips tests, data and private twins", async () => {
    const report = await imports([
      single("plain", ""),
      { name: "one-file", files: { "one_file.py": "" } },
      { name: "spaced", files: { "spacy/deep/__init__.py": "", "spacy/deep/inner.py": "raise OSError" } },
      {
        name: "messy",
        files: {
          "messy/__init__.py": "",
          "tests/__init__.py": "raise OSError",
          "setup.py": "raise OSError",
          "messy.libs/lib.py": "raise OSError",
          "messy-data/x.py": "raise OSError",
          "_messy/__init__.py": "raise OSError",
        },
      },
      { name: "only-private", files: { "_only/__init__.py": "" } },
    ]);
    expect(report).toMatchObject({ packages: 5, modules: 5, skipped: [], optional: [], failed: [] });
  });

  it("lists a module that needs an optional package, and fails one without a required package", async () => {
    const report = await imports([
      single("optional", "import nowhere.deep"),
      single(
        "kindly",
        "try:\n  import nowhere\nexcept ImportError:\n  raise ImportError('pip install nowhere')",
      ),
      single("required", "import nowhere", ["Nowhere>=1", "other; extra == 'all'"]),
      single("incomplete", "import plain.missing"),
      single("plain", ""),
    ]);
    expect(report.optional.map(({ module, needs }) => [module, needs])).toEqual([
      ["kindly", "nowhere"],
      ["optional", "nowhere"],
    ]);
    expect(failures(report)).toEqual([
      "incomplete: ModuleNotFoundError: No module named 'plain.missing'",
      "required: ModuleNotFoundError: No module named 'nowhere'",
    ]);
  });

  it("fails a module that cannot be loaded, even if the package raises its own error", async () => {
    const load = "import ctypes\nctypes.CDLL('libnowhere.so.5')";
    const report = await imports([
      single("loads", load),
      single("words", `try:\n  import nowhere\nexcept ImportError:\n  ${load.replace("\n", "\n  ")}`),
      single("syntax", "def"),
      single("exits", "import sys\nsys.exit(3)"),
    ]);
    const missing = "OSError: libnowhere.so.5: cannot open shared object file: No such file or directory";
    expect(failures(report)).toEqual([
      "exits: ends with sys.exit(3)",
      `loads: ${missing}`,
      expect.stringMatching(/^syntax: SyntaxError: invalid syntax \(__init__\.py, line 1\)$/),
      `words: ${missing}`,
    ]);
    expect(() => importLines(report, RUN)).toThrow(
      /4 of 4 modules[^]*loads \(loads 1\.0\): OSError[^]*Debian package that contains libnowhere\.so\.5 to build\.packages/,
    );
  });

  it("survives modules that print, exit, crash or hang, and imports the others", async () => {
    const report = await imports(
      [
        single("a_prints", "import sys, os\nprint('{}' * 50000)\nos.write(1, b'x')\nsys.stdin.read()"),
        single("b_crashes", "import os\nprint('out of luck', flush=True)\nos.kill(os.getpid(), 11)"),
        single("c_ends", "import os\nos._exit(4)"),
        single("d_hangs", "import time\ntime.sleep(60)"),
        single("e_leaves", "import sys\nsys.exit()"),
        single("f_threads", "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()"),
        single("g_fine", ""),
      ],
      { seconds: 1 },
    );
    expect(report.modules).toBe(7);
    expect(failures(report)).toEqual([
      "b_crashes: the interpreter crashed (SIGSEGV): out of luck",
      "c_ends: the interpreter ended with 4",
      "d_hangs: did not end within 1 s",
    ]);
  });

  it("does not fail a module because another one interfered", async () => {
    const report = await imports([
      single("disturbs", "import sys\nsys.disturbed = True"),
      single("victim", "import sys\nassert not hasattr(sys, 'disturbed')"),
    ]);
    expect(report.failed).toEqual([]);
  });

  it("skips the modules in the definition, and says so", async () => {
    const report = await imports([single("broken", "1 / 0"), single("fine", "")], {
      skip: ["broken", "other"],
    });
    expect(importLines(report, RUN)).toEqual([
      "imports: 1 module of 2 packages ok, skipped: broken [emulated]",
    ]);
  });
});

describe("what imports depend on besides the packages' files", () => {
  it("is watched: packages that look at the machine, start a program or load a library, and who makes them do it", async () => {
    const { looks } = await imports(
      [
        single("asks", "import platform\nif platform.machine() == 'x': raise OSError"),
        single("names", "FILES = {'aarch64': 'a.bin'}"),
        single("loads", "import ctypes\nctypes.CDLL(None)"),
        single("starts", "import subprocess\nsubprocess.run(['true'])"),
        single("reads", "open('/proc/self/status').read()"),
        single("tool", "import subprocess\ndef run(*command):\n  subprocess.run(command)"),
        single("uses", "import tool\ntool.run('true')"),
        {
          name: "lazy",
          files: {
            "lazy/__init__.py": "import lazy.plain",
            "lazy/plain.py": "",
            "lazy/arch.py": "import ctypes",
          },
        },
        single("portable", "import sys, subprocess\nassert sys.platform == 'linux'"),
      ],
      { watch: true },
    );
    expect(looks).toEqual(["asks", "loads", "names", "reads", "starts", "tool", "uses"]);
  });

  it("is what they loaded of the standard library", async () => {
    const { standard } = await imports([single("uses", "import sqlite3, colorsys")], { watch: true });
    expect(standard?.files).toEqual(expect.arrayContaining(["colorsys.py", "sqlite3/__init__.py"]));
    expect(standard?.modules.concat(standard.files).join()).not.toContain("uses");
  });

  it("is not watched unless asked", async () => {
    expect(await imports([single("asks", "import ctypes")])).not.toHaveProperty("looks");
  });
});

describe("importing what differs", () => {
  const packages = [
    single("same", "1 / 0"),
    single("wrong", "from wrong._fast import x"),
    single("other", ""),
    { name: "half", files: { "space/half/__init__.py": "1 / 0" } },
  ];

  it("leaves out packages with equal files, and finds a fault in the others", async () => {
    const report = await imports(packages, { equal: ["same", "half"], standard: { modules: [], files: [] } });
    expect(failures(report)).toEqual(["wrong: ModuleNotFoundError: No module named 'wrong._fast'"]);
    expect(report).toMatchObject({ packages: 2, modules: 2, equal: { packages: 2, modules: 2 } });
    expect(importLines({ ...report, failed: [] }, RUN)).toEqual([
      "imports: 2 modules of 2 packages ok [emulated]",
      "imports: 2 modules of 2 packages with the same files as on linux/amd64, imported there [equal bytes]",
    ]);
  });

  it("fails for what these loaded of the standard library and cannot load here", async () => {
    const standard = { modules: ["_no_such_module", "math"], files: ["colorsys.py", "no/such.py"] };
    const report = await imports([single("same", "")], { equal: ["same"], standard });
    expect(report.failed.map((each) => `${each.module} (${each.package}): ${each.error}`)).toEqual([
      "no/such.py (Python's standard library): is missing, and imported packages need it",
      "_no_such_module (Python's standard library): ModuleNotFoundError: No module named '_no_such_module'",
    ]);
  });
});

describe("sharing the interpreter that has imported the packages", () => {
  const PORT = 20_000 + (process.pid % 10_000);
  const SERVER = `
import http.server, os, sys
import counted
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(200 if self.path == "/up" else 404)
    self.end_headers()
# What an import changed is as it was, what it loaded is there.
assert (os.environ["TGO_TEST"], counted.times) == ("as given", 1), "environment"
assert sys.argv[1:] == ["--port", "${PORT}"] and __name__ == "__main__" and "shared_interpreter" not in sys.modules
http.server.HTTPServer(("0.0.0.0", ${PORT}), Handler).serve_forever()`;
  const packages = [
    single("counted", "import os\ntimes = 1\nos.environ['TGO_TEST'] = 'changed'"),
    {
      name: "run",
      files: { "run_it.py": "import sys\nif __name__ == '__main__': sys.exit(sys.argv[1:] != ['x'])" },
    },
  ];
  const share: SharedPrograms = {
    commands: [["python", "-m", "run_it", "x"], ["fails"], ["sh", "-c", "true"]],
    servers: [["serves", "--port", String(PORT)]],
    requests: [{ port: PORT, path: "/up", status: 200 }],
    seconds: 3,
  };

  it("runs commands and servers in forks, as their own interpreter would", async () => {
    const scripts = { serves: SERVER, fails: "import sys\nsys.exit('no')" };
    const { shared, failed } = await imports(packages, { share }, scripts);
    expect({ shared, failed }).toEqual({
      // Another program than the environment's own interpreter is not run.
      shared: { commands: [true, false, false], servers: true },
      failed: [],
    });
  });

  it.each<[string, string]>([
    ["crashes at its start", "import os, signal\nos.kill(os.getpid(), signal.SIGILL)"],
    ["cannot be imported", "import nowhere"],
    ["listens on another port", SERVER.replace(`0", ${PORT}`, `0", ${PORT + 1}`)],
    ["responds with another status", SERVER.replace("200 if", "500 if")],
    ["ends", "print('done')"],
  ])("passes no server that %s", async (_, serves) => {
    const { shared } = await imports(packages, { share: { ...share, commands: [], seconds: 1 } }, { serves });
    expect(shared).toEqual({ commands: [], servers: false });
  });

  it("runs nothing beside threads of a package, or after an import that failed", async () => {
    const threads = single(
      "threads",
      "import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=True).start()",
    );
    const scripts = { serves: SERVER };
    expect((await imports([...packages, threads], { share }, scripts)).shared?.servers).toBe(false);
    expect(await imports([...packages, single("broken", "1 / 0")], { share }, scripts)).not.toHaveProperty(
      "shared",
    );
  });
});
