import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const execute = promisify(execFile);
const PROGRAMS = fileURLToPath(new URL("../../src/python/scripts", import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-python-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Runs statements with the host's Python in `folder`, and parses their output as JSON. */
async function python(code: string): Promise<unknown> {
  const env = { ...process.env, PYTHONPATH: PROGRAMS, PYTHONDONTWRITEBYTECODE: "1" };
  const { stdout } = await execute("python3", ["-c", `import json\n${code}`], { cwd: folder, env });
  return JSON.parse(stdout);
}

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** The start of an ELF file for a machine. */
const elf = (machine: number): string =>
  `b"\\x7fELF\\x02\\x01" + bytes(12) + bytes([${machine}, 0]) + bytes(44)`;
const AMD64 = 0x3e;
const ARM64 = 0xb7;

describe("a wheel that was built from source", () => {
  const verify = (
    name: string,
    content: string,
    path: string,
    machine: string | undefined,
  ): Promise<unknown> =>
    python(`
import zipfile
from problem import Problem
from verify_wheel import verify_wheel
with zipfile.ZipFile("${name}", "w") as archive:
    archive.writestr("${path}", ${content})
try:
    print(json.dumps(verify_wheel("${name}", ${machine === undefined ? "None" : `"${machine}"`})))
except Problem as problem:
    print(json.dumps(problem.details["what"]))`);

  it("is pure without machine code", async () => {
    expect(await verify("a-1-py3-none-any.whl", '"x = 1"', "a.py", undefined)).toBe("pure");
    expect(await verify("a-1-py3-none-any.whl", '"x = 1"', "a.py", "aarch64")).toBe("pure");
  });

  it("is compiled with code for its machine", async () => {
    const path = "a/b.cpython-311-aarch64-linux-gnu.so";
    expect(await verify("a-1-cp311-cp311-linux_aarch64.whl", elf(ARM64), path, "aarch64")).toBe("compiled");
  });

  it.each([
    ["code for the other machine", "linux_aarch64", elf(AMD64), "b.so", "is for x86_64"],
    ["a tag for the other machine", "linux_x86_64", elf(ARM64), "b.so", "is not tagged for aarch64"],
    [
      "a file name that its Python would ignore",
      "linux_aarch64",
      elf(ARM64),
      "b.cpython-311-x86_64-linux-gnu.so",
      "not for aarch64",
    ],
  ])("is rejected with %s", async (_, tag, content, path, problem) => {
    expect(await verify(`a-1-cp311-cp311-${tag}.whl`, content, path, "aarch64")).toContain(problem);
  });

  it("is rejected as pure if it contains code", async () => {
    expect(await verify("a-1-py3-none-any.whl", elf(AMD64), "a/tool", undefined)).toContain("pure Python");
  });
});

describe("a source archive", () => {
  const languages = async (contents: Readonly<Record<string, string>>): Promise<unknown> => {
    await files(Object.fromEntries(Object.entries(contents).map(([path, text]) => [`a-1/${path}`, text])));
    await execute("tar", ["-czf", "a-1.tar.gz", "a-1"], { cwd: folder });
    return python(`from sdist import languages\nprint(json.dumps(languages("a-1.tar.gz")))`);
  };

  it("is pure Python without code to compile, ignoring tests and examples", async () => {
    expect(await languages({ "setup.py": "setup(name='a')", "a.py": "", "tests/data/x.c": "" })).toEqual([]);
  });

  it.each([
    [{ "src/fast.c": "" }, ["c"]],
    [{ "a/fast.pyx": "", "a/more.cpp": "" }, ["c", "c++"]],
    [{ "rust/Cargo.toml": "", "rust/lib.rs": "" }, ["rust"]],
    [{ "setup.py": "setup(cffi_modules=['b.py:ffi'])" }, ["c"]],
  ])("with %o has to be compiled", async (contents, expected) => {
    expect(await languages(contents)).toEqual(expected);
  });

  it("is unpacked to a fixed path, whatever its top directory is called", async () => {
    await files({ "Odd_Name-1.0/a.py": "x" });
    await execute("tar", ["-czf", "a.tar.gz", "Odd_Name-1.0"], { cwd: folder });
    await python(`from sdist import unpack\nunpack("a.tar.gz", "build/a-1.0")\nprint("null")`);
    expect(await readdir(join(folder, "build/a-1.0"))).toEqual(["a.py"]);
  });
});

describe("exported requirements", () => {
  it("are separated from index options, and PyPI itself is not listed as an index", async () => {
    const text =
      "--index-url https://pypi.org/simple\n--extra-index-url https://private.example.com/simple/\n\nsix==1.0 \\\n    --hash=sha256:aa\n";
    expect(
      await python(
        `from project import split_options\nprint(json.dumps(split_options(${JSON.stringify(text)})))`,
      ),
    ).toEqual([
      "\nsix==1.0 \\\n    --hash=sha256:aa\n",
      { default: null, extra: ["https://private.example.com/simple/"] },
    ]);
  });

  it("give the hashes of each version under the normalized package name", async () => {
    const hash = "b".repeat(64);
    const text = `Ruamel.Yaml_x[extra]==1.0 ; python_version < "3.12" \\\n    --hash=sha256:${hash}\n`;
    const code = `from package_index import locked_hashes
print(json.dumps([[*key, *hashes] for key, hashes in locked_hashes(${JSON.stringify(text)}).items()]))`;
    expect(await python(code)).toEqual([["ruamel-yaml-x", "1.0", hash]]);
  });
});

describe("environments of two platforms", () => {
  const SHARE = `
import sys, types
sys.modules["download"] = types.SimpleNamespace(download=None, expect=None)  # needs packages that the host may lack
from install_environment import share
from layer import compile_bytecode, set_times
share(["amd64", "arm64"], "common")
compile_bytecode("common", "/app/.venv")
set_times("common", 315532800)
print("null")`;

  it("keep what differs, and share the rest with its bytecode and one time", async () => {
    await files({
      "amd64/lib/a.py": "x = 1",
      "arm64/lib/a.py": "x = 1",
      "amd64/lib/b.so": "one",
      "arm64/lib/b.so": "other",
      "arm64/lib/only/c.py": "y = 2",
      "common/pyvenv.cfg": "home = /usr/local/bin",
    });
    await python(SHARE);
    const list = async (root: string): Promise<string[]> =>
      (await readdir(join(folder, root), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name.replace(/cpython-\d+/, "cpython"))
        .sort();
    expect(await list("common")).toEqual(["a.cpython.pyc", "a.py", "pyvenv.cfg"]);
    expect(await list("amd64")).toEqual(["b.so"]);
    expect(await list("arm64")).toEqual(["b.so", "c.py"]);
    expect((await stat(join(folder, "common/lib/a.py"))).mtimeMs).toBe(315_532_800_000);
    const [bytecode = ""] = await readdir(join(folder, "common/lib/__pycache__"));
    const compiled = await readFile(join(folder, "common/lib/__pycache__", bytecode));
    // PEP 552: 1 marks a hash-based bytecode file that is not checked.
    expect(compiled.readUInt32LE(4)).toBe(1);
    expect(compiled.includes("/app/.venv/lib/a.py")).toBe(true);
  });

  it("get reproducible bytecode", async () => {
    const tree = { "amd64/lib/a.py": "def f(): return 1", "arm64/lib/a.py": "def f(): return 1" };
    await files({ ...tree, "common/x": "" });
    await python(SHARE);
    const first = await readFile(
      join(folder, "common/lib/__pycache__", await only("common/lib/__pycache__")),
    );
    await rm(join(folder, "common"), { recursive: true });
    await files({ ...tree, "common/x": "" });
    await python(SHARE);
    const second = await readFile(
      join(folder, "common/lib/__pycache__", await only("common/lib/__pycache__")),
    );
    expect(second.equals(first)).toBe(true);
  });

  const only = async (path: string): Promise<string> => (await readdir(join(folder, path)))[0] ?? "";
});

describe("a package without a file for a platform", () => {
  const MACHINES = { "linux-amd64": "x86_64", "linux-arm64": "aarch64" };
  /** @param index file names; those of `locked` have their hash in the lock */
  const choose = (
    index: readonly string[],
    locked: readonly string[],
    unhashed: readonly string[] = [],
  ): Promise<unknown> =>
    python(`
from choose_wheels import choose_all, require_available
from problem import Problem
hashes = {name: f"{number:064x}" for number, name in enumerate(json.loads(${JSON.stringify(JSON.stringify(index))}))}
entry = lambda name: {"url": "https://index/" + name, "hashes": {"sha256": hashes[name]}}
package = {"name": "native", "version": "1.0.0", "wheels": [entry(name) for name in hashes if name.endswith(".whl")]}
package |= {"sdist": entry(name) for name in hashes if not name.endswith(".whl")}
allowed = {("native", "1.0.0"): {hashes[name] for name in json.loads(${JSON.stringify(JSON.stringify(locked))})}}
lock = {"file": "uv.lock", "locker": "uv lock --upgrade-package NAME", "unhashed": json.loads(${JSON.stringify(JSON.stringify(unhashed))})}
import sys
python = "cp%d%d" % sys.version_info[:2]
for held in (package["wheels"], [package["sdist"]] if "sdist" in package else []):
    for each in held: each["url"] = each["url"].replace("PY", python)
lock["unhashed"] = [name.replace("PY", python) for name in lock["unhashed"]]
try:
    require_available(choose_all([package], allowed, json.loads(${JSON.stringify(JSON.stringify(MACHINES))}), 28, lock)[2], lock)
    print("null")
except Problem as problem:
    print(json.dumps(problem.details))`);
  const X86 = "native-1.0.0-PY-PY-manylinux_2_17_x86_64.whl";
  const ARM = "native-1.0.0-PY-PY-manylinux_2_17_aarch64.whl";

  it.each<[string, readonly string[], readonly string[], readonly string[], RegExp, RegExp]>([
    [
      "that was locked on one machine",
      [X86, ARM],
      [X86],
      [],
      /^native 1\.0\.0 for linux\/arm64: uv\.lock does not list native-1\.0\.0-cp\S+_aarch64\.whl, which the index has: it was locked for one machine/,
      /Lock it again \(uv lock --upgrade-package native\) and commit uv\.lock/,
    ],
    [
      "whose lock has no hash of it",
      [X86, ARM],
      [X86],
      [ARM],
      /^native 1\.0\.0 for linux\/arm64: uv\.lock lists native-1\.0\.0-cp\S+_aarch64\.whl without a hash$/,
      /Lock it again/,
    ],
    [
      "for a newer glibc",
      [X86, "native-1.0.0-PY-PY-manylinux_2_34_aarch64.whl"],
      [X86, "native-1.0.0-PY-PY-manylinux_2_34_aarch64.whl"],
      [],
      /linux\/arm64 .*its wheels need glibc 2\.34 or newer, and wheels for up to glibc 2\.28/,
      /Lock a version that has one/,
    ],
    [
      "for other machines only",
      [X86, "native-1.0.0-PY-PY-macosx_11_0_arm64.whl", "native-1.0.0-PY-PY-win_amd64.whl"],
      [X86, "native-1.0.0-PY-PY-macosx_11_0_arm64.whl", "native-1.0.0-PY-PY-win_amd64.whl"],
      [],
      /linux\/arm64 .*its wheels are for arm64, win_amd64, x86_64$/,
      /Lock a version that has one/,
    ],
    [
      "for another Python",
      [X86, "native-1.0.0-cp27-cp27mu-manylinux_2_17_aarch64.whl"],
      [X86, "native-1.0.0-cp27-cp27mu-manylinux_2_17_aarch64.whl"],
      [],
      /linux\/arm64 .*its wheels are for cp27, and the base image has Python 3/,
      /Lock a version/,
    ],
    [
      "for musl",
      [X86, "native-1.0.0-PY-PY-musllinux_1_2_aarch64.whl"],
      [X86, "native-1.0.0-PY-PY-musllinux_1_2_aarch64.whl"],
      [],
      /linux\/arm64 .*its wheels are for musllinux_1_2_aarch64, none of them for glibc/,
      /Lock a version/,
    ],
    [
      "whose source archive is not in the lock",
      [X86, "native-1.0.0.tar.gz"],
      [X86],
      [],
      /linux\/arm64: uv\.lock does not list native-1\.0\.0\.tar\.gz/,
      /Lock it again/,
    ],
  ])("%s is told with the cause", async (_, index, locked, unhashed, what, remedy) => {
    expect(await choose(index, locked, unhashed)).toMatchObject({
      code: "BUILD",
      what: expect.stringMatching(what) as string,
      where: "uv.lock",
      remedy: expect.stringMatching(remedy) as string,
    });
  });

  it("but with plain linux tags, or for any machine, is none", async () => {
    const plain = ["native-1.0.0-PY-PY-linux_x86_64.whl", "native-1.0.0-PY-PY-linux_aarch64.whl"];
    expect(await choose(plain, plain)).toBeNull();
    expect(await choose(["native-1.0.0-py3-none-any.whl"], ["native-1.0.0-py3-none-any.whl"])).toBeNull();
  });

  it.each([
    [
      "no file at all",
      "",
      /^armonly 2\.0\.0, needed on linux\/arm64: uv\.lock lists neither a wheel nor a source archive/,
    ],
    [
      "no hash of its file",
      'wheels = [{ url = "https://index/files/armonly-2.0.0-py3-none-any.whl" }]',
      /^armonly 2\.0\.0, needed on linux\/arm64: uv\.lock lists armonly-2\.0\.0-py3-none-any\.whl without a sha256 hash/,
    ],
  ])("with %s is told from the lock alone", async (_, wheels, what) => {
    await files({ "uv.lock": `[[package]]\nname = "armonly"\nversion = "2.0.0"\n${wheels}\n` });
    const check = (marker: string): Promise<unknown> =>
      python(`
from problem import Problem
from read_lock import files_in, require_hashes
lines = "plain==1.0 --hash=sha256:00\\narmonly==2.0.0 ; ${marker}\\n"
try:
    require_hashes(lines, json.loads('${JSON.stringify(MACHINES)}'), files_in("uv.lock"), "uv.lock")
    print("null")
except Problem as problem:
    print(json.dumps(problem.details))`);
    expect(await check("platform_machine == 'aarch64'")).toMatchObject({
      code: "SOURCE",
      what: expect.stringMatching(what) as string,
      remedy: expect.stringContaining("uv lock --upgrade-package armonly") as string,
    });
    expect(await check("sys_platform == 'win32'")).toBeNull();
  });
});

describe("a download that breaks off inside the body", () => {
  /** @param breaks how many responses break off */
  const download = (breaks: number): Promise<unknown> =>
    python(`
import hashlib, sys, types
class RequestException(Exception): pass
class HTTPError(RequestException): pass
calls = []
class Response:
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def raise_for_status(self): pass
    def iter_content(self, size):
        yield b"first "
        if len(calls) <= ${breaks}: raise RequestException("IncompleteRead")
        yield b"second"
class Session:
    def mount(self, *_): pass
    def get(self, url, **_):
        calls.append(url)
        return Response()
for name in ("requests", "requests.adapters", "urllib3", "urllib3.util", "urllib3.util.retry"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["requests"].__dict__.update(Session=Session, RequestException=RequestException, HTTPError=HTTPError)
sys.modules["requests.adapters"].HTTPAdapter = lambda **_: None
sys.modules["urllib3.util.retry"].Retry = lambda **_: None
import download as program
from problem import Problem
program.PAUSES = (0, 0, None)
file = {"name": "a", "version": "1", "file": "a.whl", "url": "https://index/a.whl"}
try:
    [path] = program.download([{**file, "sha256": hashlib.sha256(b"first second").hexdigest()}], "cache${breaks}")
    print(json.dumps([len(calls), open(path).read()]))
except Problem as problem:
    print(json.dumps([len(calls), problem.details["code"]]))`);

  it("is tried again from its beginning, and given up after some attempts", async () => {
    expect(await download(2)).toEqual([3, "first second"]);
    expect(await download(9)).toEqual([3, "UNAVAILABLE"]);
  });
});
