"""Everything the service reads from its environment, read once."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "postgresql+psycopg://tgo:tgo@localhost:5432/tgo"
    upload_dir: Path = Path("uploads")
    # Made when the image is built (see words.py); the image says where.
    words_dir: Path = Path("wordfreq")
    version: str = Field("unknown", validation_alias="APP_VERSION")
    commit: str = Field("unknown", validation_alias="GIT_COMMIT")
    build_time: str = Field("unknown", validation_alias="BUILD_TIME")


@lru_cache
def get_settings() -> Settings:
    return Settings()
