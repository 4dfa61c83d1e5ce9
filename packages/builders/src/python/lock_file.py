"""A requirements file with hashes; the pipeline has checked its lines already."""

from project import require_python, split_options, table
from packaging.specifiers import SpecifierSet
from problem import Problem


def export(project, lock, groups):
    if groups != ["main"]:
        remedy = "Lock with Poetry or uv, or name another file in build.lock, and remove build.groups."
        raise Problem("SOURCE", f"a requirements file has no dependency groups ({', '.join(groups)})", lock, remedy)
    python = table(project, "project").get("requires-python")
    require_python(python, lambda text, version: SpecifierSet(text).contains(version, prereleases=True))
    with open(lock, encoding="utf-8") as file:
        return split_options(file.read())
