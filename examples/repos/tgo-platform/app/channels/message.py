"""The one shape that messages of all channels get."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    channel: str
    sender: str
    text: str


class Refused(Exception):
    """A delivery that does not come from the channel it names, or cannot be read."""
