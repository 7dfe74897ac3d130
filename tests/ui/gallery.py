"""Draw every widget and every page of a refill, and write the pictures: ``python -m tests.ui.gallery [folder]``.

Not a test: somebody has to look.
"""

import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

SCALES = {"100": 1.0, "200": 2.0}
REFILLS = {"100": (1.0, (1366, 768)), "200-small": (2.0, (683, 384)), "200": (2.0, (1366, 768))}
"""Scale, and the size of the window in logical pixels: at 200 % on the same screen, and on one of 2732 by 1536."""


def main(arguments: list[str]) -> int:
    """Draw at 100 %, and in processes of their own at 200 %."""
    folder = Path(arguments[0]) if arguments else Path(tempfile.mkdtemp(prefix="cisterna-gallery-"))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for name, factor in SCALES.items():
        environment = os.environ | {"QT_SCALE_FACTOR": str(factor)}
        code = f"from tests.ui.gallery import draw; draw({str(folder)!r}, {name!r})"
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    for name, (factor, size) in REFILLS.items():
        environment = os.environ | {"QT_SCALE_FACTOR": str(factor)}
        code = f"from tests.ui.refill_gallery import draw; draw({str(folder)!r}, {name!r}, {size!r})"
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    print(folder)
    return 0


def draw(folder: str, name: str) -> None:
    from PySide6.QtWidgets import QApplication

    from app.ui.theme import THEMES, apply_theme

    app = QApplication([])
    for theme in THEMES:
        apply_theme(app, theme)
        for page in (forms, signs):
            window = page()
            window.resize(1366, 768)
            window.show()
            app.processEvents()
            focus = window.property("first")
            if focus is not None:
                window.activateWindow()
                focus.setFocus()
            app.processEvents()
            window.grab().save(f"{folder}/{page.__name__}-{theme.name.replace(' ', '-')}-{name}.png")
            window.close()


def frame():
    from PySide6.QtWidgets import QVBoxLayout, QWidget

    from app.ui.banner import Identity, IdentityBanner
    from app.ui.state_mark import Mark
    from app.ui.status_line import StatusLine

    window = QWidget()
    column = QVBoxLayout(window)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    banner, line = IdentityBanner(), StatusLine()
    banner.show_identity(
        Identity(
            name="Maximiliane Wolkenstein-Hohenlohe van der Berg",
            born="14 Mar 1976",
            number="4471-220",
            serial="CE-004711",
            drug="baclofen 2000 mcg/mL",
            dose="355.5 mcg/day",
            state="Running",
            state_mark=Mark.VERIFIED,
        )
    )
    banner.show_emulated(True)
    line.show_connection("Pump CE-004711, read 14:02", connected=True)
    line.show_emulated(True)
    line.show_unsaved(True)
    line.show_user("A. Nowak, nurse")
    body = QWidget()
    column.addWidget(banner)
    column.addWidget(body, 1)
    column.addWidget(line)
    return window, body


def type_into(field, text: str) -> None:
    from PySide6.QtCore import QCoreApplication, QEvent, Qt
    from PySide6.QtGui import QKeyEvent

    for character in text:
        pressed = QKeyEvent(QEvent.Type.KeyPress, ord(character), Qt.KeyboardModifier.NoModifier, character)
        QCoreApplication.sendEvent(field, pressed)


