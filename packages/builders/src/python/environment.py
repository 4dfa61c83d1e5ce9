"""Installs chosen wheels for several platforms at once, natively, and keeps apart what they share.

Writes OUT/common (the same on every platform, with bytecode) and OUT/<platform> for the rest. Nothing of a foreign
platform is run: uv takes wheels by platform tag, and bytecode is the same on every machine.
"""

import argparse
import concurrent.futures
import filecmp
import json
import os
import shutil
import subprocess
import sys

from fetch import fetch
from layer import compile_bytecode, stamp
from problem import Problem, last_lines, telling

# On the same file system as the result: unpacked wheels become hard links there, and are never copied.
UNPACKED = "/tmp/uv"


def install(wheels, prefix, environment, tag, work):
    """Installs wheels (paths) below prefix, with console scripts that name the environment's own Python."""
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
    # Nothing of the installation itself in the result: uv would write the time of its own files there.
    quiet = {**os.environ, "UV_NO_INSTALLER_METADATA": "1"}
    done = subprocess.run([*command, "--requirements", requirements], stderr=subprocess.PIPE, text=True, env=quiet)
    if done.returncode != 0:
        raise Problem("BUILD", f"the packages for {tag} cannot be installed\n{last_lines(done.stderr)}")
    os.remove(os.path.join(prefix, ".lock"))


def entries(root):
    """Relative paths of files and links below root, in order."""
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
    """Moves what all roots have in common."""
    first, *others = roots
    for path in entries(first):
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
    """The virtual environment that packages are installed for; in the result only when it is asked for."""
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
    parser.add_argument("--built", action="append", default=[], help="NAME=FOLDER of built wheels; shared or platform")
    parser.add_argument("--skeleton", action="store_true", help="with the virtual environment itself")
    parser.add_argument("--environment", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--cache", required=True, help="folder of downloads")
    parser.add_argument("--time", type=int, required=True, help="of every file, seconds since 1970")
    parser.add_argument("--platform", action="append", required=True, metavar="NAME=TAG")
    options = parser.parse_args()
    platforms = dict(pair.split("=", 1) for pair in options.platform)
    common = os.path.join(options.out, "common")
    create(options.environment, common, options.skeleton)
    sets = {}
    if options.plan:
        with open(options.plan) as file:
            sets = json.load(file)["sets"]
    built = {}
    for pair in options.built:
        name, folder = pair.split("=", 1)
        wheels = [file for file in os.listdir(folder) if file.endswith(".whl")]
        built.setdefault(name, []).extend(os.path.join(folder, file) for file in wheels)

    def fill(name):
        wheels = [*fetch(sets.get(name, []), options.cache), *built.get(name, [])]
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
        stamp(root, options.time)
    print(json.dumps({name: len(entries(os.path.join(options.out, name))) for name in ["common", *platforms]}))


if __name__ == "__main__":
    telling(main)
