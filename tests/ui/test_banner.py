"""The banner says whose pump this is, and says it in full to those who ask."""

from dataclasses import replace

import pytest

from app.ui.banner import Identity, IdentityBanner
from app.ui.elided_label import ElidedLabel
from app.ui.state_mark import Mark, StateMark

ANNA = Identity(
    name="Anna Bauer",
    born="14 Mar 1976",
    number="4471-220",
    serial="CE-004711",
    drug="baclofen 2000 mcg/mL",
    dose="355.5 mcg/day",
    state="Running",
    state_mark=Mark.VERIFIED,
)
LONG_NAME = "Maximiliane Theresia Wolkenstein-Hohenlohe-Langenburg van der Berg genannt Oberhuber"


@pytest.fixture
def banner(qtbot, themed):
    made = IdentityBanner()
    qtbot.addWidget(made)
    made.resize(1366, made.sizeHint().height())
    made.show()
    return made


def shown(banner) -> list[str]:
    """The values from left to right."""
    labels = [label for label in banner.findChildren(ElidedLabel) if label.isVisible()]
    return [label.text() for label in sorted(labels, key=lambda label: label.mapTo(banner, label.pos()).x())]


def marks(banner) -> list[Mark]:
    return [mark.mark() for mark in banner.findChildren(StateMark) if mark.isVisible()]


def test_the_facts_stand_in_their_fixed_order(banner):
    banner.show_identity(ANNA)
    assert shown(banner) == [
        "Anna Bauer", "14 Mar 1976", "4471-220", "CE-004711", "baclofen 2000 mcg/mL", "355.5 mcg/day",
    ]  # fmt: skip
    assert marks(banner) == [Mark.VERIFIED]


def test_the_facts_stand_at_the_same_place_for_every_patient(banner):
    places = []
    for identity in (ANNA, replace(ANNA, name=LONG_NAME, dose="9.5 mcg/day", drug="")):
        banner.show_identity(identity)
        banner.layout().activate()
        places.append([label.mapTo(banner, label.rect().topLeft()).x() for label in banner.findChildren(ElidedLabel)])
    assert places[0] == places[1]


def test_a_long_name_is_elided_and_its_full_text_is_there_for_those_who_ask(banner):
    banner.show_identity(replace(ANNA, name=LONG_NAME))
    banner.layout().activate()
    name = banner.findChildren(ElidedLabel)[0]
    assert name.width() < name.fontMetrics().horizontalAdvance(LONG_NAME)
    assert name.toolTip() == LONG_NAME
    assert name.accessibleName() == "Name"
    assert name.accessibleDescription() == LONG_NAME
    assert LONG_NAME in banner.accessibleDescription()
    assert banner.minimumSizeHint().width() <= 1366


def test_a_fact_that_is_missing_is_shown_as_a_dash(banner):
    banner.show_identity(replace(ANNA, serial="", dose=""))
    assert shown(banner)[3] == "–"
    assert shown(banner)[5] == "–"


def test_nothing_of_the_last_patient_is_left(banner):
    banner.show_identity(ANNA)
    banner.show_identity(None)
    assert shown(banner) == []
    assert marks(banner) == []
    assert banner.accessibleDescription() == "No patient is open."
    assert all(not label.text() and not label.toolTip() for label in banner.findChildren(ElidedLabel))


def test_the_whole_banner_is_spoken(banner):
    banner.show_identity(ANNA)
    assert banner.accessibleName() == "Patient and pump"
    assert banner.accessibleDescription() == (
        "Anna Bauer, 14 Mar 1976, 4471-220, CE-004711, baclofen 2000 mcg/mL, 355.5 mcg/day, Running"
    )


def test_an_emulated_pump_is_marked_with_and_without_a_patient(banner):
    banner.show_emulated(True)
    assert marks(banner) == [Mark.EMULATED]
    banner.show_identity(ANNA)
    assert marks(banner) == [Mark.VERIFIED, Mark.EMULATED]
    banner.show_emulated(False)
    assert marks(banner) == [Mark.VERIFIED]


def test_the_widest_facts_are_never_cut_at_the_smallest_screen(banner):
    widest = replace(
        ANNA, number="0000-00000", serial="EMU-0000000", drug="morphine 10000 mcg/mL", dose="9999.9 mcg/day"
    )
    banner.show_identity(widest)
    banner.show_emulated(True)
    banner.layout().activate()
    for label in banner.findChildren(ElidedLabel)[1:]:
        assert label.width() >= label.fontMetrics().horizontalAdvance(label.text()), label.text()


def test_a_letter_with_a_meaning_in_markup_is_shown_as_it_is(banner):
    banner.show_identity(replace(ANNA, name="<b>A</b> & B"))
    assert shown(banner)[0] == "<b>A</b> & B"
    assert "&lt;b&gt;" in banner.findChildren(ElidedLabel)[0].toolTip()
