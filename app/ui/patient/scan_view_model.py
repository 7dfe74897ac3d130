"""A patient's scans, and surgery on the system, as the window sees them.

Law: what is due and what it shows comes from the service each time it is asked for; the pump is read on the worker and
told nothing, and what is typed is judged before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from PySide6.QtCore import QObject, Signal

from app.models.errors import AppError
from app.models.findings import Severity
from app.models.mri import MriState, MriStep, MriVerdict, MriVisit
from app.models.patient import Implant
from app.models.pump_events import SeenReading
from app.models.rule_texts import sentence
from app.services.mri import NotYetError
from app.services.therapy import Therapy
from app.services.workstation import Workstation
from app.ui.background import Background
from app.ui.dates import parse_day, parse_moment, show_moment
from app.ui.error_texts import words_for
from app.ui.state_mark import Mark

EMERGENCY = "EMERGENCY"
_ORDER = (MriStep.READ_BEFORE, MriStep.SCAN, MriStep.READ_AFTER, MriStep.READ_AGAIN)


@dataclass(frozen=True, slots=True)
class ScanLine:
    """One part of a scan: what it is, when it was done or is due, and whether it is done."""

    caption: str
    text: str
    done: bool
    due: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the readings show, with its sign, a word and a sentence."""

    mark: Mark
    word: str
    words: str


