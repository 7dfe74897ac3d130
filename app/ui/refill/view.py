"""The refill: the list of steps at the left, the page of the step beside it, and one line for what went wrong.

Law: the page follows the visit; nobody jumps to a step that the stored visit has not reached.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.models.refill_visit import Step
from app.ui import icons
from app.ui.page_stack import PageStack
from app.ui.refill.before import IdentifyPage, InterrogatePage
from app.ui.refill.closing import ReportPage
from app.ui.refill.drug_page import DrugPage
from app.ui.refill.events_panel import EventsDialog
from app.ui.refill.events_view_model import EventsViewModel
from app.ui.refill.facts_page import FactsPage
from app.ui.refill.sending import ConfirmPage, ProgrammePage, SettingsPage
from app.ui.refill.step_page import StepPage
from app.ui.refill.view_model import RefillViewModel
from app.ui.refill.volumes import FillPage, ResidualPage
from app.ui.theme import Scale, current_theme, set_role, set_type, unit

_ROOM_FOR_STEPS = 95
"""How wide the page must be for the list of steps beside it, in steps of the grid."""
_NAMES = {
    Step.IDENTIFY: "Identify",
    Step.INTERROGATE: "Interrogate",
    Step.RESIDUAL: "Draw out",
    Step.DRUG: "Check the drug",
    Step.FILL: "Fill",
    Step.SETTINGS: "New settings",
    Step.CONFIRM: "Compare and send",
    Step.PROGRAMME: "Result",
    Step.REPORT: "Report",
}


class RefillView(QWidget):
    """The page."""

    def __init__(self, view_model: RefillViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._steps = _StepList()
        self._stack = PageStack()
        self.pages: dict[Step, StepPage | ConfirmPage | ProgrammePage] = {
            Step.IDENTIFY: IdentifyPage(view_model),
            Step.INTERROGATE: InterrogatePage(view_model),
            Step.RESIDUAL: ResidualPage(view_model),
            Step.DRUG: DrugPage(view_model),
            Step.FILL: FillPage(view_model),
            Step.SETTINGS: SettingsPage(view_model),
            Step.CONFIRM: ConfirmPage(view_model),
            Step.PROGRAMME: ProgrammePage(view_model),
            Step.REPORT: ReportPage(view_model),
        }
        self.facts = FactsPage(view_model)
        self._empty = QLabel(self.tr("No refill is open. Open a patient, then begin the refill there."))
        self._wrong = QLabel()
        self._busy = QProgressBar()
        self._focus_before: QWidget | None = None
        self._lay_out()
        view_model.pageChanged.connect(self._turn)
        view_model.failed.connect(self._say)
        view_model.heldUp.connect(self._show_cards)
        view_model.busyChanged.connect(self._show_busy)
        view_model.closed.connect(self._show_nothing)
        self._show_nothing()

    def _lay_out(self) -> None:
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        set_role(self._empty, "muted")
        self._stack.addWidget(self._empty)
        for page in self.pages.values():
            self._stack.addWidget(page)
        self._stack.addWidget(self.facts)
        self._wrong.setWordWrap(True)
        self._wrong.setTextFormat(Qt.TextFormat.PlainText)
        self._wrong.setAccessibleName(self.tr("What went wrong"))
        self._wrong.setContentsMargins(3 * unit(), 2 * unit(), 3 * unit(), 0)
        set_role(self._wrong, "error")
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setFixedHeight(max(4, unit() // 2))
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._busy)
        right.addWidget(self._wrong)
        right.addWidget(self._stack, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._steps)
        row.addLayout(right, 1)
        self._busy.hide()
        self._wrong.hide()

    def minimumSizeHint(self) -> QSize:
        """The list of steps gives way where there is no room for it."""
        return self._stack.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._steps.setVisible(self.width() >= _ROOM_FOR_STEPS * unit())

    def _turn(self, step: Step) -> None:
        page = self.pages.get(step)
        if page is None:
            return
        shown = self.facts if self._view_model.facts_are_old() else page
        self._stack.setCurrentWidget(shown)
        visit = self._view_model.visit
        self._steps.show_step(step, telemetry=visit is None or visit.telemetry)
        self._say("")
        shown.enter()

    def _show_cards(self, why: str) -> None:
        """Whatever the step: the cards that hold it up."""
        EventsDialog(EventsViewModel(self._view_model, self._view_model), why, self.window()).open()

    def _say(self, words: str) -> None:
        self._wrong.setText(words)
        self._wrong.setVisible(bool(words))

    def wrong_words(self) -> str:
        """What went wrong, as it stands on the page."""
        return self._wrong.text()

    def _show_busy(self, words: str) -> None:
        if words:
            self._focus_before = self.focusWidget()
        self._busy.setVisible(bool(words))
        self._busy.setAccessibleName(words)
        page = self._stack.currentWidget()
        if isinstance(page, StepPage):
            page.check()
        # A button that is switched off loses the cursor to its neighbour, which may be the one that leaves.
        if not words and self._focus_before is not None and self._focus_before.isEnabled():
            self._focus_before.setFocus()

    def _show_nothing(self) -> None:
        self._stack.setCurrentWidget(self._empty)
        self._steps.show_step(None, telemetry=True)
        self._say("")


class _StepList(QWidget):
    """Which steps there are, which are done, and where the visit stands."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Steps of the refill"))
        self._rows: dict[Step, tuple[QLabel, QLabel]] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 3 * unit(), 2 * unit(), unit())
        column.setSpacing(unit())
        for step, name in _NAMES.items():
            sign, words = QLabel(), QLabel(self.tr(name))
            sign.setFixedWidth(3 * unit())
            row = QHBoxLayout()
            row.setSpacing(unit())
            row.addWidget(sign)
            row.addWidget(words, 1)
            column.addLayout(row)
            self._rows[step] = (sign, words)
        column.addStretch(1)

    def show_step(self, current: Step | None, *, telemetry: bool) -> None:
        order = list(_NAMES)
        skipped = () if telemetry else (Step.INTERROGATE, Step.SETTINGS, Step.CONFIRM, Step.PROGRAMME)
        theme, side, ratio = current_theme(), 2 * unit(), self.devicePixelRatioF()
        for step, (sign, words) in self._rows.items():
            sign.setVisible(step not in skipped)
            words.setVisible(step not in skipped)
            done = current is not None and order.index(step) < order.index(current)
            set_type(words, Scale.BODY, strong=step is current)
            set_role(words, "accent" if step is current else "muted")
            sign.clear()
            if done:
                sign.setPixmap(icons.pixmap("check", theme.muted, side, ratio=ratio))
            elif step is current:
                sign.setText("▶")
                set_role(sign, "accent")
            words.setAccessibleName(f"{words.text()}, {self.tr('done') if done else self.tr('not done')}")
