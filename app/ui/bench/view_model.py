"""The pump bench as the window sees it: one emulated pump, what it believes beside what is true, and its faults.

Law: everything here is simulated and goes through the bench's own door, never over the pump's cable; what was
refused is said in one sentence and changes nothing on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from PySide6.QtCore import QObject, Signal

from app.models.bench import BenchEvent, BenchState
from app.models.errors import AppError
from app.models.exercises import BenchOrder, Exercise
from app.models.formats import rounded, with_unit
from app.models.patient import Implant
from app.services.therapy import Therapy
from app.services.workstation import Workstation
from app.ui.background import Background
from app.ui.bench.words import ml, order_words

_SHOWN_PER_ML = 1000
"""Volumes are compared as they are shown, so that the difference is that of the numbers beside it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A line with two sides. ``difference`` is in words; ``differs`` says whether it is one."""

    caption: str
    believed: str
    true: str
    difference: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A caption and its text."""

    caption: str
    text: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How far a list of orders got."""

    state: BenchState | None
    done: tuple[BenchOrder, ...]
    refused: BenchOrder | None = None
    error: Exception | None = None


class BenchViewModel(QObject):
    """One pump at a time: that of the patient who is open."""

    changed = Signal()
    """Another pump, or another state of it."""
    said = Signal(str, bool)
    """What was done, or why it was refused (true); empty when there is nothing to say."""
    busyChanged = Signal(bool)
    """Whether an order waits for the pump's turn."""

    def __init__(self, workstation: Workstation, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workstation = workstation
        self._background = background
        self._implant: Implant | None = None
        self._speeds: dict[str, int] = {}
        self._waiting = 0
        self._polling = False
        self.why_not = self._nobody()
        self.title = ""
        self.state: BenchState | None = None
        self.exercises: tuple[Exercise, ...] = workstation.exercises.exercises

    # -- which pump ------------------------------------------------------------------------------------------

    def open(self, therapy: Therapy | None) -> None:
        """Show a patient's pump, or say why there is none to show."""
        implant = therapy.implant if therapy is not None else None
        self.why_not = self._why_not(therapy)
        if self.why_not:
            implant = None
        if implant != self._implant:
            self._implant, self.state = implant, None
            self.said.emit("", False)
        model = therapy.model if therapy is not None else None
        self.title = f"{model.name} · {implant.serial}" if implant is not None and model is not None else ""
        self.changed.emit()
        self.poll()

    def _why_not(self, therapy: Therapy | None) -> str:
        if self._workstation.bench_at is None:
            return self.tr(
                "There is no bench for the pump at {0}: only an emulated pump in this program has one. "
                "Open the window without a port to practise."
            ).format(self._workstation.port_name)
        if therapy is None:
            return self._nobody()
        if therapy.implant is None:
            return self.tr("No pump is on record for {0}, so that there is none to practise with.").format(
                therapy.patient.name
            )
        return ""

    def _nobody(self) -> str:
        return self.tr(
            "Choose a patient on the worklist first. "
            "The emulated pump of that patient is then shown here, with faults and recalls to practise on."
        )

    # -- what to do with it ----------------------------------------------------------------------------------

    def poll(self) -> None:
        """Look at the pump again, without a word; at most one look waits at a time."""
        if self._polling or self._implant is None:
            return
        self._polling = True
        self._ask(({"do": "state"},), spoken=False)

    def do(self, *orders: BenchOrder) -> None:
        """Give orders to the bench, one after another."""
        self._ask(orders, spoken=True)

    def set_up(self, exercise: Exercise) -> None:
        """Put the bench in order, then do what the exercise asks for."""
        before = len(self._workstation.exercises.tidy)
        self._ask((*self._workstation.exercises.tidy, *exercise.orders), spoken=True, unspoken=before, about=exercise)

    def set_fault(self, fault: str, message: str, number: int) -> None:
        """Lay a fault on the cable; where none waits yet, messages are counted from now."""
        first: tuple[BenchOrder, ...] = ({"do": "clear"},) if self.state is not None and not self.state.faults else ()
        order: BenchOrder = {"do": "fault", "fault": fault, "on": message, "nth": number}
        self._ask((*first, order), spoken=True, unspoken=len(first))

    def _ask(
        self, orders: Sequence[BenchOrder], *, spoken: bool, unspoken: int = 0, about: Exercise | None = None
    ) -> None:
        implant, bench_at = self._implant, self._workstation.bench_at
        if implant is None or bench_at is None:
            return

        def work() -> _Outcome:
            door, outcome = bench_at(implant), _Outcome(None, ())
            for order in orders:
                try:
                    outcome = _Outcome(door.obey(order), (*outcome.done, order))
                except AppError as error:
                    return replace(outcome, refused=order, error=error)
            return outcome

        def finish(outcome: _Outcome) -> None:
            self._no_longer(spoken)
            self._take(implant, outcome)
            if spoken:
                self._tell(outcome, unspoken, about)

        def fail(error: Exception) -> None:
            self._no_longer(spoken)
            self.said.emit(self._unforeseen(error), True)

        if spoken:
            self._wait(+1)
        self._background.run(work, finish, fail)

    def _no_longer(self, spoken: bool) -> None:
        if spoken:
            self._wait(-1)
        else:
            self._polling = False

    def _wait(self, more: int) -> None:
        before = self._waiting > 0
        self._waiting += more
        if (self._waiting > 0) is not before:
            self.busyChanged.emit(self._waiting > 0)

    def _take(self, implant: Implant, outcome: _Outcome) -> None:
        for order in outcome.done:
            if order["do"] == "run-at":
                self._speeds[implant.serial] = int(order["speed"])
        if outcome.state is None or implant != self._implant:
            return
        if outcome.state != self.state:
            self.state = outcome.state
            self.changed.emit()

    def _tell(self, outcome: _Outcome, unspoken: int, about: Exercise | None) -> None:
        if outcome.refused is not None:
            self.said.emit(self._refusal(outcome), True)
            return
        parts = [order_words(order) for order in outcome.done[unspoken:]]
        if about is not None:
            parts.insert(0, self.tr("{0} is set up. First the bench was put in order.").format(about.id))
        self.said.emit(" ".join(parts), False)

    def _refusal(self, outcome: _Outcome) -> str:
        error = outcome.error
        problem = str(error.values.get("problem", "")) if isinstance(error, AppError) else ""
        why = problem.rpartition("Error: ")[2] or type(error).__name__
        if problem.startswith("OverflowError"):
            why = self.tr("beyond the end of its calendar")
        words = self.tr("Try another value: the bench refused the order {0} ({1}), and that changed nothing.")
        if outcome.done:
            words = self.tr("Try another value: the orders before it were done, but the bench refused {0} ({1}).")
        return words.format(str((outcome.refused or {}).get("do", "")), why)

    def _unforeseen(self, error: Exception) -> str:
        return self.tr("Look at the state and try again: the bench could not finish this ({0}).").format(
            type(error).__name__
        )

    # -- what there is to see --------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether an order waits for its turn or is being done."""
        return self._waiting > 0 or self._polling

    def speed(self) -> int:
        """How many times as fast as this computer's the pump's clock runs."""
        return self._speeds.get(self._implant.serial, 1) if self._implant is not None else 1

    def pairs(self) -> tuple[Pair, ...]:
        """What the pump believes beside what is true."""
        state = self.state
        if state is None:
            return ()
        return (
            self._volumes(self.tr("In the reservoir"), state.believed, state.physical),
            self._volumes(self.tr("Delivered"), state.delivered, state.physically_delivered),
            self._delivery(state),
            self._flow(state),
        )

    def _volumes(self, caption: str, believed: Fraction, true: Fraction) -> Pair:
        by = Fraction(round(true * _SHOWN_PER_ML) - round(believed * _SHOWN_PER_ML), _SHOWN_PER_ML)
        if not by:
            return Pair(caption, ml(believed), ml(true), self.tr("none"), False)
        words = self.tr("{0} more") if by > 0 else self.tr("{0} less")
        return Pair(caption, ml(believed), ml(true), words.format(ml(abs(by))), True)

    def _delivery(self, state: BenchState) -> Pair:
        believed = self.tr("running") if state.running else self.tr("stopped")
        stands = not state.running or state.stalled or state.occluded or state.physical <= 0
        true = self.tr("none") if stands else self.tr("running")
        if not (state.running and stands):
            return Pair(self.tr("Delivery"), believed, true, self.tr("none"), False)
        reasons = (
            (state.stalled, self.tr("motor stalled")),
            (state.occluded, self.tr("catheter occluded")),
            (state.physical <= 0, self.tr("reservoir empty")),
        )
        return Pair(self.tr("Delivery"), believed, true, ", ".join(words for is_so, words in reasons if is_so), True)

    def _flow(self, state: BenchState) -> Pair:
        error = state.flow_error * 100
        caption, believed = self.tr("Flow"), self.tr("as counted")
        if not error:
            return Pair(caption, believed, believed, self.tr("none"), False)
        words = self.tr("{0} too much") if error > 0 else self.tr("{0} too little")
        percent = with_unit(rounded(abs(error), 2), "%")
        return Pair(caption, believed, with_unit(rounded(100 + error, 2), "%"), words.format(percent), True)

    def events(self) -> tuple[BenchEvent, ...]:
        """The pump's log, the newest line first."""
        return tuple(reversed(self.state.events)) if self.state is not None else ()
