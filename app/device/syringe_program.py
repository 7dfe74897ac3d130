"""The pumping program of an emulated syringe pump: forty-one phases, and where the pump is in them.

Law: every change happens at its own moment of the motor's time, however late the pump is asked; a phase that cannot
be run stops the program with an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.device.syringe_motor import SyringeMotor
from app.device.syringe_numbers import UL_PER_MIN_PER_RATE_UNIT, UL_PER_VOLUME_UNIT, Syringe

PHASES = 41


class Alarm(StrEnum):
    """Why a pump stopped by itself, in its own letters."""

    RESET = "R"
    STALLED = "S"
    TIMEOUT = "T"
    PROGRAM = "E"
    PHASE = "O"


class State(StrEnum):
    """What the program does; while it pumps, the prompt also says which way."""

    STOPPED = "S"
    PAUSED = "P"
    PUMPING = "I"
    PURGING = "X"
    RESTING = "T"
    WAITING = "U"


@dataclass(slots=True)
class Phase:
    """One phase; ``volume`` 0 pumps without end, ``rest_s`` 0 waits for a user."""

    function: str = "STP"
    rate: Fraction = Fraction(0)
    rate_unit: str = "MH"
    volume: Fraction = Fraction(0)
    infusing: bool = True
    rest_s: int = 0

    @property
    def ul_per_min(self) -> Fraction:
        return self.rate * UL_PER_MIN_PER_RATE_UNIT[self.rate_unit]


class PumpingProgram:
    """The phases and the state; every ``now_s`` is in the motor's time and never runs back."""

    def __init__(self, syringe: Syringe) -> None:
        self.motor = SyringeMotor(syringe)
        self.volume_unit = "ML"
        self.phases = [Phase() for _ in range(PHASES)]
        self.phases[0].function = "RAT"
        self.selected = 0
        self.state = State.STOPPED
        self.alarm: Alarm | None = Alarm.RESET
        self._running = 0
        self._began_s: Fraction | None = None
        self._rest_ends_s = Fraction(0)

    @property
    def operating(self) -> bool:
        return self.state not in (State.STOPPED, State.PAUSED)

    @property
    def phase(self) -> Phase:
        """The phase that runs, or the one that is selected to be set."""
        return self.phases[self._running if self.operating else self.selected]

    @property
    def prompt(self) -> str:
        return "W" if self.state is State.PUMPING and not self.phase.infusing else self.state.value

    def has_just_entered_a_phase(self, now_s: Fraction, within_s: Fraction) -> bool:
        """Whether the program went on to another phase by itself a moment ago."""
        return self.operating and self._began_s is not None and now_s - self._began_s < within_s

    def can_run(self, phase: Phase) -> bool:
        return phase.function != "RAT" or self.motor.syringe.can_run_at(phase.ul_per_min)

    def run(self, first: int, now_s: Fraction) -> None:
        """Begin at a phase, at a user's wish."""
        self._begin(first, now_s)
        self._began_s = None

    def resume(self, now_s: Fraction) -> None:
        """Go on after a pause, or after waiting for a user."""
        phase = self.phases[self._running]
        if self.state is State.WAITING:
            self._begin(self._running + 1, now_s)
        elif phase.function == "RAT":
            self.motor.turn_at(now_s, phase.ul_per_min)
            self.state = State.PUMPING
        else:
            self._begin(self._running, now_s)

    def purge(self, now_s: Fraction) -> None:
        """Pump as fast as the pump can, until it is stopped."""
        fastest = self.motor.syringe.fastest_ul_per_min
        self.motor.start(now_s, fastest, infusing=self.phase.infusing, target_ul=None)
        self.state = State.PURGING

    def stop(self) -> None:
        """Pause a program that runs, end one that is paused."""
        self.stand(State.STOPPED if self.state in (State.PAUSED, State.PURGING) else State.PAUSED)

    def stand(self, state: State) -> None:
        self.motor.halt()
        self.state = state

    def sound(self, alarm: Alarm) -> None:
        """Stop, and tell why when next asked."""
        self.stand(State.STOPPED)
        self.alarm = alarm

    def catch_up(self, now_s: Fraction) -> None:
        """Live through everything that is due by now."""
        while (ends_s := self._phase_ends_s()) is not None and ends_s <= now_s:
            self.motor.advance(ends_s)
            self._begin(self._running + 1, ends_s)
        self.motor.advance(now_s)

    def _phase_ends_s(self) -> Fraction | None:
        if self.state is State.RESTING:
            return self._rest_ends_s
        return self.motor.ends_at_s() if self.state is State.PUMPING else None

    def _begin(self, number: int, now_s: Fraction) -> None:
        if number >= PHASES:
            self.sound(Alarm.PHASE)
            return
        self._running, self._began_s = number, now_s
        phase = self.phases[number]
        if phase.function == "STP":
            self.stand(State.STOPPED)
        elif phase.function == "PAS":
            self.stand(State.RESTING if phase.rest_s else State.WAITING)
            self._rest_ends_s = now_s + phase.rest_s
        elif not self.can_run(phase):
            self.sound(Alarm.PROGRAM)
        else:
            target_ul = phase.volume * UL_PER_VOLUME_UNIT[self.volume_unit] if phase.volume else None
            self.motor.start(now_s, phase.ul_per_min, infusing=phase.infusing, target_ul=target_ul)
            self.state = State.PUMPING
