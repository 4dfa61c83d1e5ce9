"""Looks up the files of every locked package on the package index, through uv."""

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


def index_flags(indexes, pypi):
    """uv's index options; the mirror replaces PyPI only."""
    options = ["--default-index", indexes["default"] or pypi or PYPI]
    for url in indexes["extra"]:
        options += ["--index", url]
    # Every file is verified by hash, so it does not matter which index serves it.
    return [*options, "--index-strategy", "unsafe-best-match"]


def locked_hashes(requirements):
    """The sha256 hashes that the lock allows, by (name, version)."""
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
    """The packages of a set of requirements as in pylock.toml (PEP 751), and notes about yanked versions."""
    pylock = os.path.join(work, "pylock.toml")
    command = ["uv", "pip", "compile", "--no-config", "--universal", "--no-deps", "--generate-hashes"]
    command += ["--format", "pylock.toml", "--output-file", pylock, *index_flags(indexes, pypi), requirements]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise _failure(done.stderr, indexes, pypi)
    with open(pylock, "rb") as file:
        packages = tomllib.load(file).get("packages", [])
    yanked = re.findall(r"^warning: `(\S+)==(\S+)` is yanked(?: \(reason: (.*)\))?$", done.stderr, re.MULTILINE)
    return packages, [_yanked(*found) for found in yanked]


def _yanked(name, version, reason):
    """A lock may keep a yanked version (PEP 592), so this is a note, not an error."""
    text = json.loads(reason) if reason.startswith('"') else reason
    return f"{name} {version} was withdrawn (yanked) by its authors: {text or 'no reason given'}"


def files_of(package):
    """A package's sdist and wheels as {name, version, file, url, sha256, size}."""
    entries = [package["sdist"]] if "sdist" in package else []
    entries += package.get("wheels", [])
    entries += [package["archive"]] if "archive" in package else []
    return [_file(package, entry) for entry in entries if "url" in entry]


def _file(package, entry):
    name = entry.get("name") or re.sub(r"[?#].*", "", entry["url"]).rsplit("/", 1)[1]
    base = {"name": package["name"], "version": package.get("version", ""), "file": name.replace("%2B", "+")}
    return {**base, "url": entry["url"], "sha256": entry["hashes"].get("sha256"), "size": entry.get("size", 0)}


def _failure(output, indexes, pypi):
    url = re.search(r"Failed to fetch: `?([^\s`]+)", output)
    gone = re.search(r"there is no version of (\S+?)==(\S+)", output)
    unknown = re.search(r"Because (\S+) was not found in", output)
    mirror = f"through the mirror {pypi}, set by mirrors.pypi or --mirror pypi=URL" if pypi else "PyPI itself, no mirror is set"
    if re.search(r"40[13]|credentials", output) and url is not None:
        remedy = "Pass credentials for the index: --netrc file:$HOME/.netrc."
        return Problem("UNAUTHORIZED", f"the package index denies access\n{last_lines(output)}", url[1], remedy)
    if gone is not None or unknown is not None:
        name = f"{gone[1]} {gone[2].rstrip(',')}" if gone is not None else unknown[1]
        remedy = f"It was removed, or this index does not have it ({mirror}). Lock a version that exists: "
        remedy += "pip index versions NAME lists them."
        where = ", ".join([indexes["default"] or pypi or PYPI, *indexes["extra"]])
        return Problem("BUILD", f"{name} is not on the package index", where, remedy)
    if url is not None:
        remedy = f"Check the network and the address ({mirror}). If PyPI is unreachable from here, set mirrors.pypi in "
        remedy += "tgo.catalog.json. Behind a TLS-inspecting proxy, pass --ca-bundle FILE."
        return Problem("UNAVAILABLE", f"the package index cannot be reached\n{last_lines(output)}", url[1], remedy)
    what = f"the locked packages cannot be looked up\n{last_lines(output)}"
    return Problem("BUILD", what, None, "The output above is uv's.")