def forms():
    from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout

    from app.models.findings import Severity
    from app.ui.dose_field import DoseField
    from app.ui.finding_list import Card, FindingList
    from app.ui.form import add_field
    from app.ui.hold_button import HoldButton
    from app.ui.theme import Scale, set_role, set_type, unit

    window, body = frame()
    row = QHBoxLayout(body)
    row.setContentsMargins(4 * unit(), 3 * unit(), 4 * unit(), 3 * unit())
    row.setSpacing(6 * unit())
    left, right = QVBoxLayout(), QVBoxLayout()
    for column in (left, right):
        column.setSpacing(2 * unit())
    row.addLayout(left, 2)
    row.addLayout(right, 3)
    title = QLabel("Volume taken from the pump")
    set_type(title, Scale.TITLE, strong=True)
    left.addWidget(title)
    dose = DoseField("mcg/day", 1, echo=lambda _value: "355.5 mcg/day = 14.8 mcg/h = 0.178 mL/day at 2000 mcg/mL")
    dose.set_value(Fraction(711, 2))
    add_field(left, "&Daily dose", dose)
    dose.review()
    volume = DoseField("mL", 2, whole_digits=2)
    add_field(left, "&Volume", volume, hint="As it stands on the syringe.")
    type_into(volume, "4,")
    high = DoseField("mcg/mL", 0, scale=Scale.LEAD, problem=lambda _value: "At most 4000 mcg/mL. Read the label.")
    add_field(left, "&Concentration", high)
    type_into(high, "5020")
    high.review()
    plain = QLineEdit("Label on the ampoule")
    add_field(left, "&Lot", plain)
    drugs = QComboBox()
    drugs.addItems(["baclofen 500 mcg/mL – 10 mg in 20 mL", "baclofen 2000 mcg/mL – 40 mg in 20 mL"])
    add_field(left, "D&rug", drugs)
    left.addWidget(QCheckBox("The numbers on the syringe were read aloud"))
    left.addStretch(1)
    findings = FindingList(10)
    findings.set_cards(
        [
            Card(
                "REF-02",
                Severity.BLOCK,
                "Measure again: far more was left than expected. 19 mL instead of 3.1 mL.",
                (("Expected", "3.1 mL"), ("Measured", "19 mL"), ("Difference", "+15.9 mL (+513 %)")),
            ),
            Card(
                "TIT-06",
                Severity.CONFIRM,
                "Say why: the daily dose goes down by more than 20 %.",
                (("Now", "450 mcg/day"), ("New", "355.5 mcg/day"), ("Change", "DECREASE −94.5 mcg/day (−21 %)")),
            ),
            Card("ALM-01", Severity.NOTE, "The low-reservoir alarm is set for 21 Jun 2026."),
        ]
    )
    right.addWidget(findings)
    right.addStretch(1)
    buttons = QHBoxLayout()
    back, send = QPushButton("&Go back"), HoldButton("Send to pump CE-004711")
    send._show_progress(600)
    off = HoldButton("Send to pump CE-004711")
    off.setEnabled(False)
    go = QPushButton("&Read the pump")
    set_role(go, "primary")
    quiet = QPushButton("Show all")
    set_role(quiet, "quiet")
    for button in (back, go, quiet):
        buttons.addWidget(button)
    buttons.addStretch(1)
    holds = QHBoxLayout()
    holds.addStretch(1)
    holds.addWidget(off)
    holds.addWidget(send)
    right.addLayout(buttons)
    right.addLayout(holds)
    window.setProperty("first", volume)
    return window


def signs():
    from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

    from app.ui import icons
    from app.ui.hold_button import HoldButton
    from app.ui.state_mark import Mark, StateMark
    from app.ui.theme import Scale, current_theme, set_role, set_type, unit

    window, body = frame()
    column = QVBoxLayout(body)
    column.setContentsMargins(4 * unit(), 3 * unit(), 4 * unit(), 3 * unit())
    column.setSpacing(2 * unit())
    for scale in Scale:
        line = QLabel(f"{scale.name.title()}: 1234567890 mcg/day, 0.125 mL/h, Ωµ“–”")
        set_type(line, scale, strong=scale is Scale.TITLE)
        column.addWidget(line)
    marks = QHBoxLayout()
    for mark in Mark:
        marks.addWidget(StateMark(mark))
    marks.addStretch(1)
    column.addLayout(marks)
    large = QHBoxLayout()
    for mark in (Mark.VERIFIED, Mark.NOT_APPLIED, Mark.RESULT_NOT_KNOWN):
        large.addWidget(StateMark(mark, scale=Scale.TITLE))
    large.addStretch(1)
    column.addLayout(large)
    grid = QGridLayout()
    for place, name in enumerate(icons.NAMES):
        sign, word = QLabel(), QLabel(name)
        sign.setPixmap(icons.pixmap(name, current_theme().text, 4 * unit(), ratio=window.devicePixelRatioF()))
        set_role(word, "muted")
        grid.addWidget(sign, 2 * (place // 11), place % 11)
        grid.addWidget(word, 2 * (place // 11) + 1, place % 11)
    column.addLayout(grid)
    column.addStretch(1)
    send = HoldButton("Stop the pump")
    row = QHBoxLayout()
    disabled = QPushButton("Not now")
    disabled.setEnabled(False)
    row.addWidget(disabled)
    row.addStretch(1)
    row.addWidget(send)
    column.addLayout(row)
    window.setProperty("first", send)
    return window


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
