"""Agents of TGO, port 8081."""

from typing import Annotated

import structlog
from fastapi import Depends, FastAPI, HTTPException, Path, Request
from fastapi.responses import JSONResponse
from openai import OpenAIError
from pydantic import BaseModel, StringConstraints
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app import health, skills
from app.database import Run, session
from app.provider import NoProvider, answer
from app.settings import settings

log = structlog.get_logger()
Agent = Annotated[str, Path(pattern=f"^{skills.NAME.pattern}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class Instructions(BaseModel):
    text: Words


class Question(BaseModel):
    input: Words


class Answer(BaseModel):
    output: str
    tokens: int


app = FastAPI(title="TGO AI (sample)", version=settings().version)
app.include_router(health.router)


@app.exception_handler(NoProvider)
async def provider_missing(_: Request, __: NoProvider) -> JSONResponse:
    return JSONResponse({"detail": "No provider is configured: set PROVIDER_URL."}, status_code=503)


@app.exception_handler(OpenAIError)
async def provider_failed(_: Request, error: OpenAIError) -> JSONResponse:
    return JSONResponse({"detail": f"The provider did not answer: {error}"}, status_code=502)


@app.put("/v1/agents/{agent}", status_code=204)
async def teach(agent: Agent, body: Instructions) -> None:
    skills.teach(settings().skills_base_dir, agent, body.text)


@app.post("/v1/agents/{agent}/runs")
async def run(
    agent: Agent, body: Question, database: Annotated[AsyncSession, Depends(session)]
) -> Answer:
    told = skills.instructions(settings().skills_base_dir, agent)
    if told is None:
        raise HTTPException(404, f"There is no agent {agent}: PUT its instructions first.")
    output, tokens = await answer(told, body.input)
    try:
        database.add(Run(agent=agent, model=settings().provider_model, tokens=tokens))
        await database.commit()
    except (SQLAlchemyError, OSError) as error:
        # The visitor has an answer; a record that is lost must not take it away again.
        log.warning("run not recorded", agent=agent, tokens=tokens, error=str(error))
    return Answer(output=output, tokens=tokens)
