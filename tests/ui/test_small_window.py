"""A window as small as a screen of 1366 by 768 at 200 %: nothing is cut off, and the verb stays in sight."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.refill_visit import Step
from app.ui.main_window import MainWindow
from tests.services.bench import Bench
from tests.ui.test_residual_page import at_residual

SMALL, LARGE = (683, 384), (1366, 768)


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, tmp_path: Path):
    bench = Bench(tmp_path)
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.show()
    at_residual(qtbot, made, bench)
    yield made
    made.close()


def in_sight(window: MainWindow, widget) -> bool:
    place = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    shown = widget.visibleRegion().boundingRect().size() == widget.size()
    return window.rect().contains(place) and shown


def test_a_small_window_keeps_field_and_verb_in_sight_and_the_cards_in_reach(
    qtbot: QtBot, window: MainWindow
) -> None:
    page = window.refill_view.pages[Step.RESIDUAL]
    for size in (LARGE, SMALL, LARGE):
        window.resize(*size)
        qtbot.wait(50)
        assert (window.width(), window.height()) == size
        assert in_sight(window, page.verb)
        assert in_sight(window, page.volume)
        assert page.cards.isVisible()
        one_column = page.cards.mapTo(page, QPoint(0, 0)).x() < page.width() // 2
        assert one_column is (size == SMALL)


def test_the_banner_says_everything_in_a_small_window_too(qtbot: QtBot, window: MainWindow) -> None:
    for size in (SMALL, LARGE):
        window.resize(*size)
        qtbot.wait(50)
        for key in ("born", "number", "serial", "drug", "dose"):
            value = window.banner._values[key]
            assert value.width() >= value.fontMetrics().horizontalAdvance(value.text()), key
            assert in_sight(window, value), key
        assert in_sight(window, window.banner._state) and in_sight(window, window.banner._emulated)
