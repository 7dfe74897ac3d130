"""The settings: at the left where the pump is, at the right what this workstation is.

Law: choosing a line changes nothing; the two verbs below it do, and what came of them stands beside a mark.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.ui.bench.modest_area import ModestArea
from app.ui.bench.signed_label import SignedLabel
from app.ui.elided_label import ElidedLabel
from app.ui.form import FieldRow
from app.ui.settings.phone_field import PhoneField
from app.ui.settings.place_list import PlaceList
from app.ui.settings.region_field import RegionField
from app.ui.settings.view_model import Kind, Said, SettingsViewModel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit

_BUSY_AFTER_MS = 300


class SettingsView(QWidget):
    """The page."""

    def __init__(self, view_model: SettingsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.notice = SignedLabel(self.tr("About the port"))
        self.places = PlaceList()
        self.nothing = SignedLabel(self.tr("Ports found"))
        self.look = QPushButton(self.tr("&Look again"))
        self.address = QLineEdit()
        self.address_row = FieldRow(
            self.tr("Another &address"),
            self.address,
            hint=self.tr("Like socket://192.168.1.20:4001, or the whole name of a port that is not in the list."),
        )
        self.use = QPushButton(self.tr("&Use this port"))
        self.try_out = QPushButton(self.tr("&Try it"))
        self.whom = SignedLabel(self.tr("The pump to try it with"))
        self.result = ResultLine()
        self.phone = PhoneField(view_model.phones)
        self.region = RegionField(view_model.working_days)
        self._facts = _Facts()
        self._busy = QTimer(self, interval=_BUSY_AFTER_MS, singleShot=True)
        self._lay_out()
        self._connect()

    def _connect(self) -> None:
        self._view_model.changed.connect(self._refresh)
        self._view_model.said.connect(self._say)
        self._view_model.busyChanged.connect(self._show_busy)
        self._busy.timeout.connect(self._say_busy)
        self.places.currentRowChanged.connect(self._choose)
        self.address.textEdited.connect(self._typed)
        self.look.clicked.connect(self._view_model.look)
        self.use.clicked.connect(self._use)
        self.try_out.clicked.connect(self._try_out)

    # -- the page --------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Settings"))
        set_type(title, Scale.TITLE, strong=True)
        body = QWidget()
        halves = QHBoxLayout(body)
        halves.setContentsMargins(0, 0, 0, 0)
        halves.setSpacing(6 * unit())
        halves.addLayout(self._left(), 3)
        halves.addLayout(self._right(), 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 2 * unit(), 2 * unit(), unit())
        column.setSpacing(unit())
        column.addWidget(title)
        column.addWidget(self.notice)
        column.addWidget(ModestArea(body, least=20 * unit()), 1)

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(unit())
        column.addLayout(self._list_head())
        column.addWidget(self.places, 1)
        column.addWidget(self.nothing)
        column.addWidget(self.address_row)
        column.addSpacing(unit())
        column.addLayout(self._verbs())
        column.addWidget(self.whom)
        column.addWidget(self.result)
        column.addStretch(1)
        return column

    def _list_head(self) -> QHBoxLayout:
        label = QLabel(self.tr("Wh&ere the pump is"))
        label.setBuddy(self.places)
        set_type(label, Scale.LEAD, strong=True)
        self.places.setAccessibleName(self.tr("Where the pump is"))
        row = QHBoxLayout()
        row.addWidget(label, 1)
        row.addWidget(self.look)
        return row

    def _verbs(self) -> QHBoxLayout:
        set_role(self.use, "primary")
        row = QHBoxLayout()
        row.setSpacing(unit())
        for button in (self.use, self.try_out, self.look):
            button.setAutoDefault(False)
        row.addWidget(self.use)
        row.addWidget(self.try_out)
        row.addStretch(1)
        return row

    def _right(self) -> QVBoxLayout:
        title = QLabel(self.tr("This workstation"))
        set_type(title, Scale.LEAD, strong=True)
        warning = QLabel(
            self.tr(
                "Cisterna is not a medical device: it is not certified and not validated for clinical use. "
                "Do not base treatment of a person on it."
            )
        )
        warning.setWordWrap(True)
        column = QVBoxLayout()
        column.setSpacing(unit())
        column.addWidget(title)
        column.addWidget(self._facts)
        column.addSpacing(unit())
        column.addWidget(self.phone)
        column.addSpacing(unit())
        column.addWidget(self.region)
        column.addSpacing(unit())
        column.addWidget(StateMark(Mark.NOTE, word=self.tr("Not a medical device")), 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(warning)
        column.addStretch(1)
        return column

    # -- what is shown ---------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        model = self._view_model
        _show_if_any(self.notice, model.notice(), "warning")
        _show_if_any(self.nothing, model.nothing_found(), "")
        self.whom.say(model.whom())
        self._facts.show_facts(model.facts())
        self.places.show_places(model.places())

    def _choose(self, _row: int) -> None:
        place = self.places.place()
        if place is not None and place.kind is Kind.ADDRESS and place.port and not self.address.text():
            self.address.setText(place.port)
        self.address_row.show_remark("")
        set_role(self.address, "")
        self._show_verbs()

    def _typed(self, _text: str) -> None:
        """An address is meant, so that the line of the list is chosen that stands for it."""
        self.places.setCurrentRow(self.places.count() - 1)
        self.address_row.show_remark("")
        set_role(self.address, "")
        self._show_verbs()

    def _show_verbs(self) -> None:
        place = self.places.place()
        port = self._typed_address() if place is None or place.kind is Kind.ADDRESS else place.port
        self.use.setEnabled(self._view_model.can_use(port))
        self.try_out.setEnabled(self._view_model.can_try)

    def _typed_address(self) -> str:
        return self.address.text().strip()

    # -- the verbs -------------------------------------------------------------------------------------------

    def _use(self) -> None:
        if self._is_possible():
            self._view_model.use(self._port())

    def _try_out(self) -> None:
        if self._is_possible():
            self._view_model.try_out(self._port())

    def _port(self) -> str | None:
        place = self.places.place()
        return self._typed_address() if place is None or place.kind is Kind.ADDRESS else place.port

    def _is_possible(self) -> bool:
        """Whether the chosen line can be opened; if not, it is said beside the field."""
        place = self.places.place()
        if place is not None and place.kind is not Kind.ADDRESS:
            return True
        problem = self._view_model.address_problem(self._typed_address())
        self.address_row.show_remark(problem, bool(problem))
        set_role(self.address, "error" if problem else "")
        if problem:
            self.address.setFocus()
        return not problem

    def _say(self, said: Said | None) -> None:
        self._busy.stop()
        self.result.show_said(said)
        if said is not None and QAccessible.isActive():
            words = f"{said.word}. {said.sentence}"
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.result, words))

    def _show_busy(self, where: str) -> None:
        self._show_verbs()
        if where:
            self._busy.start()

    def _say_busy(self) -> None:
        words = self.tr("Asking at {0}. This may take some seconds.").format(self._view_model.busy)
        self.result.show_said(Said(Mark.NOTE, self.tr("Trying"), words))


class ResultLine(QWidget):
    """A mark and one sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark = StateMark(Mark.NOTE)
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setAccessibleName(self.tr("What came of it"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit())
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1)
        self.show_said(None)

    def show_said(self, said: Said | None) -> None:
        """Show it, or nothing; the place is kept either way."""
        self._mark.setVisible(said is not None)
        self._words.setText(said.sentence if said is not None else "")
        self._words.setAccessibleDescription(f"{said.word}. {said.sentence}" if said is not None else "")
        if said is not None:
            self._mark.set_mark(said.mark, word=said.word)
        self.setMinimumHeight(self._mark.sizeHint().height())

    def words(self) -> str:
        """The mark's word and the sentence."""
        return f"{self._mark.accessibleName()}. {self._words.text()}" if self._words.text() else ""


class _Facts(QWidget):
    """Captions and texts, one below the other."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * unit())
        self._grid.setVerticalSpacing(unit() // 2)
        self._grid.setColumnStretch(1, 1)
        self._texts: list[ElidedLabel] = []

    def show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        """Show all of them."""
        for row, (caption, text) in enumerate(facts):
            if row == len(self._texts):
                above = QLabel(caption)
                set_role(above, "muted")
                self._texts.append(ElidedLabel())
                self._texts[row].setAccessibleName(caption)
                self._grid.addWidget(above, row, 0)
                self._grid.addWidget(self._texts[row], row, 1)
            self._texts[row].setText(text)


def _show_if_any(label: SignedLabel, words: str, sign: str) -> None:
    label.say(words, sign=sign if words else "")
    label.setVisible(bool(words))
