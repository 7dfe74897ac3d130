"""Looking at a page on paper."""

from __future__ import annotations

from pathlib import Path

from pypdf import PdfReader


def lowest(path: Path) -> float:
    """How far above the paper's lower edge the lowest text stands, in points."""
    heights: list[float] = []

    def see(text: str, matrix: list[float], place: list[float], *_: object) -> None:
        if text.strip():
            heights.append(place[5] * matrix[3] + matrix[5])

    PdfReader(path).pages[0].extract_text(visitor_text=see)
    return min(heights)
