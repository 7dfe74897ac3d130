"""What the tests of the window share."""

import pytest

from tests.ui.keys import Keyboard


@pytest.fixture
def keyboard() -> Keyboard:
    return Keyboard()


@pytest.fixture
def themed(qapp):
    """The application in the light theme."""
    from app.ui.theme import LIGHT, apply_theme

    apply_theme(qapp, LIGHT)
    return qapp
