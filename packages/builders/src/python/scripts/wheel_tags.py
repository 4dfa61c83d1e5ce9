"""Wheel tags and environment markers of an architecture: PEP 425, 600 and 508."""

import platform
import re
import sys

from packaging import tags
from packaging.markers import Marker
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def supported_tags(machine, glibc):
    """The tags that a machine supports, each with its rank, best first; `glibc` is the highest minor version of glibc 2."""
    names = []
    for minor in range(glibc, 4, -1):
        names.append(f"manylinux_2_{minor}_{machine}")
        if minor in LEGACY:
            names.append(f"{LEGACY[minor]}_{machine}")
    names.append(f"linux_{machine}")
    version = sys.version_info[:2]
    interpreter = f"cp{version[0]}{version[1]}"
    ordered = [*tags.cpython_tags(version, [interpreter], names), *tags.compatible_tags(version, interpreter, names)]
    return {tag: rank for rank, tag in reversed(list(enumerate(ordered)))}


def applies(marker, machine):
    """Whether a locked package with this marker is installed on a machine."""
    if marker is None:
        return True
    environment = {"platform_machine": machine, "platform_system": "Linux", "sys_platform": "linux", "os_name": "posix"}
    environment |= {"platform_release": "", "platform_version": "", "python_full_version": platform.python_version()}
    return Marker(marker).evaluate(environment)


def missing_wheel(names, machine, ranks):
    """Why none of these wheels fits a machine. `ranks` are its supported tags."""
    offered = [tag for name in names for tag in _tags(name)]
    if not offered:
        return "it has no wheels"
    own = [tag for tag in offered if tag.platform == "any" or tag.platform.endswith(f"_{machine}")]
    if not own:
        machines = sorted({re.sub(r"^(?:(?:many|musl)?linux[\d_]*?|macosx_\d+_\d+)_(?=[a-z])", "", tag.platform) for tag in offered})
        return f"its wheels are for {', '.join(machines)}"
    pythons = {(tag.interpreter, tag.abi) for tag in ranks}
    fitting = [tag for tag in own if (tag.interpreter, tag.abi) in pythons]
    if not fitting:
        versions = sorted({tag.interpreter for tag in own}, key=lambda name: (len(name), name))
        return f"its wheels are for {', '.join(versions)}, and the base image has Python {platform.python_version()}"
    glibc = sorted({(int(found[1]), int(found[2])) for tag in fitting if (found := re.match(r"manylinux_(\d+)_(\d+)_", tag.platform))})
    if not glibc:
        return f"its wheels are for {', '.join(sorted({tag.platform for tag in fitting}))}, none of them for glibc"
    supported = max(int(found[1]) for tag in ranks if (found := re.match(r"manylinux_2_(\d+)_", tag.platform)))
    return f"its wheels need glibc {glibc[0][0]}.{glibc[0][1]} or newer, and wheels for up to glibc 2.{supported} are installed"


def _tags(name):
    try:
        return parse_wheel_filename(name)[3]
    except InvalidWheelFilename:
        return []
