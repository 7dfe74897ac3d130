"""What the tests in the window share."""

from tests.ui.conftest import keyboard, themed  # noqa: F401
