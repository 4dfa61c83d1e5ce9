"""Everything the service reads from its environment, read once."""

from functools import lru_cache

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "postgresql+asyncpg://tgo:tgo@localhost:5432/tgo"
    slack_signing_secret: SecretStr | None = None
    # As WeCom's console shows it: 43 characters, base64 without its last one.
    wecom_token: SecretStr | None = None
    wecom_aes_key: SecretStr | None = None
    sse_backpressure_limit: int = 1000
    version: str = Field("unknown", validation_alias="APP_VERSION")
    commit: str = Field("unknown", validation_alias="GIT_COMMIT")
    build_time: str = Field("unknown", validation_alias="BUILD_TIME")


@lru_cache
def settings() -> Settings:
    return Settings()
