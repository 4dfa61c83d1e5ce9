"""Imports every top-level module of every package installed for this interpreter, and reports which ones fail.

Run inside a variant with one argument, JSON {"skip": [module, ...], "seconds": time limit per module}; prints JSON.
Modules are imported in a child process, so that one that crashes, exits or hangs takes down only the child and can be
named. A failed module is retried on its own: packages may interfere with each other, and only a module that also fails
alone is broken.
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

# Not part of a package's interface: wheels contain them by mistake, and importing setup.py has side effects.
NOT_MODULES = {"__pycache__", "test", "tests", "doc", "docs", "example", "examples", "setup", "conftest"}
# In the standard library until some release after 3.8 (PEP 594, PEP 632), so not optional packages.
REMOVED = "asynchat asyncore cgi cgitb crypt distutils imghdr imp nntplib pipes smtpd sndhdr telnetlib".split()
STANDARD = {*getattr(sys, "stdlib_module_names", sys.builtin_module_names), *REMOVED}
EXTENSIONS = importlib.machinery.EXTENSION_SUFFIXES
SUFFIXES = sorted([*EXTENSIONS, *importlib.machinery.SOURCE_SUFFIXES], key=len, reverse=True)
RETRIES = 10
LONGEST = 300


def stem(name):
    """The module name of a file for this interpreter, or None."""
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    return None if suffix is None else name[: -len(suffix)]


def is_name(part):
    return part.isidentifier() and not keyword.iskeyword(part) and part not in NOT_MODULES


def modules_of(files):
    """The outermost modules among a package's files; in a namespace package (PEP 420), those one level down."""
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
    # A private module next to a public one, like _yaml and yaml: the public one imports it if needed.
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
    """Every installed package: its name, version, modules and unconditional requirements."""
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


def missing_optional(error, package, known):
    """The optional package that is not installed and that a module needs, or None."""
    depth = 0
    while error is not None and not isinstance(error, ModuleNotFoundError) and depth < 10:
        # Raised by the package with its own message; the loader sets the name of what it could not load.
        by_package = isinstance(error, (ImportError, RuntimeError)) and getattr(error, "name", None) is None
        if not by_package:
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
    """The child: imports modules, and reports each start and each end."""

    def report(**event):
        os.write(pipe, (json.dumps(event) + "\n").encode())

    for name in names:
        report(begins=name)
        try:
            importlib.import_module(name)
            report(module=name)
        except SystemExit as end:
            report(module=name, **({} if end.code in (None, 0) else {"error": f"ends with sys.exit({end.code!r})"}))
        except BaseException as error:
            missing = missing_optional(error, owners[name], known)
            report(module=name, **({"error": explain(error)} if missing is None else {"needs": missing}))


def run(names, owners, known, seconds):
    """Imports modules in one child after another until each has an outcome; yields (name, outcome)."""
    left = list(names)
    while left:
        reader, writer = os.pipe()
        # Modules may print anything; this program's own output must stay one JSON document.
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
                # Exit at once, without waiting for threads or exit handlers of the modules.
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
                event = json.loads(line)
                begun = event.get("begins", begun)
                if "module" in event:
                    ended.add(event["module"])
                    yield event.pop("module"), event
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
    """How the interpreter ended during an import."""
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
        "optional": [{**label(name), "needs": outcomes[name]["needs"]} for name in names if "needs" in outcomes[name]],
        "failed": [{**label(name), "error": outcomes[name]["error"]} for name in names if "error" in outcomes[name]],
    }
    print(json.dumps(report))


main()
