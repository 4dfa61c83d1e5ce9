"""Documents of TGO, port 8082."""

import uuid
from typing import Annotated

import numpy as np
from fastapi import FastAPI, HTTPException, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool

from . import health
from .config import get_settings
from .database import Passage, engine
from .extract import Document, Unreadable, read
from .passages import nearest, passages, vector
from .words import MissingWords, keywords

MAX_BYTES = 100 * 1024 * 1024


class Parsed(BaseModel):
    type: str
    language: str
    keywords: list[str]
    passages: list[str]


class Stored(Parsed):
    file: str


class Question(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    language: Annotated[str, Field(pattern="^(en|zh)$")] = "en"
    count: Annotated[int, Field(ge=1, le=50)] = 5


class Found(BaseModel):
    file: str
    text: str
    nearness: float


app = FastAPI(title="TGO RAG (sample)", version=get_settings().version)
app.include_router(health.router)


@app.exception_handler(OperationalError)
async def database_unavailable(_: Request, __: OperationalError) -> JSONResponse:
    return JSONResponse({"detail": "The database cannot be reached: check DATABASE_URL."}, status_code=503)


@app.exception_handler(Unreadable)
async def unreadable(_: Request, error: Unreadable) -> JSONResponse:
    return JSONResponse({"detail": f"The file cannot be read: {error}."}, status_code=415)


@app.exception_handler(MissingWords)
async def incomplete(_: Request, error: MissingWords) -> JSONResponse:
    return JSONResponse({"detail": f"The image is incomplete: {error}."}, status_code=500)


async def content_of(file: UploadFile) -> bytes:
    content = await file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise HTTPException(413, f"More than {MAX_BYTES} bytes.")
    return content


def parsed(document: Document) -> Parsed:
    return Parsed(
        type=document.type,
        language=document.language,
        keywords=keywords(document.text, document.language, 10),
        passages=passages(document.text),
    )


@app.post("/v1/parse")
async def parse(file: UploadFile) -> Parsed:
    """What storing a file would find in it; nothing is kept."""
    content = await content_of(file)
    return await run_in_threadpool(lambda: parsed(read(content)))


@app.post("/v1/files", status_code=201)
async def store(file: UploadFile, response: Response) -> Stored:
    content = await content_of(file)
    result = await run_in_threadpool(lambda: parsed(read(content)))
    name = str(uuid.uuid4())
    rows = [
        {"file": name, "text": text, "vector": vector(text, result.language).astype("<f4").tobytes()}
        for text in result.passages
    ]
    async with engine().begin() as connection:
        await connection.execute(insert(Passage), rows)
        folder = get_settings().upload_dir
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    response.headers["location"] = f"/v1/files/{name}"
    return Stored(file=name, **result.model_dump())


@app.post("/v1/search")
async def search(question: Question) -> list[Found]:
    async with engine().connect() as connection:
        rows = (await connection.execute(select(Passage.file, Passage.text, Passage.vector))).all()
    if not rows:
        return []
    known = np.frombuffer(b"".join(row.vector for row in rows), "<f4").reshape(len(rows), -1)
    best = nearest(vector(question.text, question.language), known, question.count)
    return [Found(file=rows[row].file, text=rows[row].text, nearness=cosine) for row, cosine in best]
