"""Reads pyproject.toml and exported requirements."""

import platform
import re

from problem import Problem

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib

PYPI = re.compile(r"^https://pypi\.org/simple/?$")


def read_toml(path):
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        remedy = "Fix the file." if path == "pyproject.toml" else "Restore the file from git, or lock again."
        raise Problem("SOURCE", f"it is not valid TOML: {error}", path, remedy)


def table(document, *names):
    """A table inside a document; empty if it is missing."""
    for name in names:
        document = document.get(name, {}) if isinstance(document, dict) else {}
    return document if isinstance(document, dict) else {}


def require_groups(wanted, known):
    """Group names are compared as in PEP 735: case-insensitively, with - _ . treated alike."""
    names = {re.sub(r"[-_.]+", "-", name).lower(): name for name in ["main", *known]}
    for group in wanted:
        if re.sub(r"[-_.]+", "-", group).lower() not in names:
            remedy = f"Existing groups: {', '.join(names.values())}. Correct build.groups of the service."
            raise Problem("SOURCE", f"there is no dependency group {group}", "pyproject.toml", remedy)


def require_python(text, allows):
    """The base image's Python must be in the range that the project supports."""
    version = platform.python_version()
    if text is None or allows(text, version):
        return
    remedy = "Choose a base image with a supported Python (build.base of the service), or widen the project's range."
    raise Problem("SOURCE", f"the project requires Python {text}, the base image has {version}", "pyproject.toml", remedy)


def split_options(text):
    """Separates requirement lines from index options."""
    lines, default, extra = [], None, []
    for line in text.splitlines():
        option = re.match(r"--(index-url|extra-index-url|trusted-host|find-links)[ =](\S+)", line)
        if option is None:
            lines.append(line)
        elif option[1] == "index-url":
            default = option[2]
        elif option[1] == "extra-index-url":
            extra.append(option[2])
    if default is not None and PYPI.match(default):
        default = None
    return "\n".join(lines) + "\n", {"default": default, "extra": [url for url in extra if not PYPI.match(url)]}
