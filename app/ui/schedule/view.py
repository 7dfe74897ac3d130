"""The schedule page: timeline and exact numbers at the left; at the right figures and rules, or history.

Law: every control hands its wish to the view model and shows what came of it; the page holds no program of its own.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
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

from app.models.conversion import Mode
from app.models.findings import Severity
from app.models.formats import show_concentration
from app.models.presets import Preset
from app.models.program import Flex
from app.ui.cards import cards_of, reasons_of
from app.ui.finding_list import FindingCard, FindingList
from app.ui.schedule.bolus_panel import BolusPanel
from app.ui.schedule.day_groups import DayGroups
from app.ui.schedule.day_panel import DayPanel
from app.ui.schedule.figures_panel import FiguresPanel
from app.ui.schedule.history_panel import HistoryPanel
from app.ui.schedule.mode_panel import ModePanel
from app.ui.schedule.name_dialog import NameDialog
from app.ui.schedule.sign_dialog import SignDialog
from app.ui.schedule.timeline import Timeline
from app.ui.schedule.tools import Tools
from app.ui.schedule.view_model import MODE_NAMES, ScheduleViewModel
from app.ui.state_mark import Mark, StateMark
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
        self.findings = FindingList()
        self.bolus, self.day = BolusPanel(view_model), DayPanel(view_model)
        self.history = HistoryPanel(view_model)
        self.tabs = QTabWidget()
        self.mode, self.strength, self.preset = QComboBox(), QComboBox(), QComboBox()
        self.undo, self.redo = QPushButton(self.tr("&Undo")), QPushButton(self.tr("&Redo"))
        self.save, self.sign = QPushButton(self.tr("Save as draft…")), QPushButton(self.tr("Sign…"))
        self.mark = StateMark(Mark.NOTE)
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
        title = QLabel(self.tr("Schedule"))
        set_type(title, Scale.LEAD, strong=True)
        head = QHBoxLayout()
        head.setSpacing(2 * unit())
        head.addWidget(title)
        head.addWidget(self.mark)
        head.addStretch(1)
        for button in (self.undo, self.redo):
            button.setAutoDefault(False)
            head.addWidget(button)
        head.addWidget(self._labelled(self.tr("De&liver as"), self.mode))
        head.addWidget(self._labelled(self.tr("W&ith"), self.strength))
        head.addWidget(self._labelled(self.tr("S&tart from"), self.preset))
        self.strength.setAccessibleName(self.tr("With, at which concentration"))
        self.strength.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.preset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.preset.setMinimumContentsLength(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), unit(), 3 * unit(), unit())
        column.setSpacing(unit())
        column.addLayout(head)
        column.addWidget(self._whole, 1)

    def _labelled(self, words: str, field: QComboBox) -> QWidget:
        whole, label = QWidget(), QLabel(words)
        label.setBuddy(field)
        field.setAccessibleName(words.replace("&", ""))
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit())
        row.addWidget(label)
        row.addWidget(field)
        return whole

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
        buttons = QHBoxLayout()
        buttons.addWidget(self._open, 1)
        for button in (self.save, self.sign):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        set_role(self.sign, "primary")
        right = QVBoxLayout()
        right.addWidget(self.tabs, 1)
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
        for mode in Mode:
            self.mode.addItem(self.tr(MODE_NAMES[mode]), mode.value)
        self.preset.addItem(self.tr("Choose…"), None)
        self.preset.addItem(self.tr("What runs in the pump"), "")
        for preset in model.presets:
            self.preset.addItem(preset.title, preset.id)
        titles = self.preset.view()
        titles.setMinimumWidth(titles.sizeHintForColumn(0) + 3 * unit())
        self.mode.activated.connect(self._convert)
        self.strength.activated.connect(self._try_strength)
        self.preset.activated.connect(self._start)
        self.undo.clicked.connect(model.undo)
        self.redo.clicked.connect(model.redo)
        QShortcut(QKeySequence.StandardKey.Undo, self, model.undo)
        QShortcut(QKeySequence.StandardKey.Redo, self, model.redo)
        self.timeline.begin_with(model.new_items)
        self.timeline.edited.connect(model.edit)
        self.timeline.selected.connect(model.select)
        self.timeline.refused.connect(lambda words: model.said.emit(words, True))
        self.findings.answeredChanged.connect(lambda _all: self._show_signing())
        self.sign.clicked.connect(self._sign)
        self.save.clicked.connect(self._save)
        model.changed.connect(self._refresh)
        model.selectionChanged.connect(lambda: self.timeline.select(model.selected))
        model.said.connect(self._say)

    def _convert(self) -> None:
        self.view_model.convert_to(Mode(self.mode.currentData()))
        self._show_mode()

    def _try_strength(self) -> None:
        """What if the reservoir held another concentration."""
        chosen = self.strength.currentIndex()
        if 0 <= chosen < len(self.view_model.concentrations):
            self.view_model.try_concentration(self.view_model.concentrations[chosen])

    def _start(self) -> None:
        chosen = self.preset.currentData()
        self.preset.setCurrentIndex(0)
        if chosen == "":
            self.view_model.start_from_running()
        elif chosen is not None:
            self.view_model.start_from(self._preset(chosen))

    def _preset(self, preset_id: str) -> Preset:
        return next(preset for preset in self.view_model.presets if preset.id == preset_id)

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
        for widget in (self.undo, self.redo, self.mode, self.strength, self.preset, self.mark):
            widget.setEnabled(board is not None)
        if board is None or program is None or model.model is None:
            self.mark.hide()
            return
        self.mark.setVisible(True)
        self._show_state()
        self.undo.setEnabled(bool(model.undo_words))
        self.redo.setEnabled(bool(model.redo_words))
        self.undo.setToolTip(model.undo_words)
        self.redo.setToolTip(model.redo_words)
        self.timeline.setVisible(isinstance(program.delivery, Flex))
        if isinstance(program.delivery, Flex):
            self.timeline.show_program(program, plan=model.plan, increment=model.increment)
            self.timeline.show_layers(model.layers())
            self.timeline.select(model.selected)
        self.figures.show_board(board, model.model.max_changes_per_day)
        self.findings.set_cards(cards_of(board.findings))
        self._show_signing()
        self._sentence.setText(board.sentence)
        self._show_mode()
        self._show_strength()
        self._make_room()

    def _make_room(self) -> None:
        """Give new figures and rules their room now: a frame painted before the layouts agree shows them squeezed."""
        for card in self.findings.findChildren(FindingCard):
            if not card.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide):
                card.show()
        inner = self._inner
        inner.resize(inner.width(), max(inner.height(), inner.heightForWidth(inner.width())))

    def _show_state(self) -> None:
        """Draft, signed, in the pump: told apart by word, sign and colour."""
        model = self.view_model
        if not model.is_changed:
            self.mark.set_mark(Mark.VERIFIED, word=self.tr("In the pump"))
        elif model.order is not None:
            self.mark.set_mark(Mark.TASK, word=self.tr("Signed, not in the pump"))
        else:
            self.mark.set_mark(Mark.NOTE, word=self.tr("Draft"))

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

    def _show_mode(self) -> None:
        mode = self.view_model.mode
        if mode is not None:
            self.mode.setCurrentIndex(self.mode.findData(mode.value))

    def _show_strength(self) -> None:
        settings, running = self.view_model.settings, self.view_model.running
        if settings is None:
            return
        concentrations, names = self.view_model.concentrations, []
        for concentration in concentrations:
            name = show_concentration(concentration)
            there = running is not None and (running.drug, running.concentration) == (settings.drug, concentration)
            names.append(self.tr("{0}, in the pump").format(name) if there else name)
        # Filling it lays the page out anew, which a drag must not wait for.
        if names != [self.strength.itemText(place) for place in range(self.strength.count())]:
            self.strength.clear()
            self.strength.addItems(names)
        self.strength.setCurrentIndex(concentrations.index(settings.concentration))


def _area(inner: QWidget, name: str) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setAccessibleName(name)
    area.setWidget(inner)
    return area
