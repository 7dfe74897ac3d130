"""Words with a sign in front of them.

Law: the sign repeats what the words say, in the colour of the words.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.ui import icons
from app.ui.theme import current_theme, set_role, unit


class SignedLabel(QWidget):
    """One sentence; without a sign it is quiet."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign_name = ""
        self._is_error = False
        self._sign, self._words = QLabel(), QLabel()
        self._sign.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setAccessibleName(name)
        self._words.setMinimumHeight(self._words.fontMetrics().height())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit() // 2)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1)

    def say(self, words: str, *, sign: str = "", is_error: bool = False) -> None:
        """Show a sentence, with a sign or without, quiet or as an error."""
        self._sign_name, self._is_error = sign, is_error
        self._words.setText(words)
        self._words.setAccessibleDescription(words)
        set_role(self._words, "error" if is_error else "" if sign else "muted")
        self._draw()

    def name(self, name: str) -> None:
        """Call it something else, for those who do not see what it stands beside."""
        self._words.setAccessibleName(name)

    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def _draw(self) -> None:
        self._sign.setVisible(bool(self._sign_name))
        if self._sign_name:
            theme, side = current_theme(), self._words.fontMetrics().height()
            colour = theme.error if self._is_error else theme.text
            self._sign.setPixmap(icons.pixmap(self._sign_name, colour, side, ratio=self.devicePixelRatioF()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_words"):
            self._draw()
