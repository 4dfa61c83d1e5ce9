"""Asks the package index, through uv, which files there are of every locked package."""

import json
import os
import re
import subprocess

from problem import Problem, last_lines

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib

PYPI = "https://pypi.org/simple"


def flags(indexes, pypi):
    """Index options of uv; the mirror stands in for PyPI and nothing else."""
    options = ["--default-index", indexes["default"] or pypi or PYPI]
    for url in indexes["extra"]:
        options += ["--index", url]
    # Every file is known by its hash: which index it comes from decides nothing.
    return [*options, "--index-strategy", "unsafe-best-match"]


def locked_hashes(requirements):
    """sha256 of every file the lock allows, by (name, version)."""
    allowed = {}
    for line in re.sub(r"\\\n", " ", requirements).splitlines():
        pin = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*===?\s*([^\s;]+)", line)
        if pin is not None:
            found = re.findall(r"--hash[=\s]sha256:([0-9a-f]{64})", line)
            allowed.setdefault((canonical(pin[1]), pin[2]), set()).update(found)
    return allowed


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def look_up(requirements, indexes, pypi, work):
    """Packages of a set of requirements as pylock.toml has them (PEP 751), and what uv warned of."""
    pylock = os.path.join(work, "pylock.toml")
    command = ["uv", "pip", "compile", "--no-config", "--universal", "--no-deps", "--generate-hashes"]
    command += ["--format", "pylock.toml", "--output-file", pylock, *flags(indexes, pypi), requirements]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise _failure(done.stderr, indexes, pypi)
    with open(pylock, "rb") as file:
        packages = tomllib.load(file).get("packages", [])
    yanked = re.findall(r"^warning: `(\S+)==(\S+)` is yanked(?: \(reason: (.*)\))?$", done.stderr, re.MULTILINE)
    return packages, [_withdrawn(*found) for found in yanked]


def _withdrawn(name, version, reason):
    """A lock may still name such a version (PEP 592): told, not refused."""
    text = json.loads(reason) if reason.startswith('"') else reason
    return f"{name} {version} was withdrawn (yanked) by its authors: {text or 'no reason given'}"


def files_of(package):
    """Its sdist and its wheels as {name, version, file, url, sha256, size}."""
    entries = [package["sdist"]] if "sdist" in package else []
    entries += package.get("wheels", [])
    entries += [package["archive"]] if "archive" in package else []
    return [_file(package, entry) for entry in entries if "url" in entry]


def _file(package, entry):
    name = entry.get("name") or re.sub(r"[?#].*", "", entry["url"]).rsplit("/", 1)[1]
    facts = {"name": package["name"], "version": package.get("version", ""), "file": name.replace("%2B", "+")}
    return {**facts, "url": entry["url"], "sha256": entry["hashes"].get("sha256"), "size": entry.get("size", 0)}


def _failure(said, indexes, pypi):
    url = re.search(r"Failed to fetch: `?([^\s`]+)", said)
    gone = re.search(r"there is no version of (\S+?)==(\S+)", said)
    unknown = re.search(r"Because (\S+) was not found in", said)
    mirror = f"mirrors.pypi (or --mirror pypi=URL) leads to {pypi}" if pypi else "PyPI itself was asked"
    if re.search(r"40[13]|credentials", said) and url is not None:
        remedy = "Give the index's credentials: --netrc file:$HOME/.netrc."
        return Problem("UNAUTHORIZED", f"the package index refuses\n{last_lines(said)}", url[1], remedy)
    if gone is not None or unknown is not None:
        name = f"{gone[1]} {gone[2].rstrip(',')}" if gone is not None else unknown[1]
        remedy = f"It was removed, or the index does not have it ({mirror}). Lock a version that is there: "
        remedy += "pip index versions NAME lists them."
        where = ", ".join([indexes["default"] or pypi or PYPI, *indexes["extra"]])
        return Problem("BUILD", f"{name} is not on the package index", where, remedy)
    if url is not None:
        remedy = f"Check the network and the address: {mirror}. Where PyPI is out of reach, set mirrors.pypi in "
        remedy += "tgo.catalog.json. Behind a proxy that inspects TLS: --ca-bundle FILE."
        return Problem("UNAVAILABLE", f"the package index does not answer\n{last_lines(said)}", url[1], remedy)
    what = f"the locked packages cannot be looked up\n{last_lines(said)}"
    return Problem("BUILD", what, None, "The words above are uv's own.")
