"""Runs where libmagic1, tesseract-ocr, fonts-liberation, fontconfig and soffice are, as in the image."""

import io
import json
import platform
import zipfile

import numpy as np
import pytest
from alembic.config import main as alembic
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw, ImageFont

from src.rag_service import health, words
from src.rag_service.config import get_settings
from src.rag_service.main import app
from src.rag_service.passages import nearest, passages, vector

WORD = """<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>
<w:p><w:r><w:t>The invoice was paid.</w:t></w:r></w:p></w:body></w:document>"""


@pytest.fixture
def client(tmp_path, monkeypatch):
    (tmp_path / "en.json").write_text(json.dumps({"the": 0.05, "was": 0.01, "paid": 1e-4, "invoice": 1e-6}))
    (tmp_path / "zh.json").write_text(json.dumps({"的": 0.05}))
    monkeypatch.setenv("WORDS_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://tgo@127.0.0.1:1/tgo")
    for cached in (get_settings, words.frequencies, health.system):
        cached.cache_clear()
    yield TestClient(app)
    for cached in (get_settings, words.frequencies, health.system):
        cached.cache_clear()


def parse(client, content):
    return client.post("/v1/parse", files={"file": ("file", content)})


def test_health_names_the_machine_and_what_it_finds_of_the_system(client):
    body = client.get("/health").json()

    assert body["missing"] == {}
    assert body["status"] == "healthy"
    assert body["machine"] == platform.machine()
    assert body["system"]["libmagic"] == "image/png"
    assert body["system"]["tesseract"].startswith("tesseract 5")
    assert body["system"]["words"] == 5


def test_every_extension_is_machine_code_and_not_its_pure_python_fallback(client):
    extensions = client.get("/health").json()["extensions"]

    assert len(extensions) == len(health.EXTENSIONS)
    assert [name for name, native in extensions.items() if not native] == []


def test_without_the_data_of_the_build_the_service_says_that_it_is_unhealthy(client, tmp_path):
    (tmp_path / "zh.json").unlink()

    response = client.get("/health")

    assert response.status_code == 503
    assert response.json()["status"] == "unhealthy"
    assert "zh.json" in response.json()["missing"]["words"]


def test_a_picture_is_read_by_tesseract(client):
    picture = Image.new("RGB", (640, 120), "white")
    ImageDraw.Draw(picture).text((20, 30), "The invoice was paid", "black", ImageFont.load_default(48))
    content = io.BytesIO()
    picture.save(content, "PNG")

    body = parse(client, content.getvalue()).json()

    assert body["type"] == "image/png"
    assert "invoice" in body["keywords"]


def test_a_word_document_is_told_from_other_archives_and_read(client):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", "<Relationships/>")
        archive.writestr("word/document.xml", WORD)

    body = parse(client, content.getvalue()).json()

    assert body["type"].endswith("wordprocessingml.document")
    assert body["passages"] == ["The invoice was paid."]


def test_the_rarest_word_is_the_first_keyword(client):
    assert parse(client, b"The invoice was paid.").json()["keywords"][0] == "invoice"


def test_what_is_no_document_is_refused(client):
    response = parse(client, b"\x7fELF\x02\x01\x01" + bytes(64))

    assert response.status_code == 415


def test_passages_are_whole_sentences():
    assert passages("One two. Three four. Five.", size=12) == ["One two.", "Three four.", "Five."]
    assert passages("你好。再见。", size=3) == ["你好。", "再见。"]


def test_the_passage_that_shares_rare_words_is_nearest(client):
    texts = ["The paid invoice.", "The weather was good."]
    known = np.stack([vector(text, "en") for text in texts])

    assert [row for row, _ in nearest(vector("Who paid the invoice?", "en"), known, 2)] == [0, 1]


def test_without_a_database_the_answer_says_what_to_check(client):
    response = client.post("/v1/search", json={"text": "invoice"})

    assert response.status_code == 503
    assert "DATABASE_URL" in response.json()["detail"]


def test_the_migrations_make_the_table_the_service_writes(capsys):
    alembic(["upgrade", "head", "--sql"])

    assert "CREATE TABLE rag_passages" in capsys.readouterr().out
