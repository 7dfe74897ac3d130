"""What a program comes to, beside what runs in the pump: the first thing at the right of the board.

Law: every number has its unit, and a difference stands in words; a number that cannot be worked out is a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.models.formats import rounded, show_concentration, with_unit
from app.models.quantities import Mass
from app.services.scheduling import AtConcentration, Board, Figures
from app.ui.theme import Scale, set_role, set_type, unit

NOTHING = "–"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure on both sides; ``strong`` for those that are read first."""

    caption: str
    proposed: str
    running: str
    change: str = ""
    strong: bool = False


def lines_of(board: Board, most_changes: int) -> Iterator[Line]:
    """All figures of a board, the most important first."""
    new, old = board.figures, board.running_figures
    yield _number("Daily dose", new, old, lambda f: f.achieved_daily / Mass.PER_MCG, "mcg/day", strong=True)
    yield Line("Each day", _each_day(new), _each_day(old))
    yield _number("Mean per hour", new, old, lambda f: f.achieved_daily / Mass.PER_MCG / 24, "mcg/h")
    yield _number("Largest bolus", new, old, lambda f: f.largest_bolus.in_mcg, "mcg")
    yield _number("Largest in 60 min", new, old, lambda f: f.program.max_60min / Mass.PER_MCG, "mcg")
    yield _number("Largest in 4 h", new, old, lambda f: f.program.max_4h / Mass.PER_MCG, "mcg")
    sides = [side for side in (new, old) if side is not None]
    if any(side.wished_daily != side.achieved_daily for side in sides):
        yield _number("Wished, the pump aside", new, old, lambda f: f.wished_daily / Mass.PER_MCG, "mcg/day")
    if any(side.program.activated_per_day for side in sides):
        yield _number("With all of the patient's", new, old, lambda f: f.program.worst_daily / Mass.PER_MCG, "mcg/day")
    yield Line("Changes used", _of(new, most_changes), _of(old, most_changes))
    yield _number("Flow", new, old, lambda f: f.flow.in_ml_per_day, "mL/day")
    yield Line("Low reservoir in", _days(new.days_to_low if new else None), _days(old.days_to_low if old else None))
    yield Line("Empty in", _days(new.days_to_empty if new else None), _days(old.days_to_empty if old else None))
    for place, other in enumerate(new.at_others if new else ()):
        before = old.at_others[place] if old and place < len(old.at_others) else None
        yield Line(f"Full, at\n{show_concentration(other.concentration)}", _other(other), _other(before))


def _number(
    caption: str,
    new: Figures | None,
    old: Figures | None,
    value: Callable[[Figures], Fraction],
    unit_text: str,
    *,
    strong: bool = False,
) -> Line:
    sides = [value(side) if side is not None else None for side in (new, old)]
    texts = [with_unit(rounded(side, 3), unit_text) if side is not None else NOTHING for side in sides]
    return Line(caption, texts[0], texts[1], _change(sides[0], sides[1]), strong)


def _change(new: Fraction | None, old: Fraction | None) -> str:
    """Absolute, percent and factor; empty if there is none to tell."""
    if new is None or old is None or new == old:
        return ""
    absolute = new - old
    sign = "+" if absolute > 0 else "−"
    text = f"{sign}{rounded(abs(absolute), 3)}"
    if old:
        percent = (new / old - 1) * 100
        text += f", {sign}{rounded(abs(percent), 1)} %, × {rounded(new / old, 3)}"
    return text


def _each_day(side: Figures | None) -> str:
    if side is None:
        return NOTHING
    if not side.varies:
        return "the same"
    return "\n".join(_runs(side.by_day))


def _runs(by_day: tuple[Fraction, ...]) -> Iterator[str]:
    """Days in a row with the same dose, on one line: ``Tue–Fri 520 mcg``."""
    for dose, run in groupby(range(7), key=lambda day: by_day[day]):
        days = list(run)
        name = _DAYS[days[0]] if len(days) == 1 else f"{_DAYS[days[0]]}–{_DAYS[days[-1]]}"
        yield f"{name} {with_unit(rounded(dose / Mass.PER_MCG, 1), 'mcg')}"


def _of(side: Figures | None, most: int) -> str:
    return NOTHING if side is None else f"{side.changes} of {most}"


def _days(days: int | None) -> str:
    return NOTHING if days is None else with_unit(str(days), "day" if days == 1 else "days")


def _other(other: AtConcentration | None) -> str:
    if other is None or other.flow is None:
        return NOTHING
    return f"{rounded(other.flow.in_ml_per_day, 3)} mL/day,\n{_days(other.days_to_low)}"


class FiguresPanel(QWidget):
    """The figures as a table of labels that a screen reader can walk."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * unit())
        self._grid.setVerticalSpacing(unit() // 3)
        self._cells: list[tuple[QLabel, QLabel, QLabel, QLabel]] = []
        self.setAccessibleName(self.tr("What it comes to"))
        for place, text in enumerate(("", self.tr("On the board"), self.tr("In the pump"))):
            head = QLabel(text)
            set_role(head, "muted")
            self._grid.addWidget(head, 0, place, Qt.AlignmentFlag.AlignRight if place else Qt.AlignmentFlag.AlignLeft)

    def show_board(self, board: Board | None, most_changes: int) -> None:
        lines = list(lines_of(board, most_changes)) if board is not None else []
        while len(self._cells) < len(lines):
            self._add_row()
        for place, cells in enumerate(self._cells):
            shown = place < len(lines)
            for cell in cells:
                cell.setVisible(shown)
            if shown:
                self._fill(cells, lines[place])

    def _add_row(self) -> None:
        row = 1 + 2 * len(self._cells)
        cells = (QLabel(), QLabel(), QLabel(), QLabel())
        set_role(cells[0], "muted")
        set_role(cells[2], "muted")
        set_role(cells[3], "accent")
        for place, cell in enumerate(cells[:3]):
            cell.setTextFormat(Qt.TextFormat.PlainText)
            side = Qt.AlignmentFlag.AlignRight if place else Qt.AlignmentFlag.AlignLeft
            cell.setAlignment(side)
            self._grid.addWidget(cell, row, place, side | Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(cells[3], row + 1, 0, 1, 3, Qt.AlignmentFlag.AlignRight)
        self._cells.append(cells)

    def _fill(self, cells: tuple[QLabel, QLabel, QLabel, QLabel], line: Line) -> None:
        caption, proposed, running, change = cells
        caption.setText(line.caption)
        proposed.setText(line.proposed)
        running.setText(line.running)
        change.setText(line.change)
        change.setVisible(bool(line.change))
        set_type(proposed, Scale.LEAD if line.strong else Scale.BODY, strong=True)
        proposed.setAccessibleName(f"{line.caption}: {line.proposed}")
