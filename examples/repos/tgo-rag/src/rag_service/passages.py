"""Passages of a text, and how near they are to a question."""

import re
import zlib

import numpy as np
from numpy.typing import NDArray

from .words import tokens, weight

DIMENSIONS = 256
SENTENCE = re.compile(r"(?<=[.!?。！？])\s*")

Vector = NDArray[np.float32]


def passages(text: str, size: int = 600) -> list[str]:
    """Whole sentences, as many as fit into a size in characters."""
    result = [""]
    for sentence in filter(None, SENTENCE.split(text)):
        if result[-1] and len(result[-1]) + len(sentence) > size:
            result.append("")
        result[-1] = f"{result[-1]} {sentence}".strip()
    return [passage for passage in result if passage]


def vector(text: str, language: str) -> Vector:
    """Words hashed into few dimensions, each as heavy as it is rare. Of length 1, or 0 for no words."""
    result = np.zeros(DIMENSIONS, np.float32)
    for word in tokens(text):
        # Not hash(): that one is another in every process.
        result[zlib.crc32(word.encode()) % DIMENSIONS] += weight(word, language)
    length = np.linalg.norm(result)
    return result / length if length > 0 else result


def nearest(question: Vector, known: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
    """Rows of the nearest vectors with their cosines, nearest first."""
    cosines = known @ question
    return [(int(row), float(cosines[row])) for row in np.argsort(-cosines, kind="stable")[:count]]
