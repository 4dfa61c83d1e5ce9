"""Everything the service reads from its environment, read once."""

import os
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Settings:
    database_url: str
    oss_endpoint: str
    oss_bucket: str
    oss_key_id: str
    oss_key_secret: str
    version: str
    commit: str
    build_time: str


@lru_cache
def settings() -> Settings:
    return Settings(
        database_url=os.environ.get("DATABASE_URL", "postgresql+psycopg://tgo:tgo@localhost:5432/tgo"),
        # Aliyun OSS for uploads; without a bucket they stay in uploads/.
        oss_endpoint=os.environ.get("OSS_ENDPOINT", "https://oss-cn-shanghai.aliyuncs.com"),
        oss_bucket=os.environ.get("OSS_BUCKET", ""),
        oss_key_id=os.environ.get("OSS_ACCESS_KEY_ID", ""),
        oss_key_secret=os.environ.get("OSS_ACCESS_KEY_SECRET", ""),
        version=os.environ.get("APP_VERSION", "unknown"),
        commit=os.environ.get("GIT_COMMIT", "unknown"),
        build_time=os.environ.get("BUILD_TIME", "unknown"),
    )
