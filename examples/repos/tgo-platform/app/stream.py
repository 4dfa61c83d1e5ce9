"""Messages of this process to whoever listens: nothing is kept for listeners that come later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import Iterator

from app.channels.message import Message


class Stream:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.listeners: set[asyncio.Queue[Message]] = set()

    def publish(self, message: Message) -> int:
        """How many listeners got it. One that does not read loses what is beyond the limit, not its place."""
        reached = 0
        for queue in self.listeners:
            if not queue.full():
                queue.put_nowait(message)
                reached += 1
        return reached

    @contextmanager
    def listening(self) -> Iterator[AsyncIterator[Message]]:
        queue: asyncio.Queue[Message] = asyncio.Queue(self.limit)
        self.listeners.add(queue)
        try:
            yield self.read(queue)
        finally:
            self.listeners.discard(queue)

    @staticmethod
    async def read(queue: "asyncio.Queue[Message]") -> AsyncIterator[Message]:
        while True:
            yield await queue.get()
