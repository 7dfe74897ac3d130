"""Seeing a scan through, and noting surgery on the system.

Law: nothing is written before its own button is pressed; a key never presses one by itself, what cannot be is said
beside its field, and nothing typed is lost. The state is a sign, a word and a sentence.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.models.mri import MriStep
from app.ui.dates import DAY_HINT, MOMENT_HINT
from app.ui.form import FieldRow
from app.ui.patient.scan_view_model import ScanLine, ScanViewModel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit

_READINGS = (MriStep.READ_BEFORE, MriStep.READ_AFTER, MriStep.READ_AGAIN)


class ScanDialog(QDialog):
    """Scans of the open patient, and surgery on pump or catheter."""

    emergencyWanted = Signal()

    def __init__(self, view_model: ScanViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.mark = StateMark(Mark.NOTE, scale=Scale.LEAD)
        self.verdict = QLabel()
        self.remarks = QLabel()
        self.plan = QPushButton(self.tr("Note a &planned scan"))
        self.read = QPushButton(self.tr("&Read the pump"))
        self.ended = QLineEdit()
        self.ended_row = FieldRow(self.tr("The scan ended &at, on the pump's clock"), self.ended, hint=MOMENT_HINT)
        self.scanned = QPushButton(self.tr("It has been &made"))
        self.cancel = QPushButton(self.tr("It is &not made"))
        self.emergency = QPushButton(self.tr("&Emergency sheet"))
        self.surgery = QLineEdit()
        self.surgery_row = FieldRow(
            self.tr("&Day of the surgery"), self.surgery, hint=self.tr("{0} With the time, if known.").format(DAY_HINT)
        )
        self.revised = QPushButton(self.tr("Note the &surgery"))
        self.said = QLabel()
        self.close_button = QPushButton(self.tr("&Close"))
        self._lines = QWidget()
        self._grid = QGridLayout(self._lines)
        self.setWindowTitle(self.tr("Scan or surgery"))
        self._lay_out()
        self._connect()
        self._refresh()
        self.close_button.setFocus()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(unit())
        column.addWidget(_heading(self.tr("Magnetic resonance scan (MRI)")))
        state = QHBoxLayout()
        state.setSpacing(2 * unit())
        state.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        self.verdict.setMinimumHeight(2 * self.verdict.fontMetrics().lineSpacing())
        self.verdict.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        state.addWidget(self.verdict, 1)
        column.addLayout(state)
        for label in (self.verdict, self.remarks, self.said):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.remarks, "muted")
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(3 * unit())
        self._grid.setVerticalSpacing(unit() // 2)
        self._grid.setColumnStretch(2, 1)
        column.addWidget(self._lines)
        column.addWidget(self.remarks)
        for field in (self.ended, self.surgery):
            field.setMaximumWidth(40 * unit())
        column.addWidget(self.ended_row)
        column.addLayout(_row(self.emergency, self.read, self.scanned, self.plan, self.cancel))
        set_role(self.emergency, "danger")
        line = QFrame()
        set_role(line, "hairline")
        column.addWidget(line)
        column.addWidget(_heading(self.tr("System revised (catheter or pump surgery)")))
        about = QLabel(
            self.tr(
                "After surgery the old dose may be too much: a physician then chooses it anew. If the pump itself was "
                "replaced, do not note it here: begin a refill and read the new pump there."
            )
        )
        about.setWordWrap(True)
        set_role(about, "muted")
        column.addWidget(about)
        column.addWidget(self.surgery_row)
        column.addLayout(_row(self.revised))
        self.said.setAccessibleName(self.tr("What came of it"))
        self.said.setMinimumHeight(self.said.fontMetrics().lineSpacing())
        column.addWidget(self.said)
        column.addStretch(1)
        column.addLayout(_row(self.close_button))
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        column.addStrut(88 * unit())
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)

    def _connect(self) -> None:
        model = self._view_model
        self.plan.clicked.connect(model.plan)
        self.read.clicked.connect(model.read)
        self.cancel.clicked.connect(model.cancel)
        self.scanned.clicked.connect(self._scanned)
        self.revised.clicked.connect(self._revised)
        self.emergency.clicked.connect(self._emergency)
        self.close_button.clicked.connect(self.accept)
        for field, row in ((self.ended, self.ended_row), (self.surgery, self.surgery_row)):
            field.textChanged.connect(lambda _text, row=row: _accept(row))
        model.changed.connect(self._refresh)
        model.busyChanged.connect(self._refresh)
        model.said.connect(self._say)

    def _refresh(self, _busy: object = None) -> None:
        model = self._view_model
        verdict, due, is_open = model.verdict(), model.due(), model.is_open()
        self.mark.set_mark(verdict.mark, word=verdict.word)
        self.verdict.setText(verdict.words)
        set_role(self.verdict, "error" if verdict.mark is Mark.BLOCK else "")
        set_type(self.verdict, Scale.BODY, strong=verdict.mark is Mark.BLOCK)
        self._show_lines(model.lines())
        remarks = "\n".join(model.remarks())
        self.remarks.setText(remarks)
        self.remarks.setVisible(bool(remarks))
        may_scan = model.may_cancel()
        emergency = verdict.mark is Mark.BLOCK
        self.plan.setVisible(not is_open)
        self.read.setVisible(is_open or emergency)
        self.read.setText(self.tr("Reading the pump…") if model.busy else self._read_words(due))
        for widget in (self.ended_row, self.scanned, self.cancel):
            widget.setVisible(may_scan)
        self.emergency.setVisible(emergency)
        set_role(self.read, "primary" if due in _READINGS else "")
        set_role(self.scanned, "primary" if due is MriStep.SCAN else "")
        there = model.implant is not None
        for button in (self.plan, self.read, self.scanned, self.cancel, self.revised):
            button.setEnabled(there and not model.busy)
        # A button that is switched off loses the cursor to its neighbour.
        if _busy is True:
            self.close_button.setFocus()
        elif _busy is False and self.read.isVisible():
            self.read.setFocus()

    def _read_words(self, due: MriStep) -> str:
        words = {
            MriStep.READ_BEFORE: self.tr("&Read the pump, before the scan"),
            MriStep.READ_AFTER: self.tr("&Read the pump, after the scan"),
            MriStep.READ_AGAIN: self.tr("&Read the pump again"),
        }
        return words.get(due, self.tr("&Read the pump again"))

    def _show_lines(self, lines: tuple[ScanLine, ...]) -> None:
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for row, line in enumerate(lines):
            sign = QLabel("✓" if line.done else "▶" if line.due else "–")
            sign.setFixedWidth(2 * unit())
            caption, text = QLabel(line.caption), QLabel(line.text)
            set_role(caption, "muted")
            set_type(text, Scale.BODY, strong=line.due)
            text.setAccessibleName(line.caption)
            text.setTextFormat(Qt.TextFormat.PlainText)
            for place, label in enumerate((sign, caption, text)):
                self._grid.addWidget(label, row, place)
        self._lines.setVisible(bool(lines))

    def _scanned(self) -> None:
        self._judge(self.ended_row, self.ended, self._view_model.scanned(self.ended.text()))

    def _revised(self) -> None:
        self._judge(self.surgery_row, self.surgery, self._view_model.note_surgery(self.surgery.text()))

    def _judge(self, row: FieldRow, field: QLineEdit, problem: str) -> None:
        if problem:
            row.show_remark(problem, True)
            set_role(field, "error")
            field.setFocus()
        else:
            field.clear()

    def _emergency(self) -> None:
        self.accept()
        self.emergencyWanted.emit()

    def _say(self, words: str, is_error: bool) -> None:
        self.said.setText(words)
        set_role(self.said, "error" if is_error else "")


def _accept(row: FieldRow) -> None:
    row.show_remark("")
    set_role(row.field, "")


def _row(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(2 * unit())
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row


def _heading(text: str) -> QLabel:
    heading = QLabel(text)
    set_type(heading, Scale.LEAD, strong=True)
    return heading
