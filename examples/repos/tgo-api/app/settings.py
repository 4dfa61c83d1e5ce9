"""Everything the service reads from its environment, read once."""

import os
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Settings:
    database_url: str
    version: str
    commit: str
    build_time: str


@lru_cache
def settings() -> Settings:
    return Settings(
        database_url=os.environ.get("DATABASE_URL", "postgresql+psycopg://tgo:tgo@localhost:5432/tgo"),
        version=os.environ.get("APP_VERSION", "unknown"),
        commit=os.environ.get("GIT_COMMIT", "unknown"),
        build_time=os.environ.get("BUILD_TIME", "unknown"),
    )
