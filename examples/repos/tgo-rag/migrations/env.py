"""Run by alembic: one connection of the service's own engine."""

import asyncio
from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection

from src.rag_service.database import Base, engine

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name)


def run(connection: Connection) -> None:
    # The services share one database: each keeps its own record of where it stands.
    context.configure(connection, target_metadata=Base.metadata, version_table="rag_alembic_version")
    with context.begin_transaction():
        context.run_migrations()


async def online() -> None:
    async with engine().connect() as connection:
        await connection.run_sync(run)
        await connection.commit()


if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql", target_metadata=Base.metadata, version_table="rag_alembic_version"
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(online())
