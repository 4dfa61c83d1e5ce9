"""Files of visitors and administrators: in Aliyun OSS when a bucket is given, else in uploads/."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import oss2
from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as PathParameter
from oss2.utils import Crc64
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from app.settings import settings

MAX_BYTES = 20 * 1024 * 1024

router = APIRouter()


class Upload(BaseModel):
    name: str
    bytes: int
    # OSS computes the same over what it received: a transfer that went wrong is seen.
    crc64: int


@lru_cache
def bucket() -> oss2.Bucket | None:
    given = settings()
    if not given.oss_bucket:
        return None
    auth = oss2.Auth(given.oss_key_id, given.oss_key_secret)
    return oss2.Bucket(auth, given.oss_endpoint, given.oss_bucket)


def store(name: str, content: bytes) -> None:
    remote = bucket()
    if remote is not None:
        remote.put_object(name, content)
        return
    folder = Path("uploads")
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


@router.put("/v1/uploads/{name}", status_code=201)
async def upload(
    name: Annotated[str, PathParameter(pattern=r"^[\w-][\w.-]{0,99}$")], request: Request
) -> Upload:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise HTTPException(413, f"More than {MAX_BYTES} bytes.")
    checksum = Crc64()
    checksum(bytes(content))
    try:
        await run_in_threadpool(store, name, bytes(content))
    except oss2.exceptions.OssError as error:
        raise HTTPException(502, f"OSS did not take the file: {error}") from error
    return Upload(name=name, bytes=len(content), crc64=checksum.crc)
