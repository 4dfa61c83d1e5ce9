"""Imports every top-level module of every package installed for this interpreter, and reports which ones fail.

Run inside a variant with one argument, JSON {"skip": [module, ...], "seconds": time limit per module}; prints JSON.
With "watch", it also reports what the imports depend on besides the packages' own files: those that look at the machine,
and what they load of the standard library. With "equal", it leaves out packages whose files are the same on a platform
where they were imported, and looks for what their imports loaded there of the standard library ("standard").
With "share", the interpreter that has imported them runs commands and servers in forks: see shared_interpreter.py.
Modules are imported in a child process, so that one that crashes, exits or hangs takes down only the child and can be
named. A failed module is retried on its own: packages may interfere with each other, and only a module that also fails
alone is broken.
"""

import functools
import importlib
import importlib.machinery
import importlib.metadata
import json
import keyword
import os
import platform
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
STANDARD_LIBRARY = "Python's standard library"
# Whoever asks what machine this is, or loads a library by its name, may get another answer on another machine.
# sys.platform, sys.byteorder and the size of a pointer are the same on all of ours.
LOOKS = re.compile(
    rb"ctypes|cffi|dlopen|CDLL|\buname\b|from platform import|platform\.platform|\.(?:machine|processor|architecture)\b"
    rb"|get_platform|get_config_var|getpagesize|PAGESIZE|SC_PAGE|cpuinfo|EXTENSION_SUFFIXES|SOABI|multiarch"
    rb"|aarch64|arm64|armv[78]|x86_64|amd64"
)
# Events of what is not in the files: https://docs.python.org/3/library/audit_events.html
RUNS = {"ctypes.dlopen", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen"}
SITES = [os.path.join(path, "") for path in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}]
STDLIB = os.path.join(sysconfig.get_path("stdlib"), "")


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
            "tops": {stem(parts[0]) or parts[0] for parts in files},
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


def top_of(path):
    """The name in site-packages that a file belongs to, or None."""
    site = next((site for site in SITES if path.startswith(site)), None)
    if site is None:
        return None
    first = path[len(site) :].split(os.sep)[0]
    return stem(first) or first


class Watch:
    """What imports depend on besides the files of packages."""

    def __init__(self):
        self.seen, self.runs = set(sys.modules), set()
        sys.addaudithook(self.audit)

    def audit(self, event, args):
        if event == "open":
            if not (isinstance(args[0], str) and args[0].startswith(("/proc/", "/sys/"))):
                return
        elif event not in RUNS:
            return
        frame = sys._getframe()
        while frame is not None:
            top = top_of(frame.f_code.co_filename)
            if top is not None:
                self.runs.add(top)
            frame = frame.f_back

    def loaded(self):
        """Modules loaded since the last call, by name: their files."""
        new = {name: sys.modules.get(name) for name in set(sys.modules) - self.seen}
        self.seen.update(new)
        files = {}
        for name, module in new.items():
            try:
                # Not by attribute: a lazy module would load itself.
                file = object.__getattribute__(module, "__dict__").get("__file__")
            except Exception:
                file = None
            if isinstance(file, str):
                files[name] = file
        return files

    def report(self):
        runs, self.runs = self.runs, set()
        return {"files": self.loaded(), "runs": sorted(runs)}


def work(names, owners, known, pipe, watched, then):
    """The child: imports modules, and reports each start and each end."""
    failed = False
    watch = Watch() if watched else None

    def report(**event):
        if "module" in event and watch is not None:
            event.update(watch.report())
        nonlocal failed
        failed = failed or "error" in event
        data = memoryview((json.dumps(event) + "\n").encode())
        while data:
            data = data[os.write(pipe, data) :]

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
    if then is not None and not failed:
        report(begins=None, limit=True)
        report(module=None, shared=then())


