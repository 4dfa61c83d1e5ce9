"""Everything the service reads from its environment, read once."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "postgresql+asyncpg://tgo:tgo@localhost:5432/tgo"
    provider_url: str | None = None
    provider_api_key: str = ""
    provider_model: str = "gpt-4o-mini"
    skills_base_dir: Path = Path("/data/skills")
    version: str = Field("unknown", validation_alias="APP_VERSION")
    commit: str = Field("unknown", validation_alias="GIT_COMMIT")
    build_time: str = Field("unknown", validation_alias="BUILD_TIME")


@lru_cache
def settings() -> Settings:
    return Settings()
