"""Checks a lock against its project, and exports its packages as hashed requirements.

usage: read_lock.py LOCK OUT GROUP...   in a directory with pyproject.toml and the lock
Writes OUT/requirements.txt, and OUT/indexes.json: the indexes that the project adds to PyPI or replaces it with.
"""

import json
import os
import re
import sys

from problem import Problem, report_problems
from project import read_toml


def require_indexed(requirements, lock):
    """Only files from an index have a hash; packages from git repositories and folders do not."""
    for line in requirements.splitlines():
        if re.match(r"-e |\.|file:|[\w.-]+(\[[\w,.-]+\])? *@ *(git\+|hg\+|svn\+|bzr\+|file:)", line):
            name = line.split(";")[0].strip()
            remedy = "Depend on a released version from a package index, or include the code in the service's source."
            raise Problem("SOURCE", f"{name} has no hash: it comes from a repository or a folder", lock, remedy)


def main():
    lock, out, *groups = sys.argv[1:]
    project = read_toml("pyproject.toml") if os.path.exists("pyproject.toml") else {}
    if lock == "poetry.lock":
        from lock_poetry import export
    elif lock == "uv.lock":
        from lock_uv import export
    else:
        from lock_file import export
    requirements, indexes = export(project, lock, groups)
    require_indexed(requirements, lock)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "requirements.txt"), "w") as file:
        file.write(requirements)
    with open(os.path.join(out, "indexes.json"), "w") as file:
        json.dump(indexes, file)


report_problems(main)
