"""Installs wheels for several platforms at once, natively, and separates the files that all platforms share.

Writes OUT/common (identical on every platform, with bytecode) and OUT/<platform> (the rest). No program of a foreign
platform runs: uv installs wheels by platform tag, and bytecode does not depend on the architecture.
"""

import argparse
import concurrent.futures
import filecmp
import json
import os
import shutil
import subprocess
import sys

from download import download, expect
from layer import compile_bytecode, set_times
from problem import Problem, last_lines, report_problems

# On the same file system as the result, so that unpacked wheels are hard-linked instead of copied.
UNPACKED = "/tmp/uv"


def install(wheels, prefix, environment, tag, work):
    """Installs wheels (paths) under prefix, with console scripts that start the environment's own Python."""
    os.makedirs(prefix, exist_ok=True)
    if not wheels:
        return
    links = os.path.join(work, "links")
    os.makedirs(links)
    pins = []
    for path in wheels:
        name, version = os.path.basename(path).split("-")[:2]
        os.symlink(path, os.path.join(links, os.path.basename(path)))
        pins.append(f"{name}=={version}\n")
    requirements = os.path.join(work, "requirements.txt")
    with open(requirements, "w") as file:
        file.writelines(sorted(pins))
    command = ["uv", "pip", "install", "--quiet", "--no-config", "--offline", "--no-deps", "--no-index"]
    command += ["--find-links", links, "--only-binary", ":all:", "--link-mode", "hardlink", "--cache-dir", UNPACKED]
    command += ["--python", f"{environment}/bin/python", "--prefix", prefix, "--python-platform", tag]
    # Keep uv's own metadata out of the result: it contains times.
    quiet = {**os.environ, "UV_NO_INSTALLER_METADATA": "1"}
    done = subprocess.run([*command, "--requirements", requirements], stderr=subprocess.PIPE, text=True, env=quiet)
    if done.returncode != 0:
        raise Problem("BUILD", f"the packages for {tag} cannot be installed\n{last_lines(done.stderr)}")
    os.remove(os.path.join(prefix, ".lock"))


def relative_paths(root):
    """Sorted relative paths of the files and links under root."""
    found = []
    for folder, directories, files in os.walk(root):
        links = [name for name in directories if os.path.islink(os.path.join(folder, name))]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files + links]
    return sorted(found)


def same(first, second):
    if os.path.islink(first) or os.path.islink(second):
        return os.path.islink(first) and os.path.islink(second) and os.readlink(first) == os.readlink(second)
    modes_equal = os.stat(first).st_mode == os.stat(second).st_mode
    return modes_equal and filecmp.cmp(first, second, shallow=False)


def share(roots, common):
    """Moves files that are identical in all roots to common."""
    first, *others = roots
    for path in relative_paths(first):
        copies = [os.path.join(root, path) for root in others]
        if all(os.path.lexists(copy) and same(os.path.join(first, path), copy) for copy in copies):
            target = os.path.join(common, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(os.path.join(first, path), target)
            for copy in copies:
                os.remove(copy)
    for root in roots:
        for folder, _, _ in os.walk(root, topdown=False):
            if not os.listdir(folder) and folder != root:
                os.rmdir(folder)


def create(environment, common, skeleton):
    """Creates the virtual environment that packages are installed for; copied into the result only with `skeleton`."""
    shutil.rmtree(environment, ignore_errors=True)
    command = ["uv", "venv", "--quiet", "--no-config", "--no-python-downloads"]
    command += ["--python", sys._base_executable, environment]
    subprocess.run(command, check=True)
    for name in (".lock", ".gitignore", "CACHEDIR.TAG"):
        if os.path.exists(os.path.join(environment, name)):
            os.remove(os.path.join(environment, name))
    if skeleton:
        shutil.copytree(environment, common, symlinks=True)
    else:
        os.makedirs(common)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", help="plan.json: wheels to download and install")
    parser.add_argument("--built", action="append", default=[], help="NAME=DIRECTORY of wheels built from source; NAME is 'shared' or a platform")
    parser.add_argument("--skeleton", action="store_true", help="include the virtual environment itself")
    parser.add_argument("--service", required=True, help="named in progress")
    parser.add_argument("--environment", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--cache", required=True, help="download cache")
    parser.add_argument("--time", type=int, required=True, help="time of every file, seconds since 1970")
    parser.add_argument("--platform", action="append", required=True, metavar="NAME=TAG")
    options = parser.parse_args()
    platforms = dict(pair.split("=", 1) for pair in options.platform)
    common = os.path.join(options.out, "common")
    create(options.environment, common, options.skeleton)
    sets = {}
    if options.plan:
        with open(options.plan) as file:
            sets = json.load(file)["sets"]
        expect(options.service, sum(len(files) for files in sets.values()))
    built = {}
    for pair in options.built:
        name, folder = pair.split("=", 1)
        wheels = [file for file in os.listdir(folder) if file.endswith(".whl")]
        built.setdefault(name, []).extend(os.path.join(folder, file) for file in wheels)

    def fill(name):
        wheels = [*download(sets.get(name, []), options.cache), *built.get(name, [])]
        prefix = common if name == "shared" else os.path.join(options.out, name)
        tag = platforms.get(name, next(iter(platforms.values())))
        install(wheels, prefix, options.environment, tag, os.path.join("/tmp/install", name))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(fill, ["shared", *platforms]))
    shutil.rmtree(UNPACKED, ignore_errors=True)
    shutil.rmtree(options.environment)
    roots = [os.path.join(options.out, name) for name in platforms]
    if len(roots) > 1:
        share(roots, common)
    for root in [common, *roots]:
        compile_bytecode(root, options.environment)
        set_times(root, options.time)
    print(json.dumps({name: len(relative_paths(os.path.join(options.out, name))) for name in ["common", *platforms]}))


if __name__ == "__main__":
    report_problems(main)
