"""Decides, before anything is installed, which file of every locked package goes to which platform.

Writes OUT/plan.json: `sets`, files by "shared" (the same wheel on every platform) or platform; `sources`, packages
without a wheel for some platform, downloaded and looked into; `notes`.
"""

import argparse
import json
import os

from fetch import fetch
from index import canonical, files_of, locked_hashes, look_up
from problem import Problem, telling
from sdist import inspect
from wheels import best, supported, wanted


def choose(package, allowed, platforms, ranks):
    """The wheel for each platform that wants the package (None where there is none), and its sdist."""
    locked = allowed.get((canonical(package["name"]), package.get("version", "")))
    files = [file for file in files_of(package) if locked is None or file["sha256"] in locked]
    if not files:
        what = f"{package['name']} {package.get('version', '')}: the index has no file with a hash the lock names"
        remedy = "Its files were replaced since it was locked, or a mirror alters them. Find out why; then lock again."
        raise Problem("BUILD", what, None, remedy)
    wheels = [file for file in files if file["file"].endswith(".whl")]
    sdist = next((file for file in files if not file["file"].endswith(".whl")), None)
    takers = [name for name, machine in platforms.items() if wanted(package.get("marker"), machine)]
    return {name: best(wheels, ranks[name]) for name in takers}, sdist


def divide(packages, allowed, platforms, glibc):
    """Files by set, sources with the platforms that need them, and (package, platform) nothing can be had for."""
    ranks = {name: supported(machine, glibc) for name, machine in platforms.items()}
    sets = {"shared": [], **{name: [] for name in platforms}}
    sources, missing = [], []
    for package in packages:
        chosen, sdist = choose(package, allowed, platforms, ranks)
        without = [name for name, wheel in chosen.items() if wheel is None]
        if without and sdist is None:
            missing += [(f"{package['name']} {package['version']}", name) for name in without]
        elif without:
            sources.append({**sdist, "platforms": without})
        found = [wheel for wheel in chosen.values() if wheel is not None]
        if len(found) == len(platforms) and all(wheel == found[0] for wheel in found):
            sets["shared"].append(found[0])
        else:
            for name, wheel in chosen.items():
                sets[name] += [] if wheel is None else [wheel]
    return sets, sources, missing


def require_all(missing):
    if not missing:
        return
    lines = [
        f"{package} has neither a wheel for {name.replace('-', '/')} nor a source archive"
        for package, name in missing
    ]
    remedy = "Lock a version that has one (its files are listed on the index), replace the package, give it an\n"
    remedy += "environment marker such as platform_machine, or build without that platform: --platform."
    raise Problem("BUILD", "; ".join(lines), None, remedy)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", required=True, help="folder with requirements.txt and indexes.json")
    parser.add_argument("--out", required=True)
    parser.add_argument("--cache", required=True, help="folder of downloads")
    parser.add_argument("--pypi", help="mirror of PyPI")
    parser.add_argument("--glibc", type=int, required=True, help="highest minor version of glibc 2 of wheels")
    parser.add_argument("--platform", action="append", required=True, metavar="NAME=MACHINE")
    options = parser.parse_args()
    platforms = dict(pair.split("=", 1) for pair in options.platform)
    os.makedirs(options.out, exist_ok=True)
    requirements = os.path.join(options.lock, "requirements.txt")
    with open(requirements) as file:
        allowed = locked_hashes(file.read())
    with open(os.path.join(options.lock, "indexes.json")) as file:
        indexes = json.load(file)
    packages, notes = look_up(requirements, indexes, options.pypi, "/tmp") if allowed else ([], [])
    sets, sources, missing = divide(packages, allowed, platforms, options.glibc)
    require_all(missing)
    for source, path in zip(sources, fetch(sources, options.cache)):
        source.update(inspect(path))
    with open(os.path.join(options.out, "plan.json"), "w") as file:
        json.dump({"sets": sets, "sources": sources, "indexes": indexes, "notes": notes}, file)


if __name__ == "__main__":
    telling(main)
