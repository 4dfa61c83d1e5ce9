"""Source archives: the languages in them, and how to unpack them."""

import os
import re
import tarfile
import zipfile

LANGUAGES = {
    "c": r"\.(c|pyx|s)$",
    "c++": r"\.(cc|cpp|cxx|hpp|hxx)$",
    "rust": r"(\.rs|/Cargo\.toml)$",
    "fortran": r"\.(f|for|f77|f90|f95)$",
    "go": r"\.go$",
    "other": r"/(meson\.build|CMakeLists\.txt|configure)$",
}
NOT_BUILT = r"(^|/)(tests?|docs?|examples?|benchmarks?)/"
BUILDS_EXTENSIONS = r"\b(Extension\s*\(|ext_modules|cffi_modules|rust_extensions|has_ext_modules)"


def languages(path):
    """The languages that have to be compiled; none for a pure Python package."""
    names = _names(path)
    top = len(_top(names))
    code = [name for name in names if not re.search(NOT_BUILT, name[top:], re.I)]
    found = [
        language for language, pattern in LANGUAGES.items() if any(re.search(pattern, name, re.I) for name in code)
    ]
    setup = _read(path, f"{_top(names)}/setup.py") or ""
    if not found and re.search(BUILDS_EXTENSIONS, setup):
        found = ["c"]
    return found


def unpack(path, target):
    """Unpacks an archive; its top directory becomes `target`."""
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(parent)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(parent, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    top = os.path.join(parent, _top(_names(path)))
    if top != target:
        os.rename(top, target)


def _top(names):
    return names[0].removeprefix("./").split("/")[0] if names else ""


def _names(path):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    with tarfile.open(path) as archive:
        return archive.getnames()


def _read(path, name):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return archive.read(name).decode(errors="replace") if name in archive.namelist() else None
    with tarfile.open(path) as archive:
        found = archive.extractfile(name) if name in archive.getnames() else None
        return None if found is None else found.read().decode(errors="replace")
