"""The line at the foot always says the same four things in the same order."""

import pytest
from PySide6.QtWidgets import QLabel

from app.ui.elided_label import ElidedLabel
from app.ui.status_line import StatusLine


@pytest.fixture
def line(qtbot, themed):
    made = StatusLine()
    qtbot.addWidget(made)
    made.resize(1366, made.sizeHint().height())
    made.show()
    return made


def test_at_first_nothing_is_connected_and_nobody_is_signed_in(line):
    assert line.spoken() == "Not connected, Nothing unsaved, Nobody is signed in"


def test_everything_is_said_in_its_order(line):
    line.show_user("A. Nowak, nurse")
    line.show_unsaved(True)
    line.show_emulated(True)
    line.show_connection("Pump CE-004711, read 14:02", connected=True)
    assert line.spoken() == "Pump CE-004711, read 14:02, Emulated pump, Unsaved changes, A. Nowak, nurse"


def test_every_fact_has_a_name_and_a_sign(line):
    line.show_emulated(True)
    facts = line.findChildren(ElidedLabel)
    assert [fact.accessibleName() for fact in facts] == ["Connection", "Kind of pump", "Changes", "User"]
    signs = [label for label in line.findChildren(QLabel) if not isinstance(label, ElidedLabel)]
    assert len(signs) == 4
    assert all(not sign.pixmap().isNull() for sign in signs)


def test_an_emulated_pump_is_said_only_of_an_emulated_pump(line):
    line.show_emulated(True)
    assert "Emulated pump" in line.spoken()
    line.show_emulated(False)
    assert "mulated" not in line.spoken()


def test_a_long_connection_leaves_room_for_the_user(line):
    line.show_connection("Pump " + "CE-004711 " * 40, connected=True)
    line.show_user("A. Nowak, nurse")
    line.layout().activate()
    assert line.minimumSizeHint().width() <= 1366
    user = line.findChildren(ElidedLabel)[-1]
    assert user.width() >= user.fontMetrics().horizontalAdvance("A. Nowak, nurse")
