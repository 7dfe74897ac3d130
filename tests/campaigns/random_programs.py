"""Random programs on random pumps, from a seed: anything a person could type, and some things nobody would."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from app.models.catalogue import PumpModel
from app.models.program import (
    Bolus,
    DayPlan,
    Flex,
    MinimumRate,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume
from tests.models.pumps import synchromed_ii

WEEK_MIN = 10_080
INTERVALS = [minutes for minutes in range(5, WEEK_MIN + 1) if WEEK_MIN % minutes == 0]
MODES = ("simple", "flex", "weekdays", "periodic", "minimum", "stopped")


@dataclass(frozen=True, slots=True)
class Trial:
    """One program in force for a while on one pump."""

    mode: str
    program: Program
    pump: PumpModel
    concentration: Concentration
    volume: Volume
    low_alarm: Volume
    start: datetime
    end: datetime


def trial(seed: int, number: int) -> Trial:
    """The ``number``-th trial of a seed, whichever came before."""
    dice = random.Random(f"{seed}/{number}")
    mode = dice.choice(MODES)
    start = datetime(2020, 1, 1) + timedelta(seconds=dice.randrange(10 * 365 * 86_400))
    span = timedelta(seconds=dice.choice((dice.randrange(86_400), dice.randrange(200 * 86_400))))
    return Trial(
        mode=mode,
        program=Program(_delivery(dice, mode), _patient(dice) if dice.random() < 0.3 else None),
        pump=_pump(dice),
        concentration=_concentration(dice),
        volume=Volume.ml(Fraction(dice.randrange(0, 40_001), 1000)),
        low_alarm=Volume.ml(Fraction(dice.randrange(0, 5001), 1000)),
        start=start,
        end=start + span,
    )


def _concentration(dice: random.Random) -> Concentration:
    odd = Fraction(dice.randrange(1, 4_000_000), 1000)
    return Concentration.mcg_per_ml(dice.choice((Fraction(500), Fraction(1000), Fraction(2000), odd)))


def _pump(dice: random.Random) -> PumpModel:
    minimum = dice.choice((Fraction("0.006"), Fraction(dice.randrange(1, 50), 1000)))
    return replace(
        synchromed_ii(dice.choice((20, 40))),
        minimum_rate=None if dice.random() < 0.2 else Flow.ml_per_day(minimum),
        min_flow=Flow.ml_per_day(Fraction(dice.randrange(0, 100), 1000)),
        accuracy_percent=Fraction(dice.randrange(0, 301), 10),
    )


def _mass(dice: random.Random, most_ng: int) -> Mass:
    whole = dice.choice((1000, 100, 1))
    return Mass.mcg(Fraction(dice.randrange(0, most_ng // whole + 1) * whole, 1000))


def _rate(dice: random.Random) -> DoseRate:
    return DoseRate.zero() if dice.random() < 0.15 else _mass(dice, 2_000_000).per_day()


def _delivery(dice: random.Random, mode: str) -> SimpleContinuous | Flex | PeriodicBolus | MinimumRate | Stopped:
    match mode:
        case "simple":
            return SimpleContinuous(_rate(dice))
        case "flex":
            return Flex((_plan(dice, tuple(Weekday)),))
        case "weekdays":
            return Flex(tuple(_plan(dice, days) for days in _groups(dice)))
        case "periodic":
            every = dice.choice(INTERVALS)
            return PeriodicBolus(
                basal=_rate(dice),
                dose=_mass(dice, 100_000),
                duration_min=dice.randrange(1, min(every, 1440) + 1),
                every_min=every,
                first_at=dice.randrange(1440),
            )
        case "minimum":
            return MinimumRate()
        case _:
            return Stopped()


def _groups(dice: random.Random) -> list[tuple[Weekday, ...]]:
    days = list(Weekday)
    dice.shuffle(days)
    cuts = sorted({0, 7, *(dice.randrange(1, 7) for _ in range(dice.randrange(1, 4)))})
    return [tuple(days[a:b]) for a, b in pairwise(cuts)]


def _plan(dice: random.Random, days: tuple[Weekday, ...]) -> DayPlan:
    """Boluses may overlap each other and run past midnight; steps may run past it too, and sometimes collide."""
    boluses = tuple(
        Bolus(
            at=dice.randrange(1440),
            dose=_mass(dice, 100_000),
            duration_min=dice.choice((1, 5, dice.randrange(1, 1441))),
        )
        for _ in range(dice.randrange(0, 8))
    )
    return DayPlan(days=days, basal=_rate(dice), boluses=boluses, steps=_steps(dice))


def _steps(dice: random.Random) -> tuple[Step, ...]:
    count = dice.choice((0, 0, 1, 2, 3, 6))
    starts = sorted(dice.sample(range(1440), count))
    steps = []
    for place, at in enumerate(starts):
        following = starts[place + 1] if place + 1 < count else starts[0] + 1440
        room = following - at
        minutes = dice.randrange(1, room + 1) if dice.random() < 0.95 else min(1440, room + 30)
        steps.append(Step(at=at, duration_min=minutes, dose=_mass(dice, 200_000)))
    return tuple(steps)


def _patient(dice: random.Random) -> PatientActivated:
    duration = dice.randrange(1, 61)
    return PatientActivated(
        dose=_mass(dice, 50_000),
        duration_min=duration,
        lockout_min=dice.randrange(duration, 1441),
        max_per_day=dice.randrange(0, 13),
    )
