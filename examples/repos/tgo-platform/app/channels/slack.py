"""Deliveries of Slack's Events API. https://docs.slack.dev/authentication/verifying-requests-from-slack"""

import hashlib
import hmac
import json

from app.channels.message import Message, Refused

# Older ones may be somebody's recording.
MAX_AGE_SECONDS = 300


def verify(secret: str, body: bytes, timestamp: str, signature: str, now: float) -> None:
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > MAX_AGE_SECONDS:
        raise Refused("its time is missing or too far from this clock")
    signed = f"v0:{timestamp}:".encode() + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise Refused("its signature is not Slack's")


def challenge(body: bytes) -> str | None:
    """What Slack wants to hear back when the address is entered in its console."""
    delivery = json.loads(body)
    return delivery.get("challenge") if delivery.get("type") == "url_verification" else None


def message(body: bytes) -> Message | None:
    """None for events that nobody wrote, such as a bot's own."""
    event = json.loads(body).get("event", {})
    if event.get("type") != "message" or "bot_id" in event or not event.get("text"):
        return None
    return Message("slack", event.get("user", ""), event["text"])
