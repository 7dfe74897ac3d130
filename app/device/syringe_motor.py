"""The motor of an emulated syringe pump: whole steps in its own time.

Law: liquid moves in whole steps only. A run with a target ends on the last step that does not pass it, and what is
less than a step is forgotten, which is the worst that a player has to make good.
"""

from __future__ import annotations

from fractions import Fraction

from app.device.syringe_numbers import Syringe


class SyringeMotor:
    """Counts steps of infusion and of withdrawal; ``infused_ul`` is what has really gone out since power came on."""

    def __init__(self, syringe: Syringe) -> None:
        self.syringe = syringe
        self.infused_steps = 0
        self.withdrawn_steps = 0
        self.infused_ul = Fraction(0)
        self._infusing = True
        self._per_s = Fraction(0)
        self._since_s = Fraction(0)
        self._progress = Fraction(0)
        self._left: int | None = None

    def start(self, now_s: Fraction, ul_per_min: Fraction, *, infusing: bool, target_ul: Fraction | None) -> None:
        """Begin a run from standstill; ``target_ul`` of ``None`` runs until it is halted."""
        self._progress = Fraction(0)
        self._left = None if target_ul is None else int(target_ul // self.syringe.increment_ul)
        self._infusing = infusing
        self.turn_at(now_s, ul_per_min)

    def turn_at(self, now_s: Fraction, ul_per_min: Fraction) -> None:
        """Run on at this rate, also after a halt; the caller has advanced the motor to now."""
        self._since_s = now_s
        self._per_s = ul_per_min / 60 / self.syringe.increment_ul

    def reverse(self) -> None:
        """Run the other way from now on."""
        self._infusing = not self._infusing
        self._progress = Fraction(0)

    def halt(self) -> None:
        """Stand still."""
        self._per_s = Fraction(0)

    def ends_at_s(self) -> Fraction | None:
        """When the target is reached; ``None`` without a target."""
        if self._left is None or not self._per_s:
            return None
        return self._since_s + max(Fraction(0), self._left - self._progress) / self._per_s

    def advance(self, now_s: Fraction) -> None:
        """Make the steps that are due by ``now_s``."""
        gone = self._progress + self._per_s * (now_s - self._since_s)
        steps = int(gone)
        self._since_s, self._progress = now_s, gone - steps
        if self._left is not None:
            steps = min(steps, self._left)
            self._left -= steps
        if self._infusing:
            self.infused_steps += steps
            self.infused_ul += steps * self.syringe.increment_ul
        else:
            self.withdrawn_steps += steps

    def change_syringe(self, syringe: Syringe) -> None:
        """Another bore; the counters begin anew, since their steps meant another volume."""
        self.syringe = syringe
        self.infused_steps = self.withdrawn_steps = 0
        self._left = None
