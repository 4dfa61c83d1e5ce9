import base64
import hashlib
import hmac
import json
import platform
import struct
import time

import pytest
from alembic.config import main as alembic
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fastapi.testclient import TestClient

from app import main
from app.health import EXTENSIONS
from app.main import app
from app.settings import settings

KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "secret")
    monkeypatch.setenv("WECOM_TOKEN", "token")
    monkeypatch.setenv("WECOM_AES_KEY", KEY)
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://tgo@127.0.0.1:1/tgo")
    settings.cache_clear()
    yield TestClient(app)
    settings.cache_clear()


@pytest.fixture
def kept(monkeypatch):
    messages = []

    async def accept(message):
        messages.append(message)

    monkeypatch.setattr(main, "accept", accept)
    return messages


def from_slack(client, delivery, secret="secret", age=0):
    body = json.dumps(delivery).encode()
    moment = str(int(time.time()) - age)
    signature = hmac.new(secret.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": moment, "x-slack-signature": f"v0={signature}"}
    return client.post("/v1/channels/slack", content=body, headers=headers)


def encrypted(content, receiver=b"corp"):
    plain = b"r" * 16 + struct.pack(">I", len(content)) + content + receiver
    size = 32 - len(plain) % 32
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([size]) * size)).decode()


def signature(part, token="token"):
    return hashlib.sha1("".join(sorted((token, "1", "n", part))).encode()).hexdigest()


def test_health_names_the_machine_and_needs_no_database(client):
    body = client.get("/health").json()

    assert body["status"] == "ok"
    assert body["machine"] == platform.machine()
    assert body["openssl"].startswith("OpenSSL")


def test_every_extension_is_machine_code_and_not_its_pure_python_fallback(client):
    extensions = client.get("/health").json()["extensions"]

    assert len(extensions) == len(EXTENSIONS)
    assert [name for name, native in extensions.items() if not native] == []


def test_slack_is_told_its_challenge(client):
    assert from_slack(client, {"type": "url_verification", "challenge": "abc"}).text == "abc"


@pytest.mark.parametrize(("secret", "age"), [("another", 0), ("secret", 3600)])
def test_a_delivery_that_is_forged_or_old_is_refused(client, kept, secret, age):
    event = {"type": "message", "user": "U1", "text": "hello"}

    assert from_slack(client, {"event": event}, secret, age).status_code == 403
    assert kept == []


def test_slack_and_wecom_messages_get_one_shape(client, kept):
    from_slack(client, {"event": {"type": "message", "user": "U1", "text": "hello"}})
    content = "<xml><FromUserName>王</FromUserName><Content>你好</Content></xml>".encode()
    part = encrypted(content)
    query = {"msg_signature": signature(part), "timestamp": "1", "nonce": "n"}
    answer = client.post(
        "/v1/channels/wecom", params=query, content=f"<xml><Encrypt>{part}</Encrypt></xml>"
    )

    assert answer.text == "success"
    assert [(m.channel, m.sender, m.text) for m in kept] == [("slack", "U1", "hello"), ("wecom", "王", "你好")]


def test_what_is_encrypted_with_another_key_is_refused(client, kept):
    part = base64.b64encode(b"x" * 64).decode()
    query = {"msg_signature": signature(part), "timestamp": "1", "nonce": "n"}
    answer = client.post(
        "/v1/channels/wecom", params=query, content=f"<xml><Encrypt>{part}</Encrypt></xml>"
    )

    assert answer.status_code == 403
    assert kept == []


def test_xml_with_entities_is_refused(client, kept):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>&a;</Encrypt></xml>'
    query = {"msg_signature": "0", "timestamp": "1", "nonce": "n"}

    assert client.post("/v1/channels/wecom", params=query, content=bomb).status_code == 403


def test_a_message_that_cannot_be_kept_is_delivered_again(client):
    response = from_slack(client, {"event": {"type": "message", "user": "U1", "text": "hello"}})

    assert response.status_code == 500
    assert "DATABASE_URL" in response.json()["detail"]


def test_the_migrations_make_the_table_the_service_writes(capsys):
    alembic(["upgrade", "head", "--sql"])

    assert "CREATE TABLE platform_inbox" in capsys.readouterr().out
