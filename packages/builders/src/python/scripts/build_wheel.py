"""Builds a wheel from one source archive, and verifies that it is for the right architecture.

Writes OUT/wheels/*.whl and OUT/built.json: {kind: pure | compiled, wheel, unpinned}. The build is reproducible: the
source is unpacked at a fixed path, clocks are fixed, and no cache of an earlier build is used.
"""

import argparse
import json
import os
import subprocess
import sys
import sysconfig

from package_index import index_flags
from problem import Problem, last_lines, report_problems
from sdist import unpack
from verify_wheel import verify_wheel

EPOCH = "315532800"  # 1980, the earliest time a zip archive can hold
FLAGS = "-O2 -g0 -ffile-prefix-map=/build=."


def target_environment(machine, prefix, sysroot):
    """
    Variables that make setuptools build for another architecture. It needs all of them: without one, code or file
    names of the wrong architecture end up in the wheel.
    """
    suffix = f".cpython-{sys.version_info.major}{sys.version_info.minor}-{machine}-linux-gnu.so"
    headers = "/mnt/target" + sysconfig.get_path("include")
    root = f" --sysroot={sysroot}" if sysroot else ""
    return {
        "CC": f"{prefix}gcc{root}",
        "CXX": f"{prefix}g++{root}",
        "LDSHARED": f"{prefix}gcc{root} -shared",
        "LDCXXSHARED": f"{prefix}g++{root} -shared",
        "AR": f"{prefix}ar",
        "_PYTHON_HOST_PLATFORM": f"linux-{machine}",
        "SETUPTOOLS_EXT_SUFFIX": suffix,
        "CFLAGS": f"-I{headers} {FLAGS}" if prefix else FLAGS,
        "PKG_CONFIG_LIBDIR": f"{sysroot}/usr/lib/{machine}-linux-gnu/pkgconfig:{sysroot}/usr/share/pkgconfig",
        "PKG_CONFIG_SYSROOT_DIR": sysroot,
    }


def constraints(source, path):
    """
    The pinned build backends, without those of which the package requires another version.
    Returns the path of the constraints file and the names left unpinned.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        import tomllib
    except ModuleNotFoundError:  # before Python 3.11
        import tomli as tomllib
    project = os.path.join(source, "pyproject.toml")
    required = {}
    if os.path.exists(project):
        with open(project, "rb") as file:
            for text in tomllib.load(file).get("build-system", {}).get("requires", []):
                try:
                    requirement = Requirement(text)
                except InvalidRequirement:
                    continue
                required[requirement.name.lower().replace("_", "-")] = requirement.specifier
    pinned, unpinned = [], []
    with open(path) as file:
        for line in file:
            name, version = line.split(";")[0].strip().split("==")
            fits = name not in required or required[name].contains(version, prereleases=True)
            (pinned if fits else unpinned).append(line if fits else name)
    with open("/tmp/constraints.txt", "w") as file:
        file.writelines(pinned)
    return "/tmp/constraints.txt", unpinned


def build(options, source, indexes):
    pins, unpinned = constraints(source, options.constraints)
    fixed = {"SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if options.machine:
        fixed |= target_environment(options.machine, options.prefix, options.sysroot)
    wheels = os.path.join(options.out, "wheels")
    command = ["uv", "build", "--wheel", "--no-config", "--no-python-downloads", "--python", sys.executable]
    command += ["--cache-dir", "/tmp/uv", "--build-constraints", pins, *index_flags(indexes, options.pypi)]
    done = subprocess.run(
        [*command, "--out-dir", wheels, source], capture_output=True, text=True, env={**os.environ, **fixed}
    )
    if done.returncode != 0:
        output = last_lines(done.stdout + done.stderr, 20)
        raise Problem("BUILD", f"{options.name} cannot be built from source\n{output}")
    return os.path.join(wheels, next(name for name in os.listdir(wheels) if name.endswith(".whl"))), unpinned


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", required=True)
    parser.add_argument("--name", required=True, help="NAME VERSION")
    parser.add_argument("--out", required=True)
    parser.add_argument("--constraints", required=True)
    parser.add_argument("--indexes", required=True, help="JSON")
    parser.add_argument("--pypi")
    parser.add_argument("--machine", help="as platform.machine() returns it; if omitted, the wheel must be pure Python")
    parser.add_argument("--prefix", default="", help="compiler prefix, e.g. aarch64-linux-gnu-")
    parser.add_argument("--sysroot", default="", help="directory with the target's headers and libraries")
    options = parser.parse_args()
    source = f"/build/{options.name.replace(' ', '-')}"
    unpack(options.archive, source)
    wheel, unpinned = build(options, source, json.loads(options.indexes))
    kind = verify_wheel(wheel, options.machine)
    with open(os.path.join(options.out, "built.json"), "w") as file:
        json.dump({"kind": kind, "wheel": os.path.basename(wheel), "unpinned": unpinned}, file)


if __name__ == "__main__":
    report_problems(main)
