"""GET /health: is this process up, what is it, and on which machine. It touches neither database nor provider."""

import platform
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES

from fastapi import APIRouter

from app.settings import settings

# One extension module of each package that ships machine code. Most of them are accelerators: with a file for
# another machine the package is slower and says nothing.
EXTENSIONS = (
    "aiohttp._http_parser",
    "asyncpg.protocol.protocol",
    "frozenlist._frozenlist",
    "greenlet._greenlet",
    "httptools.parser.parser",
    "jiter.jiter",
    "markupsafe._speedups",
    "multidict._multidict",
    "propcache._helpers_c",
    "pydantic_core._pydantic_core",
    "sqlalchemy.engine._row_cy",
    "uvloop.loop",
    "watchfiles._rust_notify",
    "websockets.speedups",
    "yaml._yaml",
    "yarl._quoting_c",
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
        "status": "healthy",
        "service": "tgo-ai",
        "version": build.version,
        "commit": build.commit,
        "build_time": build.build_time,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "extensions": {module.partition(".")[0]: is_native(module) for module in EXTENSIONS},
    }
