"""The one line of state at the foot of the window.

Law: four facts, always in the same order: connection, emulated or not, unsaved or not, user.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.ui import icons
from app.ui.elided_label import ElidedLabel
from app.ui.theme import current_theme, set_role, unit


class _Fact(QWidget):
    """A sign and some words."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._sign_name = "info"
        self._sign = QLabel()
        self._words = ElidedLabel()
        self._words.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit() // 2)
        row.addWidget(self._sign)
        row.addWidget(self._words, 1)

    def say(self, sign: str, words: str) -> None:
        self._sign_name = sign
        self._words.setText(words)
        self._draw()
        self.setVisible(bool(words))

    def words(self) -> str:
        return self._words.text()

    def _draw(self) -> None:
        side = self._words.fontMetrics().height()
        ratio = self.devicePixelRatioF()
        self._sign.setPixmap(icons.pixmap(self._sign_name, current_theme().text, side, ratio=ratio))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_words"):
            self._draw()


class StatusLine(QFrame):
    """Connection, emulated or not, unsaved or not, user."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "foot")
        self.setAccessibleName(self.tr("State"))
        self._connection = _Fact(self.tr("Connection"))
        self._emulated = _Fact(self.tr("Kind of pump"))
        self._unsaved = _Fact(self.tr("Changes"))
        self._user = _Fact(self.tr("User"))
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * unit(), unit() // 2, 2 * unit(), unit() // 2)
        row.setSpacing(3 * unit())
        for fact in (self._connection, self._emulated, self._unsaved):
            row.addWidget(fact)
        row.addStretch(1)
        row.addWidget(self._user)
        self.show_connection("", connected=False)
        self.show_emulated(False)
        self.show_unsaved(False)
        self.show_user("")

    def show_connection(self, words: str, *, connected: bool) -> None:
        """Say what is at the other end of the cable."""
        self._connection.say("plug" if connected else "unplug", words or self.tr("Not connected"))

    def show_emulated(self, emulated: bool) -> None:
        """Say that the pump is an emulated one."""
        self._emulated.say("emulator", self.tr("Emulated pump") if emulated else "")

    def show_unsaved(self, unsaved: bool) -> None:
        """Say whether there are changes that nobody has sent or saved."""
        self._unsaved.say(
            "warning" if unsaved else "check", self.tr("Unsaved changes") if unsaved else self.tr("Nothing unsaved")
        )

    def show_user(self, words: str) -> None:
        """Say who is signed in, with the role."""
        self._user.say("person" if words else "lock", words or self.tr("Nobody is signed in"))

    def spoken(self) -> str:
        """The whole line in words."""
        facts = (self._connection, self._emulated, self._unsaved, self._user)
        return ", ".join(fact.words() for fact in facts if fact.words())
