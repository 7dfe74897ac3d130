"""The vials that were scanned, one below the other.

Law: a vial stands here with everything that its code says, to be compared with the label; it goes only when somebody
removes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.formats import NO_BREAK_SPACE, show_volume
from app.models.vial import ScannedVial
from app.ui.dates import show_day
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit


class VialCard(QFrame):
    """One vial."""

    removed = Signal()

    def __init__(self, vial: ScannedVial, *, wrong: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        product = vial.product
        name = QLabel(
            _unbroken(product.name) if product else self.tr("Product {0}, not in the catalogue").format(vial.gtin)
        )
        facts = QLabel(
            self.tr("Lot {0}, expires {1}, {2}").format(
                vial.lot,
                show_day(vial.expires_on),
                self.tr("serial {0}").format(vial.serial) if vial.serial else self.tr("no serial number"),
            )
        )
        volume = QLabel(show_volume(product.volume) if product else self.tr("volume unknown"))
        self.remove = QPushButton(self.tr("Remove"))
        for label in (name, facts):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        set_type(name, Scale.BODY, strong=True)
        set_type(volume, Scale.LEAD if product else Scale.BODY, strong=product is not None)
        set_role(facts, "muted")
        set_role(self.remove, "quiet")
        self.remove.setAutoDefault(False)
        self.remove.setAccessibleName(self.tr("Remove lot {0}, {1}").format(vial.lot, vial.serial or vial.gtin))
        self.mark = StateMark(Mark.BLOCK, word=self.tr("Not this"))
        self.mark.setVisible(wrong)
        spoken = [self.mark.accessibleName()] if wrong else []
        self.setAccessibleName(". ".join([*spoken, name.text(), facts.text(), volume.text()]))
        texts = QVBoxLayout()
        texts.setSpacing(unit() // 2)
        texts.addWidget(name)
        texts.addWidget(facts)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * unit(), unit(), unit(), unit())
        row.setSpacing(2 * unit())
        row.addWidget(self.mark)
        row.addLayout(texts, 1)
        row.addWidget(volume)
        row.addWidget(self.remove)
        self.remove.clicked.connect(self.removed)


class VialList(QWidget):
    """All vials in the order in which they were scanned."""

    removeAsked = Signal(int)
    """The place of the vial that shall go."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(unit())
        self.cards: list[VialCard] = []

    def show_vials(self, vials: Sequence[ScannedVial], wrong: Sequence[ScannedVial]) -> None:
        """Show these and no others; those that are ``wrong`` too are marked."""
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = [VialCard(vial, wrong=vial in wrong) for vial in vials]
        for place, card in enumerate(self.cards):
            card.removed.connect(lambda place=place: self.removeAsked.emit(place))
            self._column.addWidget(card)
        self.setVisible(bool(vials))


def _unbroken(name: str) -> str:
    """A name whose numbers and units stay on one line."""
    return re.sub(r"(?<=[0-9]) (?=m)", NO_BREAK_SPACE, name)
