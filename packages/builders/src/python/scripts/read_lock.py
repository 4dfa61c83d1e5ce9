"""Checks a lock against its project, and exports its packages as hashed requirements.

usage: read_lock.py LOCK OUT NAME=MACHINE,... GROUP...   in a directory with pyproject.toml and the lock
Writes OUT/requirements.txt; OUT/indexes.json, the indexes that the project adds to PyPI or replaces it with; and
OUT/lock.json: `file`, the lock; `locker`, the command that writes it; `unhashed`, the files that it lists without a hash.
"""

import json
import os
import re
import sys

from problem import Problem, report_problems
from project import read_toml
from wheel_tags import applies

LOCKERS = {"poetry.lock": "poetry lock --regenerate", "uv.lock": "uv lock --upgrade-package NAME"}


def require_indexed(requirements, lock):
    """Only files from an index have a hash; packages from git repositories and folders do not."""
    for line in requirements.splitlines():
        if re.match(r"-e |\.|file:|[\w.-]+(\[[\w,.-]+\])? *@ *(git\+|hg\+|svn\+|bzr\+|file:)", line):
            name = line.split(";")[0].strip()
            remedy = "Depend on a released version from a package index, or include the code in the service's source."
            raise Problem("SOURCE", f"{name} has no hash: it comes from a repository or a folder", lock, remedy)


def normal(name):
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def files_in(lock):
    """The files of each package in a lock, as {name: [(file, whether it has a hash)]}."""
    files = {}
    for package in read_toml(lock).get("package", []) if lock.endswith(".lock") else []:
        entries = [package["sdist"]] if "sdist" in package else []
        entries += [*package.get("wheels", []), *package.get("files", [])]
        for entry in entries:
            name = entry.get("file") or entry.get("url", "").rsplit("/", 1)[-1].replace("%2B", "+")
            files.setdefault(normal(package["name"]), []).append((name, bool(entry.get("hash"))))
    return files


def require_hashes(requirements, platforms, files, lock):
    """Every requirement has a sha256, without which nothing tells whether a downloaded file is the locked one."""
    for line in re.sub(r"\\\n", " ", requirements).splitlines():
        pin = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*===?\s*([^\s;]+)\s*(?:;\s*(.*?))?(?:\s--hash.*)?$", line)
        if pin is None or "--hash=sha256:" in line:
            continue
        needing = [name.replace("-", "/") for name, machine in platforms.items() if applies(pin[3] or None, machine)]
        if not needing:
            continue
        listed = [name for name, _ in files.get(normal(pin[1]), [])]
        cause = f"lists {', '.join(listed)} without a sha256 hash" if listed else "lists neither a wheel nor a source archive of it"
        locker = LOCKERS.get(lock, "with hashes").replace("NAME", pin[1])
        remedy = f"Lock it again ({locker}) and commit {lock}. If the index has no file of it for that platform,\n"
        remedy += "replace the package, restrict it with an environment marker, or build without the platform: --platform."
        raise Problem("SOURCE", f"{pin[1]} {pin[2]}, needed on {', '.join(needing)}: {lock} {cause}", lock, remedy)


def main():
    lock, out, machines, *groups = sys.argv[1:]
    platforms = dict(pair.split("=", 1) for pair in machines.split(","))
    project = read_toml("pyproject.toml") if os.path.exists("pyproject.toml") else {}
    if lock == "poetry.lock":
        from lock_poetry import export
    elif lock == "uv.lock":
        from lock_uv import export
    else:
        from lock_file import export
    requirements, indexes = export(project, lock, groups)
    require_indexed(requirements, lock)
    files = files_in(lock)
    require_hashes(requirements, platforms, files, lock)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "requirements.txt"), "w") as file:
        file.write(requirements)
    with open(os.path.join(out, "indexes.json"), "w") as file:
        json.dump(indexes, file)
    unhashed = [name for listed in files.values() for name, hashed in listed if not hashed]
    with open(os.path.join(out, "lock.json"), "w") as file:
        json.dump({"file": lock, "locker": LOCKERS.get(lock, "with hashes"), "unhashed": unhashed}, file)


if __name__ == "__main__":
    report_problems(main)
