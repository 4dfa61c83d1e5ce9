"""What an agent is told before the visitor's words: a text file per agent, in a folder the service owns."""

import re
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


def instructions(folder: Path, agent: str) -> str | None:
    file = folder / f"{agent}.txt"
    return file.read_text() if file.is_file() else None


def teach(folder: Path, agent: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{agent}.draft"
    draft.write_text(text)
    draft.replace(folder / f"{agent}.txt")
