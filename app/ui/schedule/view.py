"""The schedule page: timeline and exact numbers at the left; at the right figures and rules, or history.

Law: every control hands its wish to the view model and shows what came of it; the page holds no program of its own.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.models.findings import Severity
from app.models.program import Flex
from app.models.typed_reason import shortest_reason
from app.ui.cards import cards_of, reasons_of
from app.ui.finding_list import FindingCard, FindingList
from app.ui.schedule.bolus_panel import BolusPanel
from app.ui.schedule.day_groups import DayGroups
from app.ui.schedule.day_panel import DayPanel
from app.ui.schedule.figures_panel import FiguresPanel
from app.ui.schedule.head import Head
from app.ui.schedule.history_panel import HistoryPanel
from app.ui.schedule.keep_dialog import KeepDialog
from app.ui.schedule.mode_panel import ModePanel
from app.ui.schedule.name_dialog import NameDialog
from app.ui.schedule.presets_view_model import PresetsViewModel
from app.ui.schedule.sign_dialog import SignDialog
from app.ui.schedule.timeline import Timeline
from app.ui.schedule.tools import Tools
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class ScheduleView(QWidget):
    """The page, or why it is empty."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view_model = view_model
        self.timeline = Timeline()
        self.tools = Tools(view_model, self.timeline)
        self.modes = ModePanel(view_model)
        self.groups = DayGroups(view_model)
        self.figures = FiguresPanel()
        self.findings = FindingList(shortest_reason(view_model.workstation.catalogue))
        self.bolus, self.day = BolusPanel(view_model), DayPanel(view_model)
        self.history = HistoryPanel(view_model)
        self.tabs = QTabWidget()
        self.presets = PresetsViewModel(view_model, self)
        self.head = Head(self.presets, self)
        self.mode, self.strength, self.mark = self.head.mode, self.head.strength, self.head.mark
        self.keep, self.save = QPushButton(self.tr("Keep as preset…")), QPushButton(self.tr("Save as draft…"))
        self.sign = QPushButton(self.tr("Sign…"))
        self._sentence, self._said, self._why_not, self._open = QLabel(), QLabel(), QLabel(), QLabel()
        self._whole, self._inner = QStackedWidget(), QWidget()
        self._lay_out()
        self._connect()
        self._refresh()

    # -- laying out ------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        for label in (self._sentence, self._said, self._why_not, self._open):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self._why_not, "muted")
        set_role(self._open, "muted")
        self._why_not.setAlignment(Qt.AlignmentFlag.AlignTop)
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * unit())
        row.addLayout(self._left(), 3)
        row.addLayout(self._right(), 2)
        self._whole.addWidget(page)
        self._whole.addWidget(self._why_not)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), unit(), 3 * unit(), unit())
        column.setSpacing(unit())
        column.addWidget(self.head)
        column.addWidget(self._whole, 1)

    def _left(self) -> QVBoxLayout:
        self.timeline.setMinimumHeight(28 * unit())
        column = QVBoxLayout()
        column.setSpacing(unit())
        column.addWidget(self.groups)
        column.addWidget(self.timeline, 3)
        column.addWidget(self.tools)
        column.addWidget(self.modes, 2)
        column.addWidget(self._said)
        return column

    def _right(self) -> QVBoxLayout:
        inner = self._inner
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, unit(), 0)
        column.setSpacing(unit())
        column.addWidget(self.figures)
        for heading, below in ((self.tr("What the rules say"), self.findings), (self.tr("In words"), self._sentence)):
            title = QLabel(heading)
            set_type(title, Scale.LEAD, strong=True)
            column.addWidget(title)
            column.addWidget(below)
        column.addStretch(1)
        area = _area(inner, self.tr("Figures and rules"))
        self.tabs.addTab(area, self.tr("Figures &and rules"))
        self.tabs.addTab(self._patient(), self.tr("&Calls and day"))
        self.tabs.addTab(self.history, self.tr("&History"))
        for widget in (self.tabs, self.tabs.tabBar()):
            widget.setAccessibleName(self.tr("Figures and rules, the patient, or history"))
        self._open.setAlignment(Qt.AlignmentFlag.AlignRight)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.keep, self.save, self.sign):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        set_role(self.sign, "primary")
        right = QVBoxLayout()
        right.addWidget(self.tabs, 1)
        right.addWidget(self._open)
        right.addLayout(buttons)
        return right

    def _patient(self) -> QScrollArea:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, unit(), unit(), 0)
        column.setSpacing(2 * unit())
        column.addWidget(self.bolus)
        column.addWidget(self.day)
        column.addStretch(1)
        return _area(inner, self.tr("The patient"))

    # -- wiring ------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        model = self.view_model
        self.timeline.begin_with(model.new_items)
        self.timeline.edited.connect(model.edit)
        self.timeline.selected.connect(model.select)
        self.timeline.refused.connect(lambda words: model.said.emit(words, True))
        self.findings.answeredChanged.connect(lambda _all: self._show_signing())
        self.sign.clicked.connect(self._sign)
        self.save.clicked.connect(self._save)
        self.keep.clicked.connect(self._keep)
        model.changed.connect(self._refresh)
        model.selectionChanged.connect(lambda: self.timeline.select(model.selected))
        model.said.connect(self._say)

    def _say(self, words: str, is_error: bool) -> None:
        set_role(self._said, "error" if is_error else "muted")
        self._said.setText(words)
        self._said.setVisible(bool(words))

    # -- showing ------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        model = self.view_model
        board, program = model.board, model.program
        self._whole.setCurrentIndex(0 if board is not None else 1)
        self._why_not.setText(model.why_not)
        self.head.refresh()
        self.keep.setEnabled(self.presets.may_keep)
        if board is None or program is None or model.model is None:
            return
        self.timeline.setVisible(isinstance(program.delivery, Flex))
        if isinstance(program.delivery, Flex):
            self.timeline.show_program(program, plan=model.plan, increment=model.increment)
            self.timeline.show_layers(model.layers())
            self.timeline.select(model.selected)
        self.figures.show_board(board, model.model.max_changes_per_day)
        self.findings.set_cards(cards_of(board.findings))
        self._show_signing()
        self._sentence.setText(board.sentence)
        self._make_room()

    def _make_room(self) -> None:
        """Give new figures and rules their room now: a frame painted before the layouts agree shows them squeezed."""
        for card in self.findings.findChildren(FindingCard):
            if not card.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide):
                card.show()
        inner = self._inner
        inner.resize(inner.width(), max(inner.height(), inner.heightForWidth(inner.width())))

    def _show_signing(self) -> None:
        model = self.view_model
        self.sign.setEnabled(model.may_sign and model.board is not None and self.findings.is_answered())
        self._open.setText(self._what_is_open())

    def _what_is_open(self) -> str:
        """Why the board cannot be signed yet, where it can be seen without scrolling; empty if it can."""
        model = self.view_model
        if model.board is None or self.sign.isEnabled():
            return ""
        if not model.may_sign:
            return self.tr("Only a physician signs.")
        if any(found.severity is Severity.BLOCK for found in model.board.findings):
            return self.tr("A rule blocks this.")
        return self.tr("The rules ask for reasons first.")

    def _sign(self) -> None:
        model = self.view_model
        if model.board is None:
            return
        model.answer(reasons_of(model.board.findings, self.findings.reasons()))
        reviewed = model.review()
        if reviewed is not None:
            SignDialog(model, reviewed, self).open()

    def _save(self) -> None:
        NameDialog(self.view_model, self).open()

    def _keep(self) -> None:
        KeepDialog(self.presets, self).open()



def _area(inner: QWidget, name: str) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setAccessibleName(name)
    area.setWidget(inner)
    return area
