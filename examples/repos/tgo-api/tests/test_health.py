import platform

import pytest
from fastapi.testclient import TestClient

from app import internal, main
from app.health import EXTENSIONS


@pytest.mark.parametrize("app", [main.app, internal.app], ids=["public", "internal"])
def test_health_names_the_machine_and_needs_no_database(app):
    body = TestClient(app).get("/health").json()

    assert body["status"] == "ok"
    assert body["machine"] == platform.machine()
    assert body["libpq"] >= 120000


def test_every_extension_is_machine_code_and_not_its_pure_python_fallback():
    extensions = TestClient(main.app).get("/health").json()["extensions"]

    assert len(extensions) == len(EXTENSIONS)
    assert [name for name, native in extensions.items() if not native] == []


def test_a_visitor_without_a_name_is_refused():
    assert TestClient(main.app).post("/v1/visitors", json={"name": "  "}).status_code == 422
