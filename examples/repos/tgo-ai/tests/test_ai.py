import json
import platform
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from alembic.config import main as alembic
from fastapi.testclient import TestClient

from app import provider
from app.health import EXTENSIONS
from app.main import app
from app.settings import settings


class Provider(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = " / ".join(message["content"] for message in asked["messages"])
        message = {"role": "assistant", "content": said}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
        whole = {"id": "1", "object": "chat.completion", "created": 0, "model": asked["model"]}
        body = json.dumps({**whole, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setenv("SKILLS_BASE_DIR", str(tmp_path))
    # A port where nothing listens: recording a run fails, at once.
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://tgo@127.0.0.1:1/tgo")
    settings.cache_clear()
    provider.client.cache_clear()
    with TestClient(app) as opened:
        yield opened
    settings.cache_clear()


@pytest.fixture
def with_provider(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Provider)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PROVIDER_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("PROVIDER_API_KEY", "none")
    yield
    server.shutdown()


def test_health_names_the_machine_and_needs_no_database(client):
    body = client.get("/health").json()

    assert body["status"] == "healthy"
    assert body["machine"] == platform.machine()


def test_every_extension_is_machine_code_and_not_its_pure_python_fallback(client):
    extensions = client.get("/health").json()["extensions"]

    assert len(extensions) == len(EXTENSIONS)
    assert [name for name, native in extensions.items() if not native] == []


def test_an_agent_answers_with_its_instructions_even_when_the_run_cannot_be_recorded(with_provider, client):
    assert client.put("/v1/agents/support", json={"text": "Be kind."}).status_code == 204

    body = client.post("/v1/agents/support/runs", json={"input": "hello"}).json()

    assert body == {"output": "Be kind. / hello", "tokens": 7}


@pytest.mark.parametrize(
    ("agent", "status"),
    [("nobody", 404), ("..%2Fetc", 404), ("Not_A_Name", 422)],
)
def test_an_agent_that_is_not_there_is_refused(client, agent, status):
    assert client.post(f"/v1/agents/{agent}/runs", json={"input": "hello"}).status_code == status


def test_without_a_provider_the_answer_says_what_to_set(client):
    client.put("/v1/agents/support", json={"text": "Be kind."})

    response = client.post("/v1/agents/support/runs", json={"input": "hello"})

    assert response.status_code == 503
    assert "PROVIDER_URL" in response.json()["detail"]


def test_the_migrations_make_the_table_the_service_writes(capsys):
    alembic(["upgrade", "head", "--sql"])

    assert "CREATE TABLE ai_runs" in capsys.readouterr().out
