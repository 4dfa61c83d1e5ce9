"""The API for TGO's other services, port 8001: never published outside the compose network."""

from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app import health
from app.database import Visitor
from app.main import Session, database_unavailable
from app.settings import settings

internal_app = FastAPI(title="TGO API, internal (sample)", version=settings().version)
internal_app.include_router(health.router)
internal_app.add_exception_handler(OperationalError, database_unavailable)


@internal_app.get("/internal/visitors/count")
async def count_visitors(database: Session) -> dict[str, int]:
    return {"count": await database.scalar(select(func.count()).select_from(Visitor)) or 0}
