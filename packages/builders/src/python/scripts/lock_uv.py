"""uv.lock, exported by uv itself."""

import re
import subprocess

from project import PYPI, read_toml, require_groups, require_python, table
from packaging.specifiers import SpecifierSet
from problem import Problem, last_lines


def allows(text, version):
    return SpecifierSet(text).contains(version, prereleases=True)


def selection(groups):
    """`main` stands for the project's own dependencies; without it, only the named groups are installed."""
    flag = "--group" if "main" in groups else "--only-group"
    return [part for group in groups if group != "main" for part in (flag, group)]


def foreign_registries(project, locked):
    """Registries of locked packages other than PyPI, and the one that replaced PyPI when the lock was written."""
    used = [package.get("source", {}).get("registry") for package in locked.get("package", [])]
    registries = [url for url in dict.fromkeys(used) if url is not None and not PYPI.match(url)]
    indexes = table(project, "tool", "uv").get("index", [])
    declared = {str(index.get("url")).rstrip("/") for index in indexes}
    unknown = [url for url in registries if url.rstrip("/") not in declared]
    return registries, unknown[0] if len(unknown) == 1 else None


def export(project, lock, groups):
    locked = read_toml(lock)
    require_groups(groups, table(project, "dependency-groups"))
    require_python(table(project, "project").get("requires-python"), allows)
    registries, mirror = foreign_registries(project, locked)
    # Offline and without a cache: whether the lock matches depends on the two files alone.
    command = ["uv", "export", "--locked", "--offline", "--no-cache", "--no-python-downloads", "--quiet"]
    command += ["--no-emit-project", "--no-default-groups", "--no-header", "--no-annotate", *selection(groups)]
    command += [] if mirror is None else ["--default-index", mirror]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout, {"default": None, "extra": registries}
    if re.search("needs to be updated|No solution found|network was disabled", done.stderr):
        output = re.sub(r"^hint: .*$", "", done.stderr, flags=re.MULTILINE)
        what, remedy = "it does not match pyproject.toml", "Run uv lock in the service's folder and commit it."
    else:
        output, what, remedy = done.stderr, "uv cannot export it", "Run uv lock --check in the service's folder."
    raise Problem("SOURCE", f"{what}\n{last_lines(output)}", lock, remedy)
