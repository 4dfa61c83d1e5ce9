"""Installs one locked set of packages for several platforms, natively, and takes apart what they share.

Writes OUT/common (the same on every platform, with bytecode) and OUT/<platform> for the rest. Nothing of a
foreign platform is run: uv fetches wheels by platform tag, and bytecode is the same on every machine.
"""

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys


def install(environment, requirements, python, tag):
    """One virtual environment for one platform, at the path it will have in the image."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shutil.rmtree(environment, ignore_errors=True)
    subprocess.run(["uv", "venv", "--quiet", "--python", python, environment], check=True)
    command = ["uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--link-mode", "copy", "--python", f"{environment}/bin/python"]
    command += ["--python-version", version, "--python-platform", tag, "--requirements", requirements]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.stderr.write(f"{tag}: {done.stderr}")
        sys.exit(done.returncode)


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
    """Moves what all roots have in common; with one root that is everything."""
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


def compile_bytecode(root, environment):
    """Bytecode that is never checked against a file time. Packages ship templates that are no Python: tolerated."""
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", root, "-p", environment, root], stdout=subprocess.DEVNULL)


def stamp(root, time):
    """One time for every entry; a link's own, not its target's."""
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            os.utime(os.path.join(folder, name), (time, time), follow_symlinks=False)
    os.utime(root, (time, time))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requirements", required=True)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--time", type=int, required=True, help="of every file, seconds since 1970")
    parser.add_argument("--platform", action="append", required=True, metavar="NAME=TAG")
    options = parser.parse_args()
    platforms = dict(pair.split("=", 1) for pair in options.platform)
    roots = {}
    for name, tag in platforms.items():
        install(options.environment, options.requirements, sys.executable, tag)
        roots[name] = os.path.join(options.out, name)
        os.makedirs(options.out, exist_ok=True)
        shutil.move(options.environment, roots[name])
    common = os.path.join(options.out, "common")
    os.makedirs(common)
    share(list(roots.values()), common)
    for root in [common, *roots.values()]:
        compile_bytecode(root, options.environment)
        stamp(root, options.time)
    print(json.dumps({name: len(entries(root)) for name, root in [("common", common), *roots.items()]}))


main()
