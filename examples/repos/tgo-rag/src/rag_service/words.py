"""How rare a word is, from lists that the image's build took out of wordfreq: `en.json`, `zh.json`.

wordfreq itself reads for seconds at every start and in every worker. The lists are the same for every machine.
"""

import json
import math
import re
from functools import lru_cache
from pathlib import Path

from .config import get_settings

# Of a word that is in no list: rarer than all that are.
UNKNOWN = 1e-8
# Chinese has no spaces: its characters are counted one by one.
TOKEN = re.compile(r"[a-z][a-z'-]+|[\u4e00-\u9fff]|\d+", re.IGNORECASE)


class MissingWords(Exception):
    pass


@lru_cache
def frequencies(language: str) -> dict[str, float]:
    file: Path = get_settings().words_dir / f"{language}.json"
    if not file.is_file():
        raise MissingWords(f"there is no {file}")
    return json.loads(file.read_text())


def tokens(text: str) -> list[str]:
    return [token.lower() for token in TOKEN.findall(text)]


def weight(word: str, language: str) -> float:
    """Self-information of a word, in bits."""
    return -math.log2(frequencies(language).get(word, UNKNOWN))


def keywords(text: str, language: str, count: int) -> list[str]:
    """The words that say most of what a text is about: rare ones that come often."""
    found = tokens(text)
    scores = {word: found.count(word) * weight(word, language) for word in dict.fromkeys(found)}
    return sorted(scores, key=lambda word: scores[word], reverse=True)[:count]
