"""Wheel tags and environment markers of an architecture: PEP 425, 600 and 508."""

import platform
import sys

from packaging import tags
from packaging.markers import Marker

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
