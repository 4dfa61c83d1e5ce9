"""Text of an uploaded file: what it is, libmagic says; of pictures, tesseract reads it."""

import io
from dataclasses import dataclass

import docx2txt
import magic
import pytesseract
from langdetect import DetectorFactory, LangDetectException, detect
from PIL import Image, UnidentifiedImageError

# langdetect draws samples by chance: the same text must always get the same language.
DetectorFactory.seed = 0

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class Unreadable(Exception):
    pass


@dataclass(frozen=True)
class Document:
    type: str
    language: str
    text: str


def read(content: bytes) -> Document:
    kind = magic.from_buffer(content, mime=True)
    text = text_of(kind, content).strip()
    if text == "":
        raise Unreadable(f"there is no text in it ({kind})")
    return Document(kind, language_of(text), text)


def text_of(kind: str, content: bytes) -> str:
    if kind.startswith("text/"):
        return content.decode(errors="replace")
    if kind.startswith("image/"):
        try:
            return pytesseract.image_to_string(Image.open(io.BytesIO(content)))
        except UnidentifiedImageError as error:
            raise Unreadable(f"{kind} is no picture this service opens") from error
    if kind == WORD:
        return docx2txt.process(io.BytesIO(content))
    raise Unreadable(f"{kind} is not a type this service reads")


def language_of(text: str) -> str:
    try:
        return "zh" if detect(text).startswith("zh") else "en"
    except LangDetectException:
        return "en"
