"""A pump's drafts, orders and verified programs as the history shows them, and what may be done with each.

Law: the record is read anew whenever it may have changed; nothing here changes it but
:meth:`HistoryViewModel.withdraw`, and a version comes onto the board as an edit that can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.models.comparison import Row
from app.models.course import NoCourseError, figures_of
from app.models.errors import AppError
from app.models.formats import rounded, with_unit
from app.models.quantities import Mass
from app.services.plan_text import printed_plan
from app.services.prescribing import Version, VersionState, plan_of
from app.ui.dates import show_moment
from app.ui.error_texts import words_for
from app.ui.plan_pdf import PlanNotWrittenError, write_plan
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.state_mark import Mark

MARKS: Mapping[VersionState, tuple[Mark, str]] = {
    VersionState.DRAFT: (Mark.NOTE, "Draft"),
    VersionState.SIGNED: (Mark.TASK, "Signed, in force"),
    VersionState.SUPERSEDED: (Mark.ENDED, "Signed, replaced"),
    VersionState.EXPIRED: (Mark.ENDED, "Signed, expired"),
    VersionState.WITHDRAWN: (Mark.NOT_APPLIED, "Withdrawn"),
    VersionState.CHANGED: (Mark.BLOCK, "Changed since signed"),
    VersionState.IN_PUMP: (Mark.VERIFIED, "In the pump"),
    VersionState.WAS_IN_PUMP: (Mark.WAS_VERIFIED, "Was in the pump"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One version in words."""

    version: Version
    mark: Mark
    word: str
    name: str
    when: str
    by: str
    daily: str

    @property
    def spoken(self) -> str:
        """All of it, for those who do not see it."""
        return f"{self.name}, {self.word}, {self.daily}, {self.when}, {self.by}"


class HistoryViewModel(QObject):
    """The versions of the pump whose board is open, newest first; ``why_not`` says why there are none."""

    changed = Signal()

    def __init__(self, schedule: ScheduleViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._schedule = schedule
        self.entries: tuple[Entry, ...] = ()
        self.why_not = ""

    def refresh(self) -> None:
        """Read the record anew."""
        implant, desk = self._schedule.implant, self._schedule.workstation.prescribing
        self.entries, self.why_not = (), ""
        if implant is not None:
            try:
                users = {user.id: user.name for user in desk.store.users()}
                self.entries = tuple(self._entry(version, users) for version in reversed(desk.versions(implant)))
            except AppError as error:
                self.why_not = words_for(error)
        if not self.entries and not self.why_not:
            self.why_not = self.tr("Nothing is on record for this pump yet.")
        self.changed.emit()

    def _entry(self, version: Version, users: Mapping[str, str]) -> Entry:
        mark, word = MARKS[version.state]
        if version.in_pump_since is not None:
            when = self.tr("since {0}, pump clock").format(show_moment(version.in_pump_since))
        else:
            when = self.tr("{0} UTC").format(show_moment(version.at.astimezone(UTC)))
        return Entry(
            version, mark, self.tr(word), version.name, when, users.get(version.by, version.by), self._daily(version)
        )

    def _daily(self, version: Version) -> str:
        model, settings = self._schedule.model, version.settings
        if model is None:
            return ""
        try:
            figures = figures_of(settings.program, model, settings.concentration)
        except NoCourseError:
            return self.tr("cannot run")
        return with_unit(rounded(figures.achieved_daily / Mass.PER_MCG, 3), "mcg/day")

    # -- what may be done -------------------------------------------------------------------------------------

    def put_on_board(self, version: Version) -> None:
        """Put a version on the board as it stands, its concentration with it."""
        self._schedule.put(plan_of(version.settings), self.tr("Put {0} on the board").format(version.name))

    def difference(self, old: Version, new: Version) -> tuple[Row, ...]:
        """From the older to the newer, item by item; says why if they cannot be compared."""
        schedule = self._schedule
        if schedule.implant is None:
            return ()
        try:
            return schedule.workstation.prescribing.difference(schedule.implant, old, new)
        except AppError as error:
            schedule.said.emit(words_for(error), True)
            return ()

    def may_withdraw(self, version: Version) -> bool:
        """Whether whoever works here may end this order: a physician, and the order that counts."""
        return version.state is VersionState.SIGNED and self._schedule.may_sign

    def withdraw(self, version: Version) -> str:
        """End an order before its time; returns what is wrong, or nothing."""
        station = self._schedule.workstation
        if version.order is None:
            return ""
        try:
            station.prescribing.withdraw(version.order, station.user)
        except AppError as error:
            return words_for(error)
        self._schedule.order_ended(version.order)
        return ""

    def may_print(self, version: Version) -> bool:
        """Whether there is a signed order to print, and it is what was signed."""
        return version.order is not None and version.state is not VersionState.CHANGED

    def print_plan(self, version: Version) -> tuple[str, Path | None]:
        """Write the plan of a signed order; returns what is wrong, or nothing, and where it was written."""
        implant, station = self._schedule.implant, self._schedule.workstation
        if implant is None or version.order is None:
            return "", None
        order = version.order
        path = station.reports / f"plan-{implant.serial}-{order.signed_at:%Y%m%d}-{order.id[:8]}.pdf"
        try:
            plan = printed_plan(station.prescribing, implant, order.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_plan(plan, path)
        except (PlanNotWrittenError, OSError):
            return self.tr("The plan could not be written to {0}.").format(path), None
        except AppError as error:
            return words_for(error), None
        return "", path
