"""Every pair of colours that is drawn owes its contrast."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor

from app.ui.theme import THEMES, Theme, contrasts


def luminance(colour: str) -> float:
    """Relative luminance of a colour. Source: WCAG 2.1."""
    parts = [QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF()]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21


@pytest.mark.parametrize("theme", THEMES, ids=[theme.name for theme in THEMES])
def test_every_pair_has_the_contrast_it_owes(theme: Theme) -> None:
    poor = [
        (ink, ground, round(contrast(getattr(theme, ink), getattr(theme, ground)), 2))
        for ink, ground, least in contrasts(theme)
        if contrast(getattr(theme, ink), getattr(theme, ground)) < least
    ]
    assert poor == []
