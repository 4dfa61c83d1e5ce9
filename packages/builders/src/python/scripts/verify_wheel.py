"""Verifies the architecture of a wheel: its tag, the suffix of its extensions, and every ELF file in it."""

import re
import struct
import zipfile

from problem import Problem

MACHINES = {0x3E: "x86_64", 0xB7: "aarch64"}


def verify_wheel(wheel, machine):
    """
    Returns "pure" or "compiled".
    `machine` is as platform.machine() returns it; None if the wheel must be pure.
    """
    name = wheel.rsplit("/", 1)[-1]
    tag = name.removesuffix(".whl").rsplit("-", 1)[1]
    with zipfile.ZipFile(wheel) as archive:
        found = {entry.filename: _machine(archive, entry) for entry in archive.infolist()}
    code = {path: of for path, of in found.items() if of is not None}
    if tag == "any" and not code:
        return "pure"
    if machine is None:
        raise Problem("BUILD", f"{name} should be pure Python, but contains {', '.join(code) or 'code for ' + tag}")
    if not tag.endswith(f"_{machine}"):
        raise Problem("BUILD", f"{name} is not tagged for {machine}")
    for path, of in code.items():
        suffix = re.search(r"\.cpython-\w+-(\w+)-linux-gnu\.so$", path)
        if of != machine or (suffix is not None and suffix[1] != machine):
            raise Problem("BUILD", f"{name}: {path} is for {of}, not for {machine}")
    return "compiled"


def _machine(archive, entry):
    """The machine of an ELF file, None for any other file. e_machine is at offset 18, in the byte order given at offset 5."""
    with archive.open(entry) as file:
        head = file.read(20)
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return None
    number = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])[0]
    return MACHINES.get(number, f"machine {number}")
