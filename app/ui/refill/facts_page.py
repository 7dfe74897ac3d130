"""After an interruption: what was typed about the reservoir, to be said again before anything is built upon it.

Law: nothing is taken for done because it stands here; somebody says so, or puts one of them right.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.formats import show_concentration, show_volume
from app.models.refill_visit import RefillVisit, Step
from app.ui.dates import show_day, show_moment
from app.ui.refill.step_page import scrolling
from app.ui.refill.view_model import RefillViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class FactsPage(QWidget):
    """One line for each fact, with the way to put it right, and one button for all."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__()
        self._view_model = view_model
        self._lead = QLabel()
        self._inside = QWidget()
        self._lines = QGridLayout(self._inside)
        self.done = QPushButton(self.tr("&All of this has really been done"))
        self.fixes: dict[Step, QPushButton] = {}
        self._lay_out()
        self.done.clicked.connect(view_model.confirm_facts)

    def _lay_out(self) -> None:
        title = QLabel(self.tr("What has really been done?"))
        set_type(title, Scale.TITLE, strong=True)
        self._lead.setWordWrap(True)
        self._lines.setHorizontalSpacing(3 * unit())
        self._lines.setVerticalSpacing(2 * unit())
        self._lines.setColumnStretch(1, 1)
        self._lines.setRowStretch(len(Step), 1)
        self._lines.setContentsMargins(0, 0, unit(), 0)
        self.done.setAutoDefault(False)
        set_role(self.done, "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 2 * unit(), 3 * unit(), unit())
        column.setSpacing(2 * unit())
        column.addWidget(title)
        column.addWidget(self._lead)
        column.addWidget(scrolling(self._inside), 1)
        column.addWidget(self.done, 0, Qt.AlignmentFlag.AlignLeft)

    def enter(self) -> None:
        """Show what stands on record of the open visit."""
        visit = self._view_model.visit
        if visit is None:
            return
        since = show_moment(self._view_model.workstation.clock.to_pump(visit.changed_at))
        self._lead.setText(
            self.tr(
                "Nobody has gone on with this visit since {0}. Look at the syringes and the vials, ask who was here, "
                "and say whether this is what has been done. Nothing is sent by this."
            ).format(since)
        )
        self._clear()
        for row, (step, caption, words) in enumerate(self._facts(visit)):
            name, text = QLabel(caption), QLabel(words)
            set_role(name, "muted")
            set_type(text, Scale.LEAD, strong=True)
            text.setWordWrap(True)
            fix = QPushButton(self.tr("Put right…"))
            fix.setAutoDefault(False)
            fix.setAccessibleName(self.tr("Put right: {0}").format(caption))
            fix.clicked.connect(lambda _checked=False, step=step: self._view_model.put_right(step))
            self.fixes[step] = fix
            for place, widget in enumerate((name, text, fix)):
                self._lines.addWidget(widget, row, place)
        self.done.setFocus()

    def _facts(self, visit: RefillVisit) -> list[tuple[Step, str, str]]:
        found = []
        if visit.aspirated is not None:
            found.append((Step.RESIDUAL, self.tr("Drawn out"), show_volume(visit.aspirated)))
        check = visit.drug_check
        if check is not None:
            drug = self._view_model.workstation.catalogue.drug(check.drug).name
            words = self.tr("{0} {1}, lot {2}, until {3}").format(
                drug, show_concentration(check.concentration), check.lot, show_day(check.expires_on)
            )
            found.append((Step.DRUG, self.tr("Vial"), words))
        if visit.injected is not None:
            found.append((Step.FILL, self.tr("Injected"), show_volume(visit.injected)))
        return found

    def _clear(self) -> None:
        self.fixes.clear()
        while self._lines.count():
            item = self._lines.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
