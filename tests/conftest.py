"""What holds for every test: no screen is needed, and a test that uses Qt leaves nothing behind."""

import gc
import os
import threading
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

MODAL_PATIENCE_MS = 3000
THREAD_PATIENCE_S = 5.0


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a Qt test that hangs in a modal dialog, or leaves a top-level widget or a thread behind."""
    if "qtbot" not in request.fixturenames:
        yield
        return
    from PySide6.QtCore import QTimer

    application = request.getfixturevalue("qapp")
    widgets_before = set(application.topLevelWidgets())
    threads_before = set(threading.enumerate())
    stuck: list[str] = []
    guard = QTimer()
    guard.setInterval(MODAL_PATIENCE_MS)
    guard.timeout.connect(lambda: stuck.extend(close_modal(application)))
    guard.start()
    yield
    guard.stop()
    leaked = leaked_widgets(application, widgets_before)
    threads = leaked_threads(threads_before)
    assert not stuck, f"a modal dialog was left open: {stuck}"
    assert not leaked, f"top-level widgets were left behind: {leaked}"
    assert not threads, f"threads were left running: {threads}"


def close_modal(application) -> list[str]:
    """Close the modal dialog that blocks a test, if there is one, and describe it."""
    modal = application.activeModalWidget()
    if modal is None:
        return []
    described = describe(modal)
    modal.close()
    return [described]


def leaked_widgets(application, before: set) -> list[str]:
    """Describe the top-level widgets that came since and survive even a collection."""
    leaked = widgets_since(application, before)
    if leaked:
        # Slow, so not for every test: pyqtgraph's menus wait for it.
        del leaked
        gc.collect()
        leaked = widgets_since(application, before)
    return [describe(widget) for widget in leaked]


def widgets_since(application, before: set) -> list:
    """List the top-level widgets that came since, once Qt has deleted what it was asked to delete."""
    from PySide6.QtCore import QEvent

    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    application.processEvents()
    return [widget for widget in application.topLevelWidgets() if widget not in before]


def leaked_threads(before: set[threading.Thread]) -> list[str]:
    """Name the threads that came since and do not end soon."""
    since = [thread for thread in threading.enumerate() if thread not in before]
    for thread in since:
        thread.join(THREAD_PATIENCE_S)
    return [thread.name for thread in since if thread.is_alive()]


def describe(widget) -> str:
    """Name a widget so that a reader can find it."""
    return f"{type(widget).__name__} {widget.objectName() or widget.windowTitle()!r}"
