"""Passages with their vectors. Tables are made by `alembic upgrade head`."""

from functools import lru_cache

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from .config import get_settings


class Base(DeclarativeBase):
    pass


class Passage(Base):
    __tablename__ = "rag_passages"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    file: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    # float32, little-endian: the same on every machine.
    vector: Mapped[bytes] = mapped_column(LargeBinary)


@lru_cache
def engine() -> AsyncEngine:
    return create_async_engine(get_settings().database_url, pool_pre_ping=True)
