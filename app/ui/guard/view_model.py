"""Pumps that may stand still, as the window sees them: who waits, what was seen, what may be done.

Law: the pump is asked before it is told anything, and what it said is shown before anybody may resume it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.models.errors import AppError
from app.models.pump import Interrogation, Outcome
from app.models.records import PumpOrder
from app.services.guards import Guarded, HandoverReason, HandoverRefusedError
from app.services.workstation import Workstation
from app.ui.background import Background
from app.ui.error_texts import words_for

_Found = TypeVar("_Found")


class GuardViewModel(QObject):
    """The pump that waits longest; ``waiting`` are all of them."""

    changed = Signal()

    def __init__(self, workstation: Workstation, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workstation = workstation
        self._background = background
        self.waiting: tuple[Guarded, ...] = ()
        self.seen: Interrogation | None = None
        self.said = ""
        self.busy = False
        self.handed_over = False

    def refresh(self) -> None:
        """Look at the records again; what was seen of another pump is forgotten."""
        before = self.first
        self.waiting = self._workstation.guards.waiting()
        if self.first != before:
            self.seen, self.said = None, ""
        self.changed.emit()

    @property
    def first(self) -> Guarded | None:
        """The pump that is shown."""
        return self.waiting[0] if self.waiting else None

    def covers(self, serial: str) -> bool:
        """Whether this pump may stand still."""
        return any(guarded.serial == serial for guarded in self.waiting)

    @property
    def may_resume(self) -> bool:
        """Whether the pump has just been seen standing still, under a program that it could go on with."""
        seen = self.seen
        return not self.busy and seen is not None and not seen.running and not seen.settings.program.is_stopped

    def ask(self) -> None:
        """Ask the pump whether it runs."""
        guarded = self.first
        if guarded is not None and not self.busy:
            self._run(lambda: self._look(guarded), self._looked)

    def _look(self, guarded: Guarded) -> Interrogation:
        assert guarded.therapy.implant is not None
        pump = self._workstation.pump_at(guarded.therapy.implant)
        try:
            return self._workstation.guards.look(guarded, pump, user_id=self._workstation.user.id)
        finally:
            pump.close()

    def _looked(self, reading: Interrogation) -> None:
        self.seen = reading
        stopped = reading.settings.program.is_stopped
        if stopped:
            self.said = self.tr("It stands still, and its program is Stopped. Program it anew on the refill page.")
        else:
            self.said = self.tr("It stands still. Resume it with the program that it holds.")
        self.refresh()

    def resume(self) -> None:
        """Let it go on."""
        guarded, seen = self.first, self.seen
        if guarded is None or seen is None or not self.may_resume:
            return

        def work() -> PumpOrder:
            assert guarded.therapy.implant is not None
            pump = self._workstation.pump_at(guarded.therapy.implant)
            try:
                return self._workstation.guards.resume(guarded, seen, pump, user_id=self._workstation.user.id)
            finally:
                pump.close()

        self._run(work, self._resumed)

    def _resumed(self, record: PumpOrder) -> None:
        self.seen = None
        if record.outcome is not Outcome.VERIFIED:
            self.said = self.tr("The result is not known. Ask the pump.")
        self.refresh()

    def hand_over(self, guarded: Guarded, serial: str, number: str, reason: HandoverReason | None) -> str:
        """Write the handover down; empty, or the field that is not what is on record."""
        try:
            self._workstation.guards.hand_over(
                guarded, serial=serial, number=number, reason=reason, user_id=self._workstation.user.id
            )
        except HandoverRefusedError as refused:
            return str(refused.values["field"])
        self.handed_over = True
        return ""

    def _run(self, work: Callable[[], _Found], done: Callable[[_Found], None]) -> None:
        self.busy, self.said = True, ""
        self.changed.emit()

        def finished(result: _Found) -> None:
            self.busy = False
            done(result)

        self._background.run(work, finished, self._failed)

    def _failed(self, error: Exception) -> None:
        self.busy, self.seen = False, None
        self.said = words_for(error) if isinstance(error, AppError) else str(error)
        self.refresh()
