"""GET /health: is this process up, what is it, and on which machine.

It does not touch the database: a container is alive before its database is.
"""

import platform
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES

import orjson
import psycopg
from fastapi import APIRouter, Response

from app.settings import settings

# One extension module per package that ships machine code. Several of them are optional
# accelerators: with a file for another machine the package falls back to pure Python
# without a word, so /health says for each whether it was loaded.
EXTENSIONS = (
    "_cffi_backend",
    "crcmod._crcfunext",
    "cryptography.hazmat.bindings._rust",
    "greenlet._greenlet",
    "httptools.parser.parser",
    "markupsafe._speedups",
    "orjson.orjson",
    "pydantic_core._pydantic_core",
    "sqlalchemy.engine._row_cy",
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


def report() -> dict[str, object]:
    build = settings()
    return {
        "status": "ok",
        "service": "tgo-api",
        "version": build.version,
        "commit": build.commit,
        "build_time": build.build_time,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "libpq": psycopg.pq.version(),
        "extensions": {module.partition(".")[0]: is_native(module) for module in EXTENSIONS},
    }


@router.get("/health")
def health() -> Response:
    return Response(orjson.dumps(report()), media_type="application/json")