def run(names, owners, known, seconds, watched=False, then=None):
    """Imports modules in one child after another until each has an outcome; yields (name, outcome).

    A child without a failure goes on with `then`, (function, time limit): the last outcome is of None.
    """
    left = list(names)
    while left or then is not None:
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
                work(left, owners, known, writer, watched, then and then[0])
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
                deadline = time.monotonic() + (then[1] if event.pop("limit", False) else seconds)
        os.close(reader)
        if late:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if begun is not None and begun not in ended:
            ended.add(begun)
            yield begun, {"error": f"did not end within {seconds} s" if late else death(status, output)}
        os.close(output)
        left = [name for name in left if name not in ended]
        then = None


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


def looks_at_machine(path):
    try:
        with open(path, "rb") as file:
            return LOOKS.search(file.read()) is not None
    except OSError:
        return True


def dependencies(outcomes, packages):
    """What the imports depend on besides the packages' own files."""
    files, tops = {}, set()
    for outcome in outcomes.values():
        files.update(outcome.pop("files", {}))
        tops.update(outcome.pop("runs", []))
    for path in files.values():
        top = top_of(path)
        if top is not None and top not in tops and not is_compiled(path) and looks_at_machine(path):
            tops.add(top)
    standard = {name: path for name, path in files.items() if path.startswith(STDLIB) and top_of(path) is None}
    return {
        "looks": sorted(name for name, package in packages.items() if package["tops"] & tops),
        "standard": {
            "modules": sorted(name for name, path in standard.items() if is_compiled(path)),
            "files": sorted(path[len(STDLIB) :] for path in standard.values() if not is_compiled(path)),
        },
    }


def is_compiled(path):
    return any(path.endswith(suffix) for suffix in EXTENSIONS)


def standard_failures(standard, seconds):
    """What of the standard library was loaded on the other platform, and cannot be loaded here."""
    label = {"package": STANDARD_LIBRARY}
    for path in standard["files"]:
        if not os.path.exists(STDLIB + path):
            yield {**label, "module": path, "error": "is missing, and imported packages need it"}
    owners = {name: {"requires": set()} for name in standard["modules"]}
    for name, outcome in run(standard["modules"], owners, {name.split(".")[0] for name in owners}, seconds):
        if "error" in outcome:
            yield {**label, "module": name, "error": outcome["error"]}


def main():
    options = json.loads(sys.argv[1])
    skip, seconds, watched = set(options["skip"]), options["seconds"], options.get("watch", False)
    equal = set(options.get("equal", []))
    shared = options.get("share")
    then = None
    if shared is not None:
        import shared_interpreter

        state = shared_interpreter.State()
        # Each command and all servers have their time, and some more for what is between.
        limit = (len(shared["commands"]) + 2) * shared["seconds"]
        then = (functools.partial(shared_interpreter.share, shared, state), limit)
        del sys.modules["shared_interpreter"]
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    sys.dont_write_bytecode = True
    packages = installed()
    known = roots(packages)
    owners = {name: package for package in packages.values() for name in package["modules"]}
    here = {name for key, package in packages.items() if key not in equal for name in package["modules"]}
    names = sorted(name for name in owners if name not in skip and name in here)
    outcomes = dict(run(names, owners, known, seconds, watched, then))
    ran = outcomes.pop(None, {}).get("shared")
    depends = dependencies(outcomes, packages) if watched else {}
    for name in [name for name, outcome in outcomes.items() if "error" in outcome][:RETRIES]:
        outcomes.update(run([name], owners, known, seconds))
    label = lambda name: {"module": name, "package": owners[name]["label"]}
    failed = [{**label(name), "error": outcomes[name]["error"]} for name in names if "error" in outcomes[name]]
    if "standard" in options:
        failed.extend(standard_failures(options["standard"], seconds))
    report = {
        "machine": platform.machine(),
        "packages": len(packages.keys() - equal),
        "modules": len(names),
        "equal": {
            "packages": len(packages.keys() & equal),
            "modules": len([name for name in owners if name not in skip and name not in here]),
        },
        "skipped": sorted(skip & owners.keys() & here),
        "optional": [{**label(name), "needs": outcomes[name]["needs"]} for name in names if "needs" in outcomes[name]],
        "failed": failed,
        **({} if ran is None else {"shared": ran}),
        **depends,
    }
    print(json.dumps(report))


main()
