"""The field in which every dose, volume and concentration is typed.

Law: the value is the number that stands in the field, exactly, or there is no value. Nothing is clamped,
rounded, reformatted or dropped: a key that does not fit is refused in words, and from then on nothing is
accepted until the user has answered the refusal. No locale has any say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QFontMetrics,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from app.models import formats
from app.ui.dose_texts import COMMAS, grammar_sentence, sentence, typing_problem
from app.ui.theme import Scale, set_role, set_type, unit

BOUNCE_MS = 80
SECOND_LOOK_MS = 500

_CARET_KEYS = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End})
_ERASERS = frozenset({Qt.Key.Key_Backspace, Qt.Key.Key_Delete})
_REMEDIES = {"comma": ".", "leading-point": "0"}


class DoseField(QLineEdit):
    """A number with its unit.

    After a refusal the field takes no further character until Backspace answers it, or the key that the
    refusal asked for: a point after a comma, a 0 after a leading point. So ``62,5`` typed without looking
    can never become 625. A key that comes twice within 80 ms leaves the number in doubt, without a value,
    until the user looks and presses Enter twice, or deletes it.

    Args:
        unit: shown at the right of the number.
        decimals: most digits after the point.
        whole_digits: most digits before the point.
        echo: the value in its other representations, shown on leaving the field.
        problem: why a well-formed number cannot be right here, or ``None``; with a problem there is no value.
        clock_ms: a monotonic clock for key events that carry no time of their own.
    """

    valueChanged = Signal(object)
    """A Fraction, or None."""
    refused = Signal(str)
    """What was not accepted and why, in words."""
    remarkChanged = Signal(str, bool)
    """What to show beside the field, and whether it is an error; empty for nothing."""
    originalChanged = Signal(str)
    """The number that the field was given; empty if none."""

    def __init__(
        self,
        unit: str,
        decimals: int,
        whole_digits: int = 5,
        *,
        echo: Callable[[Fraction], str] | None = None,
        problem: Callable[[Fraction], str | None] | None = None,
        scale: Scale = Scale.FIGURE,
        clock_ms: Callable[[], float] = lambda: time.monotonic() * 1000,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._unit = unit
        self._decimals = decimals
        self._whole_digits = whole_digits
        self._echo = echo
        self._problem = problem
        self._clock_ms = clock_ms
        self._refusal = ""
        self._remedy = ""
        self._doubt = ""
        self._doubted_key = ""
        self._asked_at: float | None = None
        self._last_key: tuple[str, int, float] = ("", 0, 0.0)
        self._told: Fraction | None = None
        self._original = ""
        self._remark: tuple[str, bool] = ("", False)
        self._unit_label = QLabel(unit, self)
        self._set_up(scale)

    def _set_up(self, scale: Scale) -> None:
        set_type(self, scale)
        set_type(self._unit_label, Scale.BODY if scale is Scale.BODY else Scale.LEAD)
        set_role(self._unit_label, "muted")
        self._unit_label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setAcceptDrops(False)
        self.setDragEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        hints = Qt.InputMethodHint
        self.setInputMethodHints(hints.ImhFormattedNumbersOnly | hints.ImhNoPredictiveText | hints.ImhNoTextHandles)
        digits = self._whole_digits + self._decimals
        number = QFontMetrics(self.font()).horizontalAdvance("0" * digits + ".")
        self.setTextMargins(0, 0, self._unit_width(), 0)
        self.setFixedWidth(number + self._unit_width() + 5 * unit())
        self.textChanged.connect(self._tell)

    # What others may ask

    def value(self) -> Fraction | None:
        """The number, exactly; ``None`` while it is empty, unfinished, refused, in doubt or has a problem."""
        number = self._number()
        return None if number is None or self._refusal or self._doubt or self._judge(number) else number

    def unit(self) -> str:
        """The unit that stands in the field."""
        return self._unit

    def is_doubtful(self) -> bool:
        """Whether a key came twice so fast that the user has to look again."""
        return bool(self._doubt)

    def original(self) -> str:
        """The number that the field was given, before anybody typed; empty if none."""
        return self._original

    def remark(self) -> tuple[str, bool]:
        """What stands beside the field now, and whether it is an error."""
        return self._remark

    def set_value(self, value: Fraction | None) -> None:
        """Put in a number that is known already, and remember it as the original.

        Raises:
            NotANumberError: it cannot be written within the digits of this field.
        """
        text = "" if value is None else formats.plain(value)
        if value is not None and formats.parse_number(text, **self._limits()) != value:
            raise formats.NotANumberError(text=text, problem="decimals")
        self._original = text
        self._forget()
        self.setText(text)
        self._say("")
        self._tell()
        self.originalChanged.emit(text)

    def review(self) -> None:
        """Judge again, after something that ``problem`` or ``echo`` depends on has changed."""
        self._tell()
        if not self.hasFocus():
            self._sum_up()

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take a key, or refuse it in words; every other key belongs to the window."""
        key, text = event.key(), event.text()
        event.accept()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter(event)
        elif key in _ERASERS:
            self._erase(event)
        elif key in _CARET_KEYS or event.matches(QKeySequence.StandardKey.SelectAll):
            super().keyPressEvent(event)
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.Cut):
            self.copy()
            self._erase(event)
        elif event.matches(QKeySequence.StandardKey.Paste):
            self._paste(QApplication.clipboard().text())
        elif event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo):
            self._refuse("undo", lock=False)
        elif self._is_command(event):
            event.ignore()
        elif Qt.Key.Key_Dead_Grave <= key <= Qt.Key.Key_Dead_Longsolidusoverlay:
            self._refuse("character")
        elif (text and text.isprintable()) or self._is_keypad_point(event):
            self._type(event)
        else:
            event.ignore()

    def _type(self, event: QKeyEvent) -> None:
        text = "." if self._is_keypad_point(event) else event.text()
        if event.isAutoRepeat():
            self._refuse("held")
        elif self._refusal and text != self._remedy:
            self._refuse("")
        elif self._admit(text):
            self._note_key(text, event)

    @staticmethod
    def _is_command(event: QKeyEvent) -> bool:
        """Ctrl, Alt or Meta with a key; but Ctrl and Alt together are AltGr, which types characters."""
        modifier = Qt.KeyboardModifier
        held = event.modifiers() & (modifier.ControlModifier | modifier.AltModifier | modifier.MetaModifier)
        return bool(held) and held != modifier.ControlModifier | modifier.AltModifier

    @staticmethod
    def _is_keypad_point(event: QKeyEvent) -> bool:
        """The decimal key of the numeric keypad means a point, whatever is printed on it or set for it."""
        if not event.modifiers() & Qt.KeyboardModifier.KeypadModifier:
            return False
        return event.key() in (Qt.Key.Key_Comma, Qt.Key.Key_Period) or event.text() in (*COMMAS, ".")

    def _admit(self, text: str) -> bool:
        """Insert ``text`` if a number can still become of it; otherwise refuse it."""
        start = self.selectionStart() if self.hasSelectedText() else self.cursorPosition()
        before = self.text()
        candidate = before[:start] + text + before[start + len(self.selectedText()) :]
        problem = typing_problem(text, candidate, **self._limits())
        if problem:
            self._refuse(problem)
            return False
        self._refusal = self._remedy = ""
        self._say("")
        self.insert(text)
        self._look_again()
        self._tell()
        return True

    def _note_key(self, text: str, event: QKeyEvent) -> None:
        """Remember the key, and doubt the number if it came twice within 80 ms."""
        before, stamp_before, clock_before = self._last_key
        stamp, clock = event.timestamp(), self._clock_ms()
        gap = stamp - stamp_before if stamp and stamp_before else clock - clock_before
        self._last_key = (text, stamp, clock)
        if text == before and gap < BOUNCE_MS:
            self._doubt, self._doubted_key = self.text()[: self.cursorPosition()], text
            self._asked_at = None
            self._question("bounce")
            self._tell()

    def _erase(self, event: QKeyEvent) -> None:
        """Answer a refusal, or else delete."""
        self._last_key = ("", 0, 0.0)
        if self._refusal:
            self._refusal = self._remedy = ""
        elif event.key() in _ERASERS:
            super().keyPressEvent(event)
        else:
            self.del_()
        self._say("")
        self._look_again()
        self._say_if_broken()
        self._tell()

    def _look_again(self) -> None:
        """Ask once more about a doubtful number; what was doubted is gone if it does not stand there any more."""
        if self._doubt not in self.text():
            self._doubt = ""
        if self._doubt:
            self._asked_at = None
            self._question("bounce")

    def _enter(self, event: QKeyEvent) -> None:
        """Go to the next field if there is a number; Enter confirms nothing but a doubt, and that twice."""
        if event.isAutoRepeat():
            return
        if self._doubt and not self._refusal:
            if not self._is_second_look():
                return
            self._doubt, self._asked_at = "", None
            self._tell()
        self._sum_up()
        if self.value() is not None:
            self.focusNextChild()

    def _is_second_look(self) -> bool:
        now = self._clock_ms()
        if self._asked_at is None:
            self._asked_at = now
            self._question("again")
            return False
        return now - self._asked_at >= SECOND_LOOK_MS

    def _paste(self, text: str) -> None:
        """Replace the whole number, and only with something that is a number as it stands."""
        if formats.number_problem(text, **self._limits()) is not None:
            self._refuse("paste", lock=False)
            return
        self._forget()
        self._say("")
        self.selectAll()
        self.insert(text)
        self._tell()

    # What to say

    def _refuse(self, problem: str, *, lock: bool = True) -> None:
        """Take nothing, say why, and with ``lock`` wait for an answer."""
        if lock:
            self._remedy = "" if self._refusal else _REMEDIES.get(problem, "")
            self._refusal = self._refusal or problem
        reason = self._sentence(problem or self._refusal)
        words = f"{reason} {sentence('go-on')}" if self._refusal and not self._remedy else reason
        QApplication.beep()
        self._say(words, is_error=True)
        self.refused.emit(words)
        self._tell()

    def _sentence(self, problem: str) -> str:
        return grammar_sentence(problem, **self._limits())

    def _question(self, problem: str) -> None:
        shown = formats.with_unit(self.text(), self._unit)
        self._say(sentence(problem, first=self._doubted_key, second=shown), is_error=True)

    def _sum_up(self) -> None:
        """On leaving: what is wrong, or the number in its other representations."""
        number = self._number()
        if self._refusal or self._doubt:
            return
        problem = formats.number_problem(self.text(), **self._limits())
        if problem not in (None, "empty"):
            self._say(self._sentence(str(problem)), is_error=True)
        elif number is None:
            self._say("")
        elif wrong := self._judge(number):
            self._say(wrong, is_error=True)
        else:
            self._say(self._echo(number) if self._echo else "")

    def _say_if_broken(self) -> None:
        """Deleting can leave what nobody could have typed, such as ``.5``; say so at once."""
        problem = formats.number_problem(self.text(), **self._limits())
        if not self._doubt and problem not in (None, "empty", "trailing-point"):
            self._say(self._sentence(str(problem)), is_error=True)

    def _say(self, words: str, *, is_error: bool = False) -> None:
        if self._remark == (words, is_error):
            return
        self._remark = (words, is_error)
        set_role(self, "error" if is_error else "")
        self.remarkChanged.emit(words, is_error)
        if words and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def _tell(self) -> None:
        """Emit the value if it is another one than before."""
        value = self.value()
        if value != self._told:
            self._told = value
            self.valueChanged.emit(value)

    # The number

    def _limits(self) -> dict[str, int]:
        return {"whole_digits": self._whole_digits, "decimals": self._decimals}

    def _number(self) -> Fraction | None:
        try:
            return formats.parse_number(self.text(), **self._limits())
        except formats.NotANumberError:
            return None

    def _judge(self, number: Fraction) -> str | None:
        return self._problem(number) if self._problem else None

    def _forget(self) -> None:
        self._refusal = self._remedy = self._doubt = ""
        self._asked_at = None
        self._last_key = ("", 0, 0.0)

    # Everything else that could change a text

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Text from an input method or screen keyboard is judged like keys; nothing is composed."""
        event.accept()
        text = event.commitString()
        if event.replacementLength() or (event.preeditString() and not text):
            self._refuse("character")
        elif text and self._refusal and text != self._remedy:
            self._refuse("")
        elif text:
            self._admit(text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Leaving changes nothing; it only adds what the number means."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._sum_up()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the page."""
        event.ignore()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The middle button would paste on some desktops; here it does nothing."""
        if event.button() == Qt.MouseButton.MiddleButton:
            event.accept()
        else:
            super().mouseReleaseEvent(event)

    # The unit

    def _unit_width(self) -> int:
        return self._unit_label.sizeHint().width() + unit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_unit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._place_unit()

    def _place_unit(self) -> None:
        """Put the unit on the base line of the number, right behind it."""
        if not hasattr(self, "_unit_label"):
            return
        size = self._unit_label.sizeHint()
        mine, its = self.fontMetrics(), self._unit_label.fontMetrics()
        drop = (mine.ascent() - mine.descent() - its.ascent() + its.descent()) // 2
        self._unit_label.resize(size)
        top = (self.height() - size.height()) // 2 + drop
        self._unit_label.move(self.width() - size.width() - 2 * unit(), top)
