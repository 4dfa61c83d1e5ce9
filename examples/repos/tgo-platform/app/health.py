"""GET /health: is this process up, what is it, and on which machine. It does not touch the database."""

import platform
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES

from cryptography.hazmat.backends.openssl import backend
from fastapi import APIRouter

from app.settings import settings

# One extension module of each package that ships machine code; those that have a pure Python fallback fall back
# without a word when the file is for another machine.
EXTENSIONS = (
    "_cffi_backend",
    "asyncpg.protocol.protocol",
    "cryptography.hazmat.bindings._rust",
    "greenlet._greenlet",
    "httptools.parser.parser",
    "markupsafe._speedups",
    "pydantic_core._pydantic_core",
    "sqlalchemy.cyextension.util",
    "uvloop.loop",
    "watchfiles._rust_notify",
    "websockets.speedups",
    "yaml._yaml",
)

router = APIRouter()


def is_native(module: str) -> bool:
    try:
        file = import_module(module).__file__
    except ImportError:
        return False
    return file is not None and file.endswith(tuple(EXTENSION_SUFFIXES))


@router.get("/health")
def health() -> dict[str, object]:
    build = settings()
    return {
        "status": "ok",
        "service": "tgo-platform",
        "version": build.version,
        "commit": build.commit,
        "build_time": build.build_time,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "openssl": backend.openssl_version_text(),
        "extensions": {module.partition(".")[0]: is_native(module) for module in EXTENSIONS},
    }
