"""The check of the vials: scanned, read from a picture, or typed a second time without seeing the first.

Law: a code becomes a vial in the list or an error beside the field, never something in between; the two readings of a
label are never shown one beside the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.catalogue import Drug
from app.models.findings import Finding
from app.models.formats import show_volume
from app.models.quantities import Volume
from app.models.vial import (
    LabelReading,
    ScannedVial,
    ScanRefusedError,
    VialReader,
    Wanted,
    differing_fields,
    is_wrong,
    total_volume,
    vial_findings,
)
from app.ui.form import FieldRow
from app.ui.refill.label_fields import LabelFields
from app.ui.refill.scan_field import ScanField
from app.ui.refill.vial_list import VialList
from app.ui.refill.vial_picture import UnreadablePictureError, read_picture
from app.ui.refill.vial_words import words_of
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, font, set_role, unit


class VialScan(QWidget):
    """A scan field, the vials scanned so far, and the way without a scanner.

    The page hides its own fields while :attr:`againOpened` says so, and gives what was typed there by
    :meth:`set_first`.
    """

    vialsChanged = Signal()
    againOpened = Signal(bool)
    """The second reading is being typed; what the first one says must not be seen meanwhile."""
    againChanged = Signal()
    """The second reading, or whether it agrees, is another one now."""

    def __init__(self, reader: VialReader, drugs: Iterable[Drug], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._vials: tuple[ScannedVial, ...] = ()
        self._wanted: Wanted | None = None
        self._first: LabelReading | None = None
        self.scan = ScanField()
        self._row = FieldRow(
            self.tr("Scan the &vial"), self.scan, hint=self.tr("Each vial or carton once: its square code.")
        )
        self.from_picture = QPushButton(self.tr("Read from a pic&ture…"))
        self._list = VialList()
        self._mark, self._total = StateMark(Mark.NOTE), QLabel()
        self.open_again = QPushButton(self.tr("No scanner? Type the label a second ti&me"))
        self.again = LabelFields(drugs)
        self._verdict, self._difference = StateMark(Mark.NOTE), QLabel()
        self._lay_out()
        self.setFocusProxy(self.scan)
        self.scan.scanned.connect(self._scanned)
        self.scan.textEdited.connect(lambda _text: self._say(""))
        self.from_picture.clicked.connect(self._choose_picture)
        self._list.removeAsked.connect(self._remove)
        self.open_again.toggled.connect(self._open_again)
        self.again.changed.connect(self._compare)
        self._show()
        self._compare()

    def _lay_out(self) -> None:
        self.from_picture.setAutoDefault(False)
        self.open_again.setAutoDefault(False)
        self.open_again.setCheckable(True)
        # A button that is down is set in bold, which needs more room.
        strong = QFontMetrics(font(Scale.BODY, strong=True))
        self.open_again.setMinimumWidth(strong.horizontalAdvance(self.open_again.text()) + 6 * unit())
        set_role(self._difference, "muted")
        for label in (self._total, self._difference):
            label.setWordWrap(True)
        beside = QVBoxLayout()
        beside.setSpacing(unit() // 2)
        beside.addWidget(QLabel())
        beside.addWidget(self.from_picture)
        beside.addStretch(1)
        top = QHBoxLayout()
        top.setSpacing(2 * unit())
        top.addWidget(self._row, 1)
        top.addLayout(beside)
        self._typed = QWidget()
        typed = QVBoxLayout(self._typed)
        typed.setContentsMargins(0, 0, 0, 0)
        typed.setSpacing(unit())
        typed.addWidget(self.again)
        typed.addLayout(_marked(self._verdict, self._difference))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit())
        column.addLayout(top)
        column.addWidget(self._list)
        column.addLayout(_marked(self._mark, self._total))
        column.addWidget(self.open_again, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._typed)

    # What the page asks and gives

    def vials(self) -> tuple[ScannedVial, ...]:
        """The vials in the list, in the order in which they were scanned."""
        return self._vials

    def set_vials(self, vials: Sequence[ScannedVial]) -> None:
        """Put in what is on record; nothing is emitted."""
        self._vials = tuple(vials)
        self._show()

    def set_wanted(self, wanted: Wanted | None) -> None:
        """What is to go in: vials that are wrong for it are marked, and not counted; ``None`` where it is not known."""
        self._wanted = wanted
        self._show()

    def findings(self) -> tuple[Finding, ...]:
        """What the rules say about the vials; nothing while it is not known what is wanted. Source: U-03, U-07."""
        wanted = self._wanted
        if wanted is None:
            return ()
        return vial_findings(
            self._vials,
            wanted.drug,
            wanted.concentration,
            wanted.needed,
            wanted.today,
            entered_twice=self.again_agrees() is True,
        )

    def set_first(self, reading: LabelReading | None) -> None:
        """What the first person typed; it is compared, and never shown here."""
        self._first = reading
        self._compare()

    def again_is_open(self) -> bool:
        """Whether the second reading is being typed."""
        return self.open_again.isChecked()

    def again_reading(self) -> LabelReading | None:
        """The second reading; ``None`` while it is not complete."""
        return self.again.reading()

    def again_agrees(self) -> bool | None:
        """Whether both readings say the same; ``None`` while one of them is not complete."""
        again = self.again.reading()
        return None if self._first is None or again is None else not differing_fields(self._first, again)

    def clear(self) -> None:
        """Begin anew, with nothing scanned and nothing typed; nothing but the second reading's end is emitted."""
        self._vials = ()
        self._first = None
        self.scan.clear()
        self.again.clear()
        self.open_again.setChecked(False)
        self._say("")
        self._show()

    def remark(self) -> str:
        """What stands below the scan field."""
        return self._row.remark()

    # Scanning

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that a button had no use for are the beginning of a scan."""
        held = event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier & ~Qt.KeyboardModifier.KeypadModifier
        if event.text().isprintable() and event.text() and not held and not self.again_is_open():
            self.scan.setFocus()
            self.scan.keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def _scanned(self, text: str) -> None:
        problem = self._take(text)
        self._say(problem)
        if not problem:
            self.scan.clear()
            self.vialsChanged.emit()

    def _take(self, text: str) -> str:
        """Put a code's vial into the list; returns in words what is wrong with it, or an empty text."""
        try:
            vial = self._reader.read(text)
        except ScanRefusedError as refused:
            return self.tr(words_of(refused))
        if vial.serial is not None and (vial.gtin, vial.serial) in {(one.gtin, one.serial) for one in self._vials}:
            return self.tr("Scan another one: the vial with serial number {0} is in the list.").format(vial.serial)
        self._vials += (vial,)
        self._show()
        return ""

    def _remove(self, place: int) -> None:
        self._vials = self._vials[:place] + self._vials[place + 1 :]
        self._say("")
        self._show()
        self.scan.setFocus()
        self.vialsChanged.emit()

    def _say(self, problem: str) -> None:
        self._row.show_remark(problem, bool(problem))
        set_role(self.scan, "error" if problem else "")

    # Pictures

    def _choose_picture(self) -> None:
        dialog = QFileDialog(self, self.tr("A picture of the code"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(self.tr("Pictures (*.png *.jpg *.jpeg *.bmp *.gif *.webp *.tif *.tiff);;All files (*)"))
        dialog.fileSelected.connect(self.read_picture)
        dialog.open()

    def read_picture(self, path: str) -> None:
        """Take every code in a picture file; each becomes a vial, or the remark says why not."""
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            texts = self._reader.texts_in(read_picture(path))
        except UnreadablePictureError as error:
            self._say(self.tr("Choose another file: this is no picture ({0}).").format(error.values["problem"]))
            return
        finally:
            QApplication.restoreOverrideCursor()
        before = len(self._vials)
        problems = [problem for text in texts if (problem := self._take(text))]
        if not texts:
            problems.append(self.tr("Take another picture, closer, sharp and without shadow: no code was found in it."))
        self._say(" ".join(dict.fromkeys(problems)))
        if len(self._vials) > before:
            self.vialsChanged.emit()
        self.scan.setFocus()

    # What is shown

    def _show(self) -> None:
        wanted = self._wanted
        wrong = [vial for vial in self._vials if wanted is not None and is_wrong(vial, wanted)]
        right = [vial for vial in self._vials if vial not in wrong]
        # The codes say lot and expiry too, and whoever reads the label the second time must not see them.
        self._list.show_vials(() if self.again_is_open() else self._vials, wrong)
        for widget in (self._mark, self._total):
            widget.setVisible(bool(self._vials) and not self.again_is_open())
        needed = wanted.needed if wanted is not None else None
        mark, word = self._sum_mark(right, needed)
        self._mark.set_mark(mark, word=word)
        text = self.tr("{0} scanned").format(show_volume(total_volume(right)))
        if wrong:
            text = self.tr("{0} scanned that may go in").format(show_volume(total_volume(right)))
        self._total.setText(text if needed is None else self.tr("{0}, {1} needed").format(text, show_volume(needed)))

    def _sum_mark(self, right: Sequence[ScannedVial], needed: Volume | None) -> tuple[Mark, str]:
        if not all(vial.product for vial in right):
            return Mark.NOTE, self.tr("Not all known")
        if needed is None:
            return Mark.NOTE, self.tr("In all")
        if total_volume(right) < needed:
            return Mark.BLOCK, self.tr("Too little")
        return Mark.VERIFIED, self.tr("Enough")

    def total_words(self) -> str:
        """The sum as it stands below the list."""
        return f"{self._mark.accessibleName()}. {self._total.text()}"

    # The second reading

    def _open_again(self, is_open: bool) -> None:
        self._show()
        self._compare()
        self.againOpened.emit(is_open)
        (self.again.drug if is_open else self.scan).setFocus()

    def _compare(self) -> None:
        self._typed.setVisible(self.again_is_open())
        agrees = self.again_agrees()
        if agrees is None:
            self._verdict.set_mark(Mark.TASK)
            self._difference.setText(
                self.tr("The second person types what the label says, without asking the first.")
                if self._first is not None
                else self.tr("The first reading is not complete: close this and complete it.")
            )
        elif agrees:
            self._verdict.set_mark(Mark.VERIFIED, word=self.tr("Both agree"))
            self._difference.setText(self.tr("Two readings of the label say the same."))
        else:
            self._verdict.set_mark(Mark.BLOCK, word=self.tr("Differ"))
            self._difference.setText(
                self.tr("Read the label again, both of you: the readings differ in {0}.").format(self._where())
            )
        self.againChanged.emit()

    def _where(self) -> str:
        again = self.again.reading()
        names = {
            "drug": self.tr("drug"),
            "concentration": self.tr("concentration"),
            "lot": self.tr("lot"),
            "expires_on": self.tr("expiry"),
        }
        if self._first is None or again is None:
            return ""
        return ", ".join(names[field] for field in differing_fields(self._first, again))

    def again_words(self) -> str:
        """What is said about the two readings."""
        return f"{self._verdict.accessibleName()}. {self._difference.text()}"


def _marked(mark: StateMark, label: QLabel) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(unit())
    row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(label, 1)
    return row
