"""Channels of TGO, port 8003."""

import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import SecretStr
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError
from sse_starlette.sse import EventSourceResponse

from app import health
from app.channels import slack, wecom
from app.channels.message import Message, Refused
from app.database import Inbox, engine
from app.settings import settings
from app.stream import Stream

log = logging.getLogger(__name__)
app = FastAPI(title="TGO Platform (sample)", version=settings().version)
app.include_router(health.router)


@lru_cache
def stream() -> Stream:
    return Stream(settings().sse_backpressure_limit)


@app.exception_handler(Refused)
async def refused(_: Request, error: Refused) -> JSONResponse:
    return JSONResponse({"detail": f"The delivery is refused: {error}."}, status_code=403)


def configured(value: SecretStr | None, name: str) -> str:
    if value is None:
        raise HTTPException(503, f"This channel is not configured: set {name}.")
    return value.get_secret_value()


async def accept(message: Message) -> None:
    """Kept first, then told to those who listen: a delivery that fails comes again."""
    try:
        async with engine().begin() as connection:
            await connection.execute(insert(Inbox).values(**asdict(message)))
    except (SQLAlchemyError, OSError) as error:
        log.error("a message of %s cannot be kept: %s", message.channel, error)
        raise HTTPException(500, "The database cannot be reached: check DATABASE_URL.") from error
    stream().publish(message)


@app.post("/v1/channels/slack")
async def from_slack(
    request: Request,
    x_slack_request_timestamp: Annotated[str, Header()] = "",
    x_slack_signature: Annotated[str, Header()] = "",
) -> PlainTextResponse:
    body = await request.body()
    secret = configured(settings().slack_signing_secret, "SLACK_SIGNING_SECRET")
    slack.verify(secret, body, x_slack_request_timestamp, x_slack_signature, time.time())
    if (expected := slack.challenge(body)) is not None:
        return PlainTextResponse(expected)
    if (message := slack.message(body)) is not None:
        await accept(message)
    return PlainTextResponse("")


@app.get("/v1/channels/wecom")
async def wecom_address(
    msg_signature: str, timestamp: str, nonce: str, echostr: Annotated[str, Query(min_length=1)]
) -> PlainTextResponse:
    """Asked once, when the address is entered in WeCom's console."""
    given = settings()
    token = configured(given.wecom_token, "WECOM_TOKEN")
    wecom.verify(token, timestamp, nonce, echostr, msg_signature)
    key = configured(given.wecom_aes_key, "WECOM_AES_KEY")
    return PlainTextResponse(wecom.decrypt(key, echostr))


@app.post("/v1/channels/wecom")
async def from_wecom(
    request: Request, msg_signature: str, timestamp: str, nonce: str
) -> PlainTextResponse:
    given = settings()
    token = configured(given.wecom_token, "WECOM_TOKEN")
    encrypted = wecom.encrypted_part(await request.body())
    wecom.verify(token, timestamp, nonce, encrypted, msg_signature)
    key = configured(given.wecom_aes_key, "WECOM_AES_KEY")
    await accept(wecom.message(wecom.decrypt(key, encrypted)))
    return PlainTextResponse("success")


@app.get("/v1/messages")
async def messages() -> EventSourceResponse:
    async def events() -> AsyncIterator[dict[str, str]]:
        with stream().listening() as incoming:
            async for message in incoming:
                yield {"event": "message", "data": json.dumps(asdict(message))}

    return EventSourceResponse(events())
