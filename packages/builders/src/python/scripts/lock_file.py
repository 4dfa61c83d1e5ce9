"""A requirements file with hashes. require-hashes.ts has already checked its lines."""

from project import require_python, split_options, table
from packaging.specifiers import SpecifierSet
from problem import Problem


def export(project, lock, groups):
    if groups != ["main"]:
        remedy = "Lock with Poetry or uv and set build.lock, or remove build.groups."
        raise Problem("SOURCE", f"a requirements file cannot have dependency groups ({', '.join(groups)})", lock, remedy)
    python = table(project, "project").get("requires-python")
    require_python(python, lambda text, version: SpecifierSet(text).contains(version, prereleases=True))
    with open(lock, encoding="utf-8") as file:
        return split_options(file.read())
