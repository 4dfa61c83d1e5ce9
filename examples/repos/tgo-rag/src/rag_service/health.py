"""GET /health: is this process up, what is it, on which machine, and what of the system does it find."""

import platform
import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES

import magic
from fastapi import APIRouter, Response

from .config import get_settings
from .words import frequencies

# One extension module of each package that ships machine code; those that have a pure Python fallback fall back
# without a word when the file is for another machine.
EXTENSIONS = (
    "PIL._imaging",
    "greenlet._greenlet",
    "httptools.parser.parser",
    "markupsafe._speedups",
    "msgpack._cmsgpack",
    "numpy._core._multiarray_umath",
    "psycopg_binary._psycopg",
    "pydantic_core._pydantic_core",
    "regex._regex",
    "sqlalchemy.engine._row_cy",
    "uvloop.loop",
    "watchfiles._rust_notify",
    "websockets.speedups",
    "yaml._yaml",
)

PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + bytes(17)

router = APIRouter()


def is_native(module: str) -> bool:
    try:
        # Of psycopg_binary the driver must come first.
        import_module("psycopg")
        file = import_module(module).__file__
    except ImportError:
        return False
    return file is not None and file.endswith(tuple(EXTENSION_SUFFIXES))


def printed(*command: str) -> str:
    """The first line a program prints. Runs it: nothing else shows that its libraries are all there."""
    done = subprocess.run(command, check=True, timeout=60, text=True, capture_output=True)
    return (done.stdout or done.stderr).partition("\n")[0]


def font() -> str:
    """The file fontconfig finds for a family that only fonts-liberation has."""
    found = printed("fc-match", "--format", "%{family[0]} %{file}\n", "Liberation Sans")
    if not found.startswith("Liberation Sans"):
        raise FileNotFoundError(f"fontconfig offers {found} instead")
    return found.split(" ")[-1]


def office() -> str:
    """Where LibreOffice is. It is not started: that takes seconds."""
    found = shutil.which("soffice")
    if found is None:
        raise FileNotFoundError("there is no soffice")
    return found


def words() -> int:
    return sum(len(frequencies(language)) for language in ("en", "zh"))


SYSTEM: dict[str, Callable[[], object]] = {
    "libmagic": lambda: magic.from_buffer(PICTURE, mime=True),
    "tesseract": lambda: printed("tesseract", "--version"),
    "font": font,
    "office": office,
    "words": words,
}


@lru_cache
def system() -> tuple[dict[str, object], dict[str, str]]:
    """What was found, and what was not and why. An image does not change: looked for once."""
    found: dict[str, object] = {}
    missing: dict[str, str] = {}
    for name, look in SYSTEM.items():
        try:
            found[name] = look()
        except Exception as error:  # noqa: BLE001 whatever it is, it is told
            missing[name] = f"{type(error).__name__}: {error}"
    return found, missing


@router.get("/health")
def health(response: Response) -> dict[str, object]:
    build = get_settings()
    found, missing = system()
    if missing:
        # Nothing in a container brings it back: the image is not what it should be.
        response.status_code = 503
    return {
        "status": "unhealthy" if missing else "healthy",
        "service": "tgo-rag",
        "version": build.version,
        "commit": build.commit,
        "build_time": build.build_time,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "system": found,
        "missing": missing,
        "extensions": {module.partition(".")[0]: is_native(module) for module in EXTENSIONS},
    }