class ScanViewModel(QObject):
    """The scans of one patient at a time."""

    changed = Signal()
    """Something was noted or read, or another patient is open."""
    said = Signal(str, bool)
    """What was done, or what went wrong (true); empty when there is nothing to say."""
    busyChanged = Signal(bool)
    """Whether the pump is being read."""

    def __init__(
        self,
        workstation: Workstation,
        background: Background,
        parent: QObject | None = None,
        *,
        why_not_now: Callable[[], str] = str,
    ) -> None:
        """``why_not_now`` says in words what holds the cable, and lets go of it where it can."""
        super().__init__(parent)
        self._station = workstation
        self._background = background
        self._why_not_now = why_not_now
        self.therapy: Therapy | None = None
        self.busy = False

    def open(self, therapy: Therapy | None) -> None:
        """Show a patient's scans."""
        self.therapy = therapy
        self.said.emit("", False)
        self.changed.emit()

    @property
    def implant(self) -> Implant | None:
        """The open patient's pump."""
        return self.therapy.implant if self.therapy is not None else None

    # -- what there is ---------------------------------------------------------------------------------------

    def visit(self) -> MriVisit | None:
        """The scan that is open, or else the last one."""
        if self.implant is None:
            return None
        scans = self._station.scans
        visits = scans.visits(self.implant.id)
        return scans.open_visit(self.implant.id) or (visits[-1] if visits else None)

    def is_open(self) -> bool:
        """Whether a scan is planned or not seen through yet."""
        visit = self.visit()
        return visit is not None and self._station.scans.state(visit).due is not MriStep.NOTHING

    def due(self) -> MriStep:
        """What is due next."""
        visit = self.visit()
        return MriStep.NOTHING if visit is None else self._station.scans.state(visit).due

    def may_cancel(self) -> bool:
        """Whether the scan that is open has not been made yet."""
        visit = self.visit()
        return visit is not None and self.is_open() and visit.scanned_at is None

    def lines(self) -> tuple[ScanLine, ...]:
        """The four parts of the scan, in their order; none where no scan was ever planned."""
        visit = self.visit()
        if visit is None or visit.cancelled:
            return ()
        state = self._station.scans.state(visit)
        done = {
            MriStep.READ_BEFORE: _read_at(state.before),
            MriStep.SCAN: visit.scanned_at,
            MriStep.READ_AFTER: _read_at(state.after),
            MriStep.READ_AGAIN: _read_at(state.again),
        }
        return tuple(self._line(step, done[step], visit, state) for step in _ORDER)

    def _line(self, step: MriStep, at: datetime | None, visit: MriVisit, state: MriState) -> ScanLine:
        captions = {
            MriStep.READ_BEFORE: self.tr("Read before the scan"),
            MriStep.SCAN: self.tr("Scan ended"),
            MriStep.READ_AFTER: self.tr("Read after it"),
            MriStep.READ_AGAIN: self.tr("Read again"),
        }
        due = step is state.due
        if at is not None:
            text = show_moment(self._station.clock.to_pump(at))
        elif due:
            text = self._due_words(state.due_from)
        elif step is MriStep.READ_BEFORE and visit.scanned_at is not None:
            text = self.tr("was left out")
        else:
            text = self.tr("not yet")
        return ScanLine(captions[step], text, done=at is not None, due=due)

    def _due_words(self, since: datetime | None) -> str:
        if since is not None and since > self._station.clock.utc():
            return self.tr("due; a reading counts from {0} on").format(show_moment(self._station.clock.to_pump(since)))
        return self.tr("due now")

    def verdict(self) -> Verdict:
        """What the readings of the scan show."""
        visit = self.visit()
        if visit is None:
            return Verdict(Mark.NOTE, self.tr("None"), self.tr("No scan is on record for this pump."))
        if visit.cancelled:
            return Verdict(Mark.ENDED, self.tr("Not made"), self.tr("The last scan that was planned was not made."))
        state = self._station.scans.state(visit)
        words = " ".join(
            sentence(finding) for finding in state.findings if finding.severity is not Severity.NOTE
        )
        match state.verdict:
            case MriVerdict.RECOVERED:
                return Verdict(
                    Mark.VERIFIED, self.tr("Recovered"),
                    self.tr("The log shows that the motor stalled and turns again, in two readings."),
                )  # fmt: skip
            case MriVerdict.NO_STALL:
                return Verdict(Mark.CONFIRM, self.tr("No stall seen"), words)
            case MriVerdict.NOT_RECOVERED:
                return self._not_recovered(words)
        return Verdict(Mark.TASK, self.tr("Not yet"), words or self.tr("Note here when the scan has ended."))

    def _not_recovered(self, words: str) -> Verdict:
        implant = self.implant
        if implant is not None and not self._station.scans.stands_still(implant.id):
            return Verdict(
                Mark.CONFIRM, self.tr("Recovered late"),
                self.tr("Both readings showed a stalled motor, and a later one shows it turning. "
                        "Have a physician judge how long the patient went without drug."),
            )  # fmt: skip
        return Verdict(Mark.BLOCK, EMERGENCY, words)

    def remarks(self) -> tuple[str, ...]:
        """What else there is to know of the scan."""
        visit = self.visit()
        if visit is None or visit.cancelled:
            return ()
        findings = self._station.scans.state(visit).findings
        return tuple(sentence(finding) for finding in findings if finding.severity is Severity.NOTE)

    def now_words(self) -> str:
        """This moment on the pump's clock, as it is typed."""
        return show_moment(self._station.clock.pump())

    # -- what is done ----------------------------------------------------------------------------------------

    def plan(self) -> None:
        """Note that a scan is going to be made."""
        implant = self.implant
        if implant is not None:
            self._note(lambda: self._station.scans.plan(implant.id, self._station.user), self.tr("A scan is noted."))

    def cancel(self) -> None:
        """Note that the open scan is not made."""
        visit = self.visit()
        if visit is not None:
            self._note(lambda: self._station.scans.cancel(visit, self._station.user), self.tr("It is not made."))

    def scanned(self, text: str) -> str:
        """Note when the scan ended, typed on the pump's clock; returns what is wrong with it, in words."""
        visit, clock = self.visit(), self._station.clock
        at = parse_moment(text, clock.pump().date())
        if at is None:
            return self.tr("Type the moment like 13:45, or 14 Mar 2026 13:45.")
        if visit is None:
            return ""
        try:
            self._station.scans.scanned(visit, self._to_utc(at), self._station.user)
        except NotYetError as error:
            return words_for(error)
        except AppError as error:
            self.said.emit(words_for(error), True)
            return ""
        self.said.emit(self.tr("The end of the scan is noted. Read the pump now."), False)
        self.changed.emit()
        return ""

    def note_surgery(self, text: str) -> str:
        """Note surgery on catheter or pump, typed as a day or a moment; returns what is wrong with it, in words.

        A day alone counts to its end, or to now, so that a program from that day is not taken for a new decision.
        """
        implant, clock = self.implant, self._station.clock
        today = clock.pump().date()
        at, day = parse_moment(text, today), parse_day(text)
        if at is None and day is None:
            return self.tr("Type the day like 14 Mar 2026, with the time if you know it.")
        if implant is None:
            return ""
        moment = self._to_utc(at) if at is not None else self._end_of(day or today)
        if clock.to_pump(moment).date() < implant.implanted_on:
            return self.tr("Check the day: this pump was not implanted then.")
        try:
            self._station.scans.note_revision(implant.id, moment, self._station.user)
        except NotYetError as error:
            return words_for(error)
        self.said.emit(
            self.tr("Noted. Before anything is sent to this pump again, a physician chooses the dose anew."), False
        )
        self.changed.emit()
        return ""

    def _end_of(self, day: date) -> datetime:
        now = self._station.clock.pump()
        end = datetime.combine(day, time(23, 59))
        return self._to_utc(min(end, now) if day == now.date() else end)

    def _to_utc(self, at: datetime) -> datetime:
        return (at - self._station.clock.pump_offset).replace(tzinfo=UTC)

    def read(self) -> None:
        """Read the pump and keep what it says."""
        implant, station = self.implant, self._station
        if implant is None or self.busy:
            return
        held = self._why_not_now()
        if held:
            self.said.emit(held, True)
            return

        def work() -> None:
            pump = station.pump_at(implant)
            try:
                station.scans.read(implant, pump, station.user)
            finally:
                pump.close()

        self.said.emit("", False)
        self._set_busy(True)
        self._background.run(work, self._has_read, self._not_read)

    def _has_read(self, _nothing: None) -> None:
        self._set_busy(False)
        self.said.emit(self.tr("The pump was read at {0}.").format(self.now_words()), False)
        self.changed.emit()

    def _not_read(self, error: Exception) -> None:
        self._set_busy(False)
        self.said.emit(words_for(error), True)

    def _set_busy(self, busy: bool) -> None:
        self.busy = busy
        self.busyChanged.emit(busy)

    def _note(self, act: Callable[[], object], words: str) -> None:
        try:
            act()
        except AppError as error:
            self.said.emit(words_for(error), True)
            return
        self.said.emit(words, False)
        self.changed.emit()


def scan_sentences(station: Workstation, implant: Implant | None) -> tuple[str, ...]:
    """What an open scan asks for, and an emergency that it left; for the patient's page."""
    if implant is None:
        return ()
    open_visit = station.scans.open_visit(implant.id)
    visit = open_visit or next(reversed(station.scans.visits(implant.id)), None)
    if visit is None or visit.cancelled:
        return ()
    state = station.scans.state(visit)
    if state.verdict is MriVerdict.NOT_RECOVERED and not station.scans.stands_still(implant.id):
        return ()
    wanted = (Severity.TASK, Severity.BLOCK)
    return tuple(sentence(finding) for finding in state.findings if finding.severity in wanted)


def _read_at(reading: SeenReading | None) -> datetime | None:
    return None if reading is None else reading.read_at
