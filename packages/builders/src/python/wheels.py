"""Which wheel of a package is for which machine: PEP 425, 600 and 508."""

import platform
import sys

from packaging import tags
from packaging.markers import Marker
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def supported(machine, glibc):
    """Tags of a machine with their rank, best first; glibc is the highest minor version of glibc 2 to ask for."""
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


def wanted(marker, machine):
    """Whether a locked package is installed on a machine."""
    if marker is None:
        return True
    facts = {"platform_machine": machine, "platform_system": "Linux", "sys_platform": "linux", "os_name": "posix"}
    facts |= {"platform_release": "", "platform_version": "", "python_full_version": platform.python_version()}
    return Marker(marker).evaluate(facts)


def best(wheels, ranks):
    """The wheel an installer would choose, or None."""
    found = None
    for wheel in wheels:
        try:
            offered = parse_wheel_filename(wheel["file"])[3]
        except InvalidWheelFilename:
            continue
        rank = min((ranks[tag] for tag in offered if tag in ranks), default=None)
        if rank is not None and (found is None or rank < found[0]):
            found = (rank, wheel)
    return None if found is None else found[1]
