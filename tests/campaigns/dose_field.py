"""Type every short string into a real dose field, under several locales.

``python3 dev.py campaign dose-field [--length 5] [--locales en_US,de_DE] [--fields mcg,mL] [--jobs 2]``

All strings over 16 symbols are a tree: one key event leads down each edge, and Backspace, or Backspace
and the refused key again, leads back up. What must come of each string is decided here by patterns that
share nothing with the field: there is a value if and only if the string is a number (allowing for a refused
comma or leading point that was put right at once), and then the value is what is shown.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from multiprocessing import get_context

SYMBOLS = "0123456789.,-+e "
LOCALES = ("en_US", "de_DE", "fr_FR", "nl_NL", "ar_EG", "hi_IN")
FIELDS = {"mcg": (5, 1), "mL": (2, 2), "mcg/mL": (5, 0)}
"""Unit, and most digits before and after the point."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """Decides from the keys alone what a field may hold."""

    whole_digits: int
    decimals: int

    def pattern(self, fraction: str) -> str:
        start = "[.,]?0" if self.decimals else "0"
        more = rf"(?:,?\.{fraction})?" if self.decimals else ""
        return rf"(?:{start}|[1-9][0-9]{{0,{self.whole_digits - 1}}}){more}"

    def is_number(self, keys: str) -> bool:
        return re.fullmatch(self.pattern(f"[0-9]{{1,{self.decimals}}}"), keys) is not None

    def is_open(self, keys: str) -> bool:
        """Whether every key so far was taken, or put right."""
        return keys == "" or re.fullmatch(self.pattern(f"[0-9]{{0,{self.decimals}}}"), keys) is not None

    def is_pending(self, keys: str) -> bool:
        """Whether the last key was refused and one other key would put it right."""
        if not self.decimals or not keys or not self.is_open(keys[:-1]):
            return False
        return keys in (".", ",") or (keys[-1] == "," and re.fullmatch("[.,]?[0-9]+", keys[:-1]) is not None)

    def shown(self, keys: str) -> str:
        """What the field shows of a number."""
        return keys.lstrip(".,").replace(",", "")


def number(shown: str) -> Fraction:
    """The number that a plain text spells, worked out digit by digit."""
    value, scale = 0, 1
    for position, digit in enumerate(shown):
        if digit != ".":
            value = value * 10 + "0123456789".index(digit)
            scale *= 10 if "." in shown[:position] else 1
    return Fraction(value, scale)


@dataclass(slots=True)
class Tally:
    """What came of one walk."""

    title: str
    strings: int = 0
    accepted: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = f"{len(self.wrong)} wrong: {self.wrong[:5]}" if self.wrong else "0 wrong"
        return (
            f"{self.title:16} {self.strings:9,} strings, {self.accepted:7,} accepted, {verdict}, {self.seconds:.0f} s"
        )


class Walk:
    """Walks the tree of strings on one field."""

    def __init__(self, unit: str, title: str) -> None:
        from PySide6.QtCore import QCoreApplication, QEvent, Qt
        from PySide6.QtGui import QKeyEvent

        from app.ui.dose_field import DoseField

        whole_digits, decimals = FIELDS[unit]
        clock = itertools.count(0, 1000)
        self.dose = DoseField(unit, decimals, whole_digits, clock_ms=lambda: float(next(clock)))
        self.oracle = Oracle(whole_digits, decimals)
        self.tally = Tally(title)
        self._send = QCoreApplication.sendEvent
        press, none = QEvent.Type.KeyPress, Qt.KeyboardModifier.NoModifier
        self._keys = {symbol: QKeyEvent(press, ord(symbol.upper()), none, symbol) for symbol in SYMBOLS}
        self._backspace = QKeyEvent(press, Qt.Key.Key_Backspace, none, "")

    def descend(self, keys: str, length: int) -> None:
        """Type every string that begins with ``keys``, which stand in the field already."""
        before = self.dose.text()
        is_open, is_pending = self.oracle.is_open(keys), self.oracle.is_pending(keys)
        for symbol in SYMBOLS:
            self._send(self.dose, self._keys[symbol])
            self._check(keys + symbol)
            if len(keys) + 1 < length:
                self.descend(keys + symbol, length)
            if is_open or is_pending:
                self._send(self.dose, self._backspace)
            if is_pending:
                self._send(self.dose, self._keys[keys[-1]])
            if self.dose.text() != before:
                self.tally.wrong.append(f"{keys + symbol!r} not taken back")

    def _check(self, keys: str) -> None:
        value, text, tally = self.dose.value(), self.dose.text(), self.tally
        tally.strings += 1
        if self.oracle.is_number(keys):
            tally.accepted += 1
            if text != self.oracle.shown(keys) or value != number(text):
                tally.wrong.append(f"{keys!r} shows {text!r} and means {value}")
        elif value is not None:
            tally.wrong.append(f"{keys!r} should mean nothing, shows {text!r} and means {value}")
        if not self.oracle.is_open(keys) and not self.dose.remark()[1]:
            tally.wrong.append(f"{keys!r} was refused without a word")


def walk(locale: str, unit: str, length: int) -> Tally:
    """Walk the whole tree under one locale; needs a QApplication."""
    from PySide6.QtCore import QLocale

    before = QLocale()
    QLocale.setDefault(QLocale(locale))
    try:
        walker = Walk(unit, f"{locale} {unit}")
        started = time.perf_counter()
        walker.descend("", length)
        walker.tally.seconds = time.perf_counter() - started
        walker.dose.deleteLater()
        return walker.tally
    finally:
        QLocale.setDefault(before)


def walk_alone(task: tuple[str, str, int]) -> Tally:
    """Walk in a process of its own."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    _app = QApplication.instance() or QApplication([])
    return walk(*task)


def campaign(locales: list[str], units: list[str], length: int, jobs: int) -> Iterator[Tally]:
    """Walk every tree, several at a time."""
    tasks = [(locale, unit, length) for locale in locales for unit in units]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(walk_alone, tasks)


def main(arguments: list[str]) -> int:
    """Run the campaign and print one line for each locale and field, and one for all; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="campaign dose-field", description=__doc__.split("\n")[0])
    parser.add_argument("--length", type=int, default=5)
    parser.add_argument("--locales", default=",".join(LOCALES))
    parser.add_argument("--fields", default=",".join(FIELDS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    started = time.perf_counter()
    total = Tally("all")
    for tally in campaign(chosen.locales.split(","), chosen.fields.split(","), chosen.length, chosen.jobs):
        print(tally, flush=True)
        total.strings += tally.strings
        total.accepted += tally.accepted
        total.wrong += tally.wrong
    total.seconds = time.perf_counter() - started
    print(total)
    return int(bool(total.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
