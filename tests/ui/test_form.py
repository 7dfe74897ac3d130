"""A field in a form has a label, a name for those who cannot see it, and a place for what is wrong."""

from fractions import Fraction

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from app.ui.dose_field import DoseField
from app.ui.form import add_field
from app.ui.theme import DARK, apply_theme


@pytest.fixture
def form(qtbot, themed):
    window = QWidget()
    qtbot.addWidget(window)
    QVBoxLayout(window)
    return window


def add(form, label, field, hint=""):
    return add_field(form.layout(), label, field, hint=hint)


def label_of(row) -> QLabel:
    (label,) = [label for label in row.findChildren(QLabel) if label.buddy() is not None]
    return label


def spoken(field, kind) -> str:
    return QAccessible.queryAccessibleInterface(field).text(kind)


def test_the_label_leads_to_its_field(form):
    field = QLineEdit()
    label = label_of(add(form, "&Lot", field))
    assert label.buddy() is field
    assert label.text() == "&Lot"


def test_the_name_of_a_field_is_its_label_without_the_mark_of_its_key(form):
    field = QLineEdit()
    add(form, "&Lot", field)
    assert field.accessibleName() == "Lot"
    assert spoken(field, QAccessible.Text.Name) == "Lot"


def test_an_ampersand_that_is_meant_stays_in_the_name(form):
    field = QLineEdit()
    add(form, "&Drug && strength", field)
    assert field.accessibleName() == "Drug & strength"


def test_a_hint_stands_under_its_field_and_is_spoken(form):
    field = QLineEdit()
    row = add(form, "Lot", field, "As it stands on the ampoule.")
    assert row.remark() == "As it stands on the ampoule."
    assert spoken(field, QAccessible.Text.Description) == "As it stands on the ampoule."


def test_a_refusal_stands_in_the_place_of_the_hint_and_both_are_spoken(form, keyboard):
    dose = DoseField("mcg/day", 1)
    row = add(form, "Daily dose", dose, "As prescribed.")
    keyboard.type(dose, "5,")
    assert row.remark() == "Use a point."
    assert dose.accessibleDescription() == "mcg/day. As prescribed. Use a point."
    keyboard.backspace(dose)
    assert row.remark() == "As prescribed."
    assert dose.accessibleDescription() == "mcg/day. As prescribed."


def test_what_stood_there_before_is_spoken_as_soon_as_it_is_put_in(form):
    dose = DoseField("mcg/day", 1)
    add(form, "Daily dose", dose)
    dose.set_value(Fraction(711, 2))
    assert dose.accessibleDescription() == "mcg/day. before: 355.5."


def test_an_error_has_a_sign_beside_its_words_in_every_theme(form, themed, keyboard):
    dose = DoseField("mcg/day", 1)
    row = add(form, "Daily dose", dose)
    keyboard.type(dose, "x")
    (sign,) = [label for label in row.findChildren(QLabel) if not label.pixmap().isNull()]
    before = sign.pixmap().toImage()
    assert not sign.isHidden()
    apply_theme(themed, DARK)
    assert sign.pixmap().toImage() != before
    keyboard.backspace(dose)
    assert sign.isHidden()


def test_the_next_field_does_not_move_when_a_short_remark_appears(form, keyboard):
    dose, below = DoseField("mcg/day", 1), QLineEdit()
    add(form, "Daily dose", dose)
    add(form, "Lot", below)
    form.show()
    before = below.mapTo(form, below.rect().topLeft())
    keyboard.type(dose, "5,")
    form.layout().activate()
    assert below.mapTo(form, below.rect().topLeft()) == before
