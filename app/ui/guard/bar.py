"""The red bar below the banner while a pump may stand still: on every page, until the pump is seen running.

Law: it cannot be put away; it goes when its guard is lifted, and with nothing else.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui import icons
from app.ui.dates import show_moment
from app.ui.guard.view_model import GuardViewModel
from app.ui.hold_button import HoldButton
from app.ui.theme import Scale, current_theme, set_role, set_type, unit

SOUND_EVERY_MS = 30_000


class GuardBar(QFrame):
    """What is the matter, with whom, since when, and the two things to do."""

    def __init__(self, view_model: GuardViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._sign = QLabel()
        self._title = QLabel(self.tr("THE PUMP MAY STAND STILL"))
        self._whose = QLabel()
        self._said = QLabel()
        self.ask = QPushButton(self.tr("Ask the pump"))
        self.resume = HoldButton(self.tr("Hold to resume"))
        self._sound = QTimer(self, interval=SOUND_EVERY_MS)
        set_role(self, "alarm")
        self.setAccessibleName(self.tr("The pump may stand still"))
        self._lay_out()
        self.ask.clicked.connect(view_model.ask)
        self.resume.held.connect(view_model.resume)
        self._sound.timeout.connect(QApplication.beep)
        view_model.changed.connect(self._refresh)
        self._refresh()

    def _lay_out(self) -> None:
        set_type(self._title, Scale.LEAD, strong=True)
        words = QVBoxLayout()
        words.setSpacing(unit() // 2)
        first = QHBoxLayout()
        first.setSpacing(2 * unit())
        first.addWidget(self._title)
        first.addWidget(self._whose, 1)
        words.addLayout(first)
        words.addWidget(self._said)
        self._said.setWordWrap(True)
        for label in (self._title, self._whose, self._said):
            set_role(label, "on-alarm")
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        row.setSpacing(2 * unit())
        row.addWidget(self._sign)
        row.addLayout(words, 1)
        row.addWidget(self.ask)
        row.addWidget(self.resume)

    def _refresh(self) -> None:
        model, guarded = self._view_model, self._view_model.first
        self.setVisible(guarded is not None)
        if guarded is None:
            self._sound.stop()
            return
        if not self._sound.isActive():
            self._sound.start()
        others = len(model.waiting) - 1
        more = self.tr(" and {0} more").format(others) if others else ""
        self._whose.setText(
            self.tr("{0} · {1}, since {2} UTC{3}").format(
                guarded.therapy.patient.name, guarded.serial, show_moment(guarded.guard.since), more
            )
        )
        asking = self.tr("Asking the pump…") if model.busy else ""
        self._said.setText(
            asking
            or model.said
            or self.tr("Keep the patient here. A program was sent that this pump stops for: ask it whether it runs.")
        )
        self.ask.setEnabled(not model.busy)
        self.resume.setVisible(model.may_resume)
        self._draw()

    def _draw(self) -> None:
        side, ratio = 3 * unit(), self.devicePixelRatioF()
        self._sign.setPixmap(icons.pixmap("stop", current_theme().on_stop, side, ratio=ratio))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_sign"):
            self._draw()
