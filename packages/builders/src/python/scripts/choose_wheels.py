"""Chooses the wheel of every locked package for each platform, before anything is installed.

Writes OUT/wheel-plan.json: `sets`, the files of "shared" (the same wheel on every platform) and of each platform;
`sources`, the source archives of packages without a wheel for some platform, with their languages; `indexes`; `notes`.
"""

import argparse
import json
import os

from download import download
from package_index import canonical, files_of, locked_hashes, look_up
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from problem import Problem, report_problems
from sdist import languages
from wheel_tags import applies, missing_wheel, supported_tags


def best_wheel(wheels, ranks):
    """The wheel that an installer would choose, or None. `ranks` maps supported tags to their rank, best first."""
    found = None
    for wheel in wheels:
        try:
            offered = parse_wheel_filename(wheel["file"])[3]
        except InvalidWheelFilename:
            continue
        rank = min((ranks[tag] for tag in offered if tag in ranks), default=None)
        if rank is not None and (found is None or rank < found[0]):
            found = (rank, wheel)
    return None if found is None else found[1]


def choose(package, allowed, platforms, ranks):
    """The wheel for each platform that installs the package (None if there is no wheel), and its sdist."""
    locked = allowed.get((canonical(package["name"]), package.get("version", "")))
    files = [file for file in files_of(package) if locked is None or file["sha256"] in locked]
    if not files:
        what = f"{package['name']} {package.get('version', '')}: no file on the index has a hash from the lock"
        remedy = "Its files were replaced after it was locked, or a mirror alters them. Find out why, then lock again."
        raise Problem("BUILD", what, None, remedy)
    wheels = [file for file in files if is_wheel(file)]
    sdist = next((file for file in files if not is_wheel(file)), None)
    installing = [name for name, machine in platforms.items() if applies(package.get("marker"), machine)]
    return {name: best_wheel(wheels, ranks[name]) for name in installing}, sdist


def is_wheel(file):
    return file["file"].endswith(".whl")


def choose_all(packages, allowed, platforms, glibc, lock):
    """Files by set, source archives with the platforms that need them, and (platform, cause, remedy) of each gap."""
    ranks = {name: supported_tags(machine, glibc) for name, machine in platforms.items()}
    sets = {"shared": [], **{name: [] for name in platforms}}
    sources, missing = [], []
    for package in packages:
        chosen, sdist = choose(package, allowed, platforms, ranks)
        without = [name for name, wheel in chosen.items() if wheel is None]
        if without and sdist is None:
            missing += [explain(package, allowed, (name, platforms[name]), ranks[name], lock) for name in without]
        elif without:
            sources.append({**sdist, "platforms": without})
        found = [wheel for wheel in chosen.values() if wheel is not None]
        if len(found) == len(platforms) and all(wheel == found[0] for wheel in found):
            sets["shared"].append(found[0])
        else:
            for name, wheel in chosen.items():
                sets[name] += [] if wheel is None else [wheel]
    return sets, sources, missing


def explain(package, allowed, platform, ranks, lock):
    """Why a package cannot be installed on a platform: (what, remedy)."""
    name, machine = platform
    title = f"{package['name']} {package.get('version', '')} for {name.replace('-', '/')}"
    relock = f"Lock it again ({lock['locker'].replace('NAME', package['name'])}) and commit {lock['file']}."
    files = files_of(package)
    usable = best_wheel([file for file in files if is_wheel(file)], ranks)
    usable = usable or next((file for file in files if not is_wheel(file)), None)
    if usable is not None and usable["file"] in lock["unhashed"]:
        return f"{title}: {lock['file']} lists {usable['file']} without a hash", relock
    if usable is not None:
        what = f"{title}: {lock['file']} does not list {usable['file']}, which the index has: it was locked for one machine,"
        return f"{what} or before that file was uploaded", relock
    locked = allowed.get((canonical(package["name"]), package.get("version", "")), set())
    what = missing_wheel([file["file"] for file in files if is_wheel(file) and file["sha256"] in locked], machine, ranks)
    return f"{title} has neither a wheel that fits nor a source archive: {what}", OTHER_VERSION


OTHER_VERSION = "Lock a version that has one (the index lists its files), replace the package, restrict it with an\n"
OTHER_VERSION += "environment marker such as platform_machine, or build without that platform: --platform."


def require_available(missing, lock):
    if missing:
        whats, remedies = zip(*missing)
        raise Problem("BUILD", "; ".join(whats), lock["file"], "\n".join(dict.fromkeys(remedies)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", required=True, help="output of read_lock.py")
    parser.add_argument("--out", required=True)
    parser.add_argument("--cache", required=True, help="download cache")
    parser.add_argument("--pypi", help="mirror of PyPI")
    parser.add_argument("--glibc", type=int, required=True, help="highest minor version of glibc 2 that a wheel may require")
    parser.add_argument("--platform", action="append", required=True, metavar="NAME=MACHINE")
    options = parser.parse_args()
    platforms = dict(pair.split("=", 1) for pair in options.platform)
    os.makedirs(options.out, exist_ok=True)
    requirements = os.path.join(options.lock, "requirements.txt")
    with open(requirements) as file:
        allowed = locked_hashes(file.read())
    with open(os.path.join(options.lock, "indexes.json")) as file:
        indexes = json.load(file)
    with open(os.path.join(options.lock, "lock.json")) as file:
        lock = json.load(file)
    packages, notes = look_up(requirements, indexes, options.pypi, "/tmp") if allowed else ([], [])
    sets, sources, missing = choose_all(packages, allowed, platforms, options.glibc, lock)
    require_available(missing, lock)
    for source, path in zip(sources, download(sources, options.cache)):
        source["languages"] = languages(path)
    with open(os.path.join(options.out, "wheel-plan.json"), "w") as file:
        json.dump({"sets": sets, "sources": sources, "indexes": indexes, "notes": notes}, file)


if __name__ == "__main__":
    report_problems(main)
