"""The public API, port 8000."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app import health, uploads
from app.database import Visitor, session
from app.settings import settings

Session = Annotated[AsyncSession, Depends(session)]


class NewVisitor(BaseModel):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class VisitorOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    created_at: datetime


app = FastAPI(title="TGO API (sample)", version=settings().version)
app.include_router(health.router)
app.include_router(uploads.router)
# Made by the image, absent in a bare checkout until something is uploaded.
app.mount("/uploads", StaticFiles(directory="uploads", check_dir=False), name="uploads")


@app.exception_handler(OperationalError)
async def database_unavailable(_: Request, __: OperationalError) -> JSONResponse:
    return JSONResponse({"detail": "The database cannot be reached: check DATABASE_URL."}, status_code=503)


@app.get("/v1/visitors")
async def list_visitors(database: Session) -> list[VisitorOut]:
    rows = await database.scalars(select(Visitor).order_by(Visitor.id).limit(100))
    return [VisitorOut.model_validate(row) for row in rows]


@app.post("/v1/visitors", status_code=201)
async def add_visitor(body: NewVisitor, database: Session) -> VisitorOut:
    visitor = Visitor(name=body.name)
    database.add(visitor)
    await database.commit()
    return VisitorOut.model_validate(visitor)
