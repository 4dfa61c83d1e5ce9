"""Imports every top-level module of every package installed beside this interpreter, and tells which fail.

Run inside a variant with one argument, JSON {"skip": [module, ...], "seconds": limit of one module}; prints JSON.
The modules are imported in a child process: one that crashes the interpreter, ends it or never returns takes only
its child along, and is known by name. What fails among the others is tried once more alone: packages may disturb
each other, and only one that fails by itself is wrong.
"""

import importlib
import importlib.machinery
import importlib.metadata
import json
import keyword
import os
import re
import select
import signal
import sys
import sysconfig
import time

# By themselves these are no part of a package's interface: wheels carry them along by mistake, and setup.py acts.
NOT_MODULES = {"__pycache__", "test", "tests", "doc", "docs", "example", "examples", "setup", "conftest"}
# Of the standard library until a release after 3.8 (PEP 594, PEP 632): missing, they are no optional package.
REMOVED = "asynchat asyncore cgi cgitb crypt distutils imghdr imp nntplib pipes smtpd sndhdr telnetlib".split()
STANDARD = {*getattr(sys, "stdlib_module_names", sys.builtin_module_names), *REMOVED}
EXTENSIONS = importlib.machinery.EXTENSION_SUFFIXES
SUFFIXES = sorted([*EXTENSIONS, *importlib.machinery.SOURCE_SUFFIXES], key=len, reverse=True)
RETRIES = 10
LONGEST = 300


def stem(name):
    """The module a file is for this interpreter, or None."""
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    return None if suffix is None else name[: -len(suffix)]


def is_name(part):
    return part.isidentifier() and not keyword.iskeyword(part) and part not in NOT_MODULES


def modules_of(files):
    """The outermost modules among a package's files: below a namespace package (PEP 420) those one step in."""
    found = {}
    for *folders, name in files:
        module = stem(name)
        if module is None or not all(map(is_name, folders)):
            continue
        if module == "__init__":
            found[tuple(folders)] = False
        elif is_name(module) and not module.startswith("__") and not module.endswith("__mypyc"):
            found[(*folders, module)] = any(name.endswith(suffix) for suffix in EXTENSIONS)
    found.pop((), None)
    outermost = {
        path: compiled
        for path, compiled in found.items()
        if not any(path[:depth] in found for depth in range(1, len(path)))
    }
    # _yaml beside yaml: not meant to be imported first, and the public one imports it when it needs it.
    public = any(not path[0].startswith("_") for path in outermost)
    return {
        ".".join(path)
        for path, compiled in outermost.items()
        if compiled or not public or not path[0].startswith("_")
    }


def normal(name):
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed():
    """Every package beside this interpreter: its name, version, modules, and what it always requires."""
    paths = sysconfig.get_paths()
    packages = {}
    for found in importlib.metadata.distributions(path=sorted({paths["purelib"], paths["platlib"]})):
        name = found.metadata["Name"]
        files = [file.parts for file in found.files or []]
        if files:
            modules = modules_of(parts for parts in files if parts[0] not in ("..", "/"))
        else:
            modules = {line for line in (found.read_text("top_level.txt") or "").split() if is_name(line)}
        requires = [text for text in found.requires or [] if ";" not in text]
        packages[normal(name)] = {
            "label": f"{name} {found.version}",
            "modules": modules,
            "requires": {normal(re.split(r"[^\w.-]", text.strip(), maxsplit=1)[0]) for text in requires},
        }
    return dict(sorted(packages.items()))


def roots(packages):
    return {module.split(".")[0] for package in packages.values() for module in package["modules"]}


def lacking(error, package, known):
    """The package that is not installed, and need not be, for want of which a module cannot be imported."""
    depth = 0
    while error is not None and not isinstance(error, ModuleNotFoundError) and depth < 10:
        # Raised by hand, to say it more kindly; the loader itself gives the name of what it could not load.
        by_hand = isinstance(error, (ImportError, RuntimeError)) and getattr(error, "name", None) is None
        if not by_hand:
            return None
        error = error.__cause__ or error.__context__
        depth += 1
    name = (getattr(error, "name", None) or "").split(".")[0]
    if name == "" or name in known or name in STANDARD or normal(name) in package["requires"]:
        return None
    return name


def explain(error):
    text = " ".join(str(error).split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def work(names, owners, known, pipe):
    """The child: imports, and tells each beginning and each end."""

    def tell(**fact):
        os.write(pipe, (json.dumps(fact) + "\n").encode())

    for name in names:
        tell(begins=name)
        try:
            importlib.import_module(name)
            tell(module=name)
        except SystemExit as end:
            tell(module=name, **({} if end.code in (None, 0) else {"error": f"ends with sys.exit({end.code!r})"}))
        except BaseException as error:
            missing = lacking(error, owners[name], known)
            tell(module=name, **({"error": explain(error)} if missing is None else {"lacks": missing}))


def run(names, owners, known, seconds):
    """Imports names in one child after the other, until each has an outcome; yields (name, outcome)."""
    left = list(names)
    while left:
        reader, writer = os.pipe()
        # A module may print what it likes: this program's own output stays one JSON document.
        output = os.memfd_create("output")
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(output, 1)
                os.dup2(output, 2)
                work(left, owners, known, writer)
            finally:
                # At once: what a module left running, or registered for the end, is not waited for.
                os._exit(0)
        os.close(writer)
        begun, ended, pending, late = None, set(), b"", False
        deadline = time.monotonic() + seconds
        while True:
            if not select.select([reader], [], [], max(0, deadline - time.monotonic()))[0]:
                late = True
                break
            chunk = os.read(reader, 65536)
            if not chunk:
                break
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                fact = json.loads(line)
                begun = fact.get("begins", begun)
                if "module" in fact:
                    ended.add(fact["module"])
                    yield fact.pop("module"), fact
                deadline = time.monotonic() + seconds
        os.close(reader)
        if late:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if begun is not None and begun not in ended:
            ended.add(begun)
            yield begun, {"error": f"did not end within {seconds} s" if late else death(status, output)}
        os.close(output)
        left = [name for name in left if name not in ended]


def death(status, output):
    """How the interpreter ended in the middle of an import."""
    how = (
        f"the interpreter crashed ({signal.Signals(os.WTERMSIG(status)).name})"
        if os.WIFSIGNALED(status)
        else f"the interpreter ended with {os.WEXITSTATUS(status)}"
    )
    size = os.fstat(output).st_size
    printed = os.pread(output, 4096, max(0, size - 4096)).decode(errors="replace").strip().splitlines()
    return f"{how}: {printed[-1].strip()}" if printed else how


def main():
    options = json.loads(sys.argv[1])
    skip, seconds = set(options["skip"]), options["seconds"]
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    sys.dont_write_bytecode = True
    packages = installed()
    known = roots(packages)
    owners = {name: package for package in packages.values() for name in package["modules"]}
    names = sorted(name for name in owners if name not in skip)
    outcomes = dict(run(names, owners, known, seconds))
    for name in [name for name, outcome in outcomes.items() if "error" in outcome][:RETRIES]:
        outcomes.update(run([name], owners, known, seconds))
    label = lambda name: {"module": name, "package": owners[name]["label"]}
    report = {
        "packages": len(packages),
        "modules": len(names),
        "skipped": sorted(skip & owners.keys()),
        "lacking": [{**label(name), "lacks": outcomes[name]["lacks"]} for name in names if "lacks" in outcomes[name]],
        "failed": [{**label(name), "error": outcomes[name]["error"]} for name in names if "error" in outcomes[name]],
    }
    print(json.dumps(report))


main()
