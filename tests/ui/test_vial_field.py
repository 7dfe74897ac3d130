"""Vials on the page: scanned as by a keyboard, read from picture files, or typed twice without seeing the first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QTransform
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.device.vial_image import texts_in
from app.documents.catalogue import load_catalogue
from app.documents.gs1 import read_scan
from app.documents.products import load_products
from app.models.quantities import Concentration, Volume
from app.models.vial import LabelReading, ScanProblem, ScanRefusedError, VialReader, Wanted
from app.ui.refill.vial_field import VialScan
from app.ui.refill.vial_picture import UnreadablePictureError, grey_of, read_picture
from app.ui.refill.vial_words import words_of
from tests.ui.keys import Keyboard

TODAY = date(2026, 11, 21)
CATALOGUE = load_catalogue()
PRODUCTS = load_products(CATALOGUE)
READER = VialReader(lambda text: read_scan(text, PRODUCTS, TODAY), texts_in)
AT_2000 = Concentration.mcg_per_ml(2000)
GS = "\x1d"
CODE = f"]d201003701212503191727123110AB12{GS}21SN0001"
SECOND = f"]d201003701212503191728013110CD34{GS}21SN0002"
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(qtbot, themed) -> Callable[..., VialScan]:
    """A vial field in a window with a field behind it."""
    windows = []

    def make(*, needed: int | None = 18, concentration: int = 2000) -> VialScan:
        window = QWidget()
        qtbot.addWidget(window)
        column = QVBoxLayout(window)
        vials = VialScan(READER, CATALOGUE.drugs.values())
        column.addWidget(vials)
        column.addWidget(QLineEdit())
        volume = None if needed is None else Volume.ml(needed)
        vials.set_wanted(Wanted(CATALOGUE.drug("baclofen"), Concentration.mcg_per_ml(concentration), volume, TODAY))
        window.show()
        window.activateWindow()
        vials.setFocus()
        windows.append(window)
        return vials

    return make


def scan(keyboard: Keyboard, vials: VialScan, text: str, *, end: Qt.Key = Qt.Key.Key_Return) -> None:
    """Strike the keys as a scanner does: a key each 3 ms, the separator as Ctrl+]."""
    for character in text:
        if character == GS:
            keyboard.strike(vials.scan, Qt.Key.Key_BracketRight, GS, modifiers=CONTROL, gap_ms=3)
        else:
            keyboard.strike(vials.scan, ord(character.upper()), character, gap_ms=3)
    keyboard.strike(vials.scan, end, {Qt.Key.Key_Return: "\r", Qt.Key.Key_Tab: "\t"}.get(end, "\r"), gap_ms=3)


def shown(vials: VialScan) -> str:
    """All texts that can be seen."""
    return " | ".join(label.text() for label in vials.findChildren(QLabel) if label.isVisible())


@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab])
def test_a_scan_becomes_a_vial_in_the_list(page, keyboard, qtbot, end) -> None:
    vials = page()
    with qtbot.waitSignal(vials.vialsChanged):
        scan(keyboard, vials, CODE, end=end)
    (vial,) = vials.vials()
    assert (vial.gtin, vial.lot, vial.expires_on, vial.serial) == (
        "00370121250319", "AB12", date(2027, 12, 31), "SN0001",
    )  # fmt: skip
    assert vials.scan.text() == "" and vials.window().focusWidget() is vials.scan
    text = shown(vials)
    assert "Lot AB12, expires 31\u00a0Dec\u00a02027, serial SN0001" in text
    assert "Lioresal Intrathecal 2000\u00a0mcg/mL" in text and "20\u00a0mL" in text
    assert vials.total_words() == "Enough. 20\u00a0mL scanned, 18\u00a0mL needed"


def test_tab_leaves_an_empty_field(page, keyboard) -> None:
    vials = page()
    assert vials.window().focusWidget() is vials.scan
    keyboard.strike(vials.scan, Qt.Key.Key_Tab, "\t")
    assert vials.window().focusWidget() is vials.from_picture


def test_a_scan_that_begins_on_a_button_is_not_lost(page, keyboard) -> None:
    vials = page()
    vials.from_picture.setFocus()
    keyboard.strike(vials.from_picture, Qt.Key.Key_BracketRight, CODE[0])
    assert vials.window().focusWidget() is vials.scan
    scan(keyboard, vials, CODE[1:])
    assert len(vials.vials()) == 1


def test_enter_in_an_empty_field_does_nothing(page, keyboard, qtbot) -> None:
    vials = page()
    with qtbot.assertNotEmitted(vials.vialsChanged):
        keyboard.enter(vials.scan)
    assert vials.remark() == "Each vial or carton once: its square code."


@pytest.mark.parametrize(("key", "text", "held"), [
    (Qt.Key.Key_BracketRight, "", CONTROL),
    (Qt.Key.Key_unknown, GS, Qt.KeyboardModifier.NoModifier),
    (Qt.Key.Key_Bar, "|", Qt.KeyboardModifier.ShiftModifier),
])  # fmt: skip
def test_a_separator_is_kept_however_the_scanner_types_it(page, keyboard, key, text, held) -> None:
    vials = page()
    before, after = CODE.split(GS)
    keyboard.type(vials.scan, before)
    keyboard.strike(vials.scan, key, text, modifiers=held)
    keyboard.type(vials.scan, after)
    keyboard.enter(vials.scan)
    assert [vial.serial for vial in vials.vials()] == ["SN0001"]


def test_a_pasted_code_keeps_its_separator(page, keyboard) -> None:
    vials = page()
    QGuiApplication.clipboard().setText(CODE)
    keyboard.strike(vials.scan, Qt.Key.Key_V, "", modifiers=CONTROL)
    assert vials.scan.scan_text() == CODE
    keyboard.enter(vials.scan)
    assert len(vials.vials()) == 1


def test_a_refused_scan_stays_with_its_error_and_the_next_scan_replaces_it(page, keyboard, qtbot) -> None:
    vials = page()
    broken = CODE.replace("50319", "50318")
    with qtbot.assertNotEmitted(vials.vialsChanged):
        scan(keyboard, vials, broken)
    assert vials.remark() == "Scan again: the check digit of product number 00370121250318 is wrong."
    assert vials.scan.scan_text() == broken and vials.vials() == ()
    scan(keyboard, vials, CODE)
    assert len(vials.vials()) == 1
    assert vials.remark() == "Each vial or carton once: its square code."


def test_the_same_vial_is_not_taken_twice(page, keyboard) -> None:
    vials = page()
    scan(keyboard, vials, CODE)
    scan(keyboard, vials, CODE)
    assert len(vials.vials()) == 1
    assert vials.remark() == "Scan another one: the vial with serial number SN0001 is in the list."
    assert vials.scan.scan_text() == CODE


@pytest.mark.parametrize(("needed", "says"), [
    (40, "Enough. 40\u00a0mL scanned, 40\u00a0mL needed"),
    (41, "Too little. 40\u00a0mL scanned, 41\u00a0mL needed"),
    (None, "In all. 40\u00a0mL scanned"),
])  # fmt: skip
def test_all_vials_are_added_up_beside_what_is_needed(page, keyboard, needed, says) -> None:
    vials = page(needed=needed)
    scan(keyboard, vials, CODE)
    scan(keyboard, vials, SECOND)
    assert vials.total_words() == says
    assert any(finding.reason == "too-little" for finding in vials.findings()) == says.startswith("Too little")


def test_a_wrong_vial_is_marked_and_not_counted(page, keyboard) -> None:
    vials = page(concentration=500)
    scan(keyboard, vials, CODE)
    assert vials.total_words() == "Too little. 0\u00a0mL scanned that may go in, 18\u00a0mL needed"
    (card,) = vials._list.cards
    assert card.mark.isVisible() and card.accessibleName().startswith("Not this. ")
    assert [finding.reason for finding in vials.findings()] == ["wrong-concentration"]


def test_a_vial_is_removed_and_can_be_scanned_again(page, keyboard, qtbot) -> None:
    vials = page()
    scan(keyboard, vials, CODE)
    scan(keyboard, vials, SECOND)
    with qtbot.waitSignal(vials.vialsChanged):
        vials._list.cards[0].remove.click()
    assert [vial.serial for vial in vials.vials()] == ["SN0002"]
    scan(keyboard, vials, CODE)
    assert [vial.serial for vial in vials.vials()] == ["SN0002", "SN0001"]


def test_a_product_that_is_not_known_is_listed_without_volume(page, keyboard) -> None:
    vials = page()
    scan(keyboard, vials, f"01040063813339311727123110L1{GS}21S1")
    assert "Product 04006381333931, not in the catalogue" in shown(vials)
    assert vials.total_words().startswith("Not all known. 0")
    assert [finding.reason for finding in vials.findings()] == ["unknown-product"]


# -- the second reading ----------------------------------------------------------------------------------------------

FIRST = LabelReading("baclofen", AT_2000, "AB12", date(2027, 12, 31))


def type_again(vials: VialScan, *, drug="baclofen", concentration=2000, lot="AB12", expires="31 Dec 2027") -> None:
    vials.again.drug.setCurrentIndex(vials.again.drug.findData(drug))
    vials.again.concentration.set_value(Fraction(concentration))
    vials.again.lot.setText(lot)
    vials.again.expires.setText(expires)


def test_nothing_is_filled_in_for_the_second_reader(page) -> None:
    vials = page()
    vials.set_first(FIRST)
    vials.open_again.click()
    assert vials.again_is_open() and vials.again.isVisible()
    assert vials.again.drug.currentIndex() == -1
    assert vials.again_reading() is None and vials.again_agrees() is None
    for secret in ("AB12", "2000", "2027\u00a0"):
        assert secret not in shown(vials)


def test_what_was_scanned_is_hidden_while_the_label_is_read_again(page, keyboard, qtbot) -> None:
    vials = page()
    scan(keyboard, vials, CODE)
    with qtbot.waitSignal(vials.againOpened) as opened:
        vials.open_again.click()
    assert opened.args == [True]
    assert "AB12" not in shown(vials) and "20\u00a0mL" not in shown(vials)
    assert len(vials.vials()) == 1
    vials.open_again.click()
    assert "AB12" in shown(vials)


def test_two_readings_that_agree(page, qtbot) -> None:
    vials = page()
    vials.set_first(FIRST)
    vials.open_again.click()
    with qtbot.waitSignal(vials.againChanged):
        type_again(vials)
    assert vials.again_agrees() is True
    assert vials.again_words().startswith("Both agree.")


@pytest.mark.parametrize(("typed", "where", "secret"), [
    ({"drug": "morphine"}, "drug", "baclofen"),
    ({"concentration": 500}, "concentration", "2000"),
    ({"lot": "AB13"}, "lot", "AB12"),
    ({"expires": "30 Dec 2027"}, "expiry", "31"),
])  # fmt: skip
def test_a_difference_is_said_without_showing_the_first_reading(page, typed, where, secret) -> None:
    vials = page()
    vials.set_first(FIRST)
    vials.open_again.click()
    type_again(vials, **typed)
    assert vials.again_agrees() is False
    assert vials.again_words() == f"Differ. Read the label again, both of you: the readings differ in {where}."
    assert secret not in vials.again_words()


def test_a_change_of_the_first_reading_is_compared_at_once(page) -> None:
    vials = page()
    vials.set_first(FIRST)
    type_again(vials)
    assert vials.again_agrees() is True
    vials.set_first(LabelReading("baclofen", AT_2000, "AB13", date(2027, 12, 31)))
    assert vials.again_agrees() is False
    vials.set_first(None)
    assert vials.again_agrees() is None


def test_a_day_that_cannot_be_read_is_no_reading(page) -> None:
    vials = page()
    vials.open_again.click()
    type_again(vials, expires="31 Feb 2027")
    assert vials.again_reading() is None
    assert "Write the day like 31 Dec 2027." in shown(vials)
    assert vials.again.expires.text() == "31 Feb 2027"


def test_two_readings_that_agree_make_up_for_a_product_that_is_not_known(page, keyboard) -> None:
    vials = page()
    scan(keyboard, vials, f"01040063813339311727123110AB12{GS}21S1")
    vials.set_first(FIRST)
    type_again(vials)
    assert vials.findings() == ()


def test_clear_begins_anew(page, keyboard) -> None:
    vials = page()
    scan(keyboard, vials, CODE)
    vials.set_first(FIRST)
    vials.open_again.click()
    type_again(vials)
    vials.clear()
    assert vials.vials() == () and vials.again_agrees() is None and not vials.again_is_open()
    assert vials.again.lot.text() == "" and vials.scan.text() == ""


# -- pictures --------------------------------------------------------------------------------------------------------


def drawn(*contents: str, gs1: bool = True) -> QImage:
    """Codes side by side, as a picture in colour."""
    codes = []
    for content in contents:
        code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, gs1=gs1, force_square=True)
        codes.append(np.pad(np.array(zxingcpp.write_barcode_to_image(code, scale=4)), 23, constant_values=255))
    grey = np.ascontiguousarray(np.hstack(codes))
    image = QImage(grey.data, grey.shape[1], grey.shape[0], grey.shape[1], QImage.Format.Format_Grayscale8)
    return image.convertToFormat(QImage.Format.Format_RGB32)


ONE = "(01)00370121250319(17)271231(10)AB12(21)SN0001"
TWO = "(01)00370121250319(17)280131(10)CD34(21)SN0002"


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp"])
def test_a_code_in_a_picture_becomes_a_vial(page, tmp_path: Path, qtbot, kind: str) -> None:
    vials = page()
    file = tmp_path / f"a vial.{kind}"
    assert drawn(ONE).transformed(QTransform().rotate(33)).save(str(file))
    with qtbot.waitSignal(vials.vialsChanged):
        vials.read_picture(str(file))
    assert [vial.serial for vial in vials.vials()] == ["SN0001"]


def test_every_code_in_a_picture_is_taken(page, tmp_path: Path) -> None:
    vials = page()
    drawn(ONE, TWO).save(str(tmp_path / "two.png"))
    vials.read_picture(str(tmp_path / "two.png"))
    assert {vial.serial for vial in vials.vials()} == {"SN0001", "SN0002"}


def test_a_picture_without_code_and_a_file_that_is_none_are_said(page, tmp_path: Path, qtbot) -> None:
    vials = page()
    blank = QImage(300, 200, QImage.Format.Format_RGB32)
    blank.fill(Qt.GlobalColor.lightGray)
    blank.save(str(tmp_path / "blank.png"))
    (tmp_path / "note.png").write_text("not a picture", encoding="utf-8")
    with qtbot.assertNotEmitted(vials.vialsChanged):
        vials.read_picture(str(tmp_path / "blank.png"))
        assert vials.remark().startswith("Take another picture, closer")
        vials.read_picture(str(tmp_path / "note.png"))
        assert vials.remark().startswith("Choose another file: this is no picture")
        vials.read_picture(str(tmp_path / "none.png"))
        assert vials.remark().startswith("Choose another file: this is no picture")
    assert QGuiApplication.overrideCursor() is None


def test_a_code_that_is_not_gs1_is_said_although_another_one_was_read(page, tmp_path: Path) -> None:
    vials = page()
    plain = drawn("0100370121250319", gs1=False)
    plain.save(str(tmp_path / "plain.png"))
    vials.read_picture(str(tmp_path / "plain.png"))
    assert vials.vials() == ()
    assert vials.remark() == "Scan the square code of the vial or its carton: this is no GS1 code, or not whole."


def test_the_button_asks_for_a_file_without_holding_up_the_window(page, monkeypatch) -> None:
    vials = page()
    opened = []
    monkeypatch.setattr(QFileDialog, "open", lambda self, *arguments: opened.append(self))
    vials.from_picture.click()
    (dialog,) = opened
    dialog.deleteLater()


def test_grey_rows_have_no_gaps(themed) -> None:
    image = QImage(5, 3, QImage.Format.Format_RGB32)
    for row in range(3):
        for column in range(5):
            image.setPixelColor(column, row, Qt.GlobalColor.white if (row + column) % 2 else Qt.GlobalColor.black)
    grey = grey_of(image)
    assert (grey.width, grey.height) == (5, 3)
    assert grey.rows == bytes(255 if (row + column) % 2 else 0 for row in range(3) for column in range(5))


def test_a_file_that_is_no_picture_is_a_typed_error(tmp_path: Path, themed) -> None:
    with pytest.raises(UnreadablePictureError):
        read_picture(str(tmp_path / "none.png"))


@pytest.mark.parametrize("problem", list(ScanProblem))
def test_every_problem_has_its_words(problem: ScanProblem) -> None:
    words = words_of(ScanRefusedError(problem=problem, gtin="1", part="10", written="270000"))
    assert words and "{" not in words
