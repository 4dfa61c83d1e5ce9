import platform

import pytest
from alembic.config import main as alembic
from fastapi.testclient import TestClient

from app import internal, main
from app.health import EXTENSIONS


@pytest.mark.parametrize("app", [main.app, internal.internal_app], ids=["public", "internal"])
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


def test_an_upload_is_kept_with_the_checksum_that_oss_computes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    response = TestClient(main.app).put("/v1/uploads/check.txt", content=b"123456789")

    # The check value of CRC-64/XZ: https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-xz
    assert response.json() == {"name": "check.txt", "bytes": 9, "crc64": 0x995DC9BBDF1939FA}
    assert (tmp_path / "uploads" / "check.txt").read_bytes() == b"123456789"


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fpasswd", ".hidden"])
def test_an_upload_cannot_leave_its_folder(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)

    assert TestClient(main.app).put(f"/v1/uploads/{name}", content=b"x").status_code in (404, 405, 422)
    assert list(tmp_path.rglob("*")) == []


def test_the_migrations_make_the_tables_the_service_writes(capsys):
    alembic(["upgrade", "head", "--sql"])

    printed = capsys.readouterr().out
    assert "CREATE TABLE visitors" in printed
    assert "CREATE TABLE admins" in printed
