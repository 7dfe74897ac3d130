"""Every change of concentration x catheter volumes x doses: the bridge as the pump runs it keeps the ordered dose.

``python3 dev.py campaign bridges --volumes 50 --seed 1``

The fluid is followed by a simulator of its own: slices of volume in whole numbers, pushed minute by minute. What the
pump runs is decoded from the bytes that it is told.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

from app.device.settings_codec import decode_settings, encode_settings
from app.documents.catalogue import load_catalogue
from app.models.catalogue import Catalogue, PumpModel
from app.models.plug_flow import Path
from app.models.program import Program, SimpleContinuous
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.solution_change import Solution, SolutionChange, bridge_plan
from app.models.solution_outlook import outlook
from tests.services.bench import NOW

PUMP = "synchromed-ii-20"
IMPLANTED_CM = 30
"""The shortest piece of catheter that is taken to be implanted."""
SHARES = (Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))
"""Doses, as a share of the drug's dose that asks for a confirmation."""
AFTERWARDS_MIN = 24 * 60
LIMIT = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Trial:
    """One change in one catheter; ``new_dose`` differs from ``old_dose`` where the dose changes too."""

    old: Solution
    new: Solution
    path_ml: Fraction
    old_dose: DoseRate
    new_dose: DoseRate

    @property
    def change(self) -> SolutionChange:
        return SolutionChange(self.old, self.old_dose, self.new, self.new_dose)


@dataclass(slots=True)
class Judge:
    """What was found: counts, what is wrong, the worst error with a bridge, and the worst factor without one."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    worst: Fraction = Fraction(0)
    worst_at: str = ""
    strongest: Fraction = Fraction(0)
    weakest: Fraction = Fraction(10**6)
    longest_h: Fraction = Fraction(0)

    def add(self, other: Judge) -> None:
        self.counts += other.counts
        self.wrong += other.wrong
        if other.worst >= self.worst:
            self.worst, self.worst_at = other.worst, other.worst_at
        self.strongest, self.weakest = max(self.strongest, other.strongest), min(self.weakest, other.weakest)
        self.longest_h = max(self.longest_h, other.longest_h)


def path_volumes(catalogue: Catalogue, pump: PumpModel, count: int) -> list[Fraction]:
    """Tubing and catheter in mL: each long catheter in turn, cut to tenths of a mm, evenly over what may stay."""
    long = [model for model in catalogue.catheters.values() if model.length_cm > IMPLANTED_CM + 50]
    catheters = list({(model.length_cm, model.ml_per_cm): model for model in long}.values())
    assert pump.tubing is not None
    volumes = []
    for number in range(count):
        model = catheters[number % len(catheters)]
        spare = int((model.length_cm - IMPLANTED_CM) * 100)
        trimmed = Fraction(spare * number // max(1, count - 1), 100)
        volumes.append(pump.tubing.in_ml + (model.length_cm - trimmed) * model.ml_per_cm)
    return volumes


def trials(catalogue: Catalogue, count: int, seed: int) -> Iterator[Trial]:
    """Every ordered pair of a drug's concentrations, every volume, every dose; a third changes the dose too."""
    chance = random.Random(seed)
    paths = path_volumes(catalogue, catalogue.pump(PUMP), count)
    for drug in catalogue.drugs.values():
        if drug.components or drug.confirm_daily_dose_above is None:
            continue
        for old in drug.pump_concentrations:
            for new in drug.pump_concentrations:
                if old == new:
                    continue
                for path_ml in paths:
                    for share in SHARES:
                        dose = drug.confirm_daily_dose_above.in_mcg_per_day * share
                        other = dose * chance.choice([1, 1, Fraction(chance.randrange(70, 131), 100)])
                        yield Trial(
                            Solution.of(drug, old), Solution.of(drug, new), path_ml,
                            DoseRate.mcg_per_day(dose), DoseRate.mcg_per_day(other),
                        )  # fmt: skip


def pumpable(pump: PumpModel, one: Trial) -> bool:
    """Whether the pump can push both flows (rule DOS-06 blocks the rest)."""
    flows = [one.old_dose.quanta / Fraction(one.old.concentration.quanta)]
    flows.append(one.new_dose.quanta / Fraction(one.new.concentration.quanta))
    return all(pump.min_flow.quanta <= flow <= pump.max_flow.quanta for flow in flows)


def simulate(
    path_pl: int, old: int, new: int, stretches: Sequence[tuple[int, Fraction]]
) -> Iterator[tuple[int, int, int]]:
    """(mass, scale, minute) at the tip, minute by minute; mass / scale is yg. A stretch is minutes at pL/min."""
    scale = lcm(*(flow.denominator for _, flow in stretches))
    slices = [[path_pl * scale, old]]
    minute = 0
    for minutes, flow in stretches:
        each = flow.numerator * (scale // flow.denominator)
        for _ in range(minutes):
            if slices[-1][1] == new:
                slices[-1][0] += each
            else:
                slices.append([each, new])
            wanted, mass = each, 0
            while wanted:
                taken = min(wanted, slices[0][0])
                mass += taken * slices[0][1]
                wanted -= taken
                slices[0][0] -= taken
                if not slices[0][0]:
                    del slices[0]
            yield mass, scale, minute
            minute += 1


def as_told(one: Trial) -> PumpSettings:
    """What the pump decodes from the bytes that it is told."""
    planned = bridge_plan(one.change, Path.filled(one.path_ml, one.old.fluid))
    assert planned is not None
    return decode_settings(
        encode_settings(
            PumpSettings(
                drug=one.new.drug,
                concentration=one.new.concentration,
                program=Program(SimpleContinuous(one.new_dose)),
                low_alarm=Volume.ml(2),
                bridge=planned.order,
            )
        )
    )


def judge_with_bridge(one: Trial, told: PumpSettings) -> Fraction:
    """The largest error of any minute's dose, during the bridge and for a day after it, as a fraction."""
    bridge, delivery = told.bridge, told.program.delivery
    assert bridge is not None and isinstance(delivery, SimpleContinuous)
    stretches = [
        (bridge.duration_min, Fraction(bridge.volume.quanta, bridge.duration_min)),
        (AFTERWARDS_MIN, Fraction(delivery.daily_dose.quanta, told.concentration.quanta * 1440)),
    ]
    path_pl = Volume.ml(one.path_ml).quanta
    worst = Fraction(0)
    seen: set[tuple[int, bool]] = set()
    for mass, scale, minute in simulate(path_pl, one.old.concentration.quanta, told.concentration.quanta, stretches):
        during = minute < bridge.duration_min
        if (mass, during) not in seen:
            seen.add((mass, during))
            ordered = one.old_dose.quanta if during else one.new_dose.quanta
            worst = max(worst, abs(Fraction(mass * 1440, scale * ordered) - 1))
    return worst


def judge_without(one: Trial) -> tuple[str, Fraction, int]:
    """What is wrong with the forecast of a change without a bridge; its factor; and how many minutes it lasts."""
    flow = Fraction(one.new_dose.quanta, one.new.concentration.quanta * 1440)
    path_pl = Volume.ml(one.path_ml).quanta
    until = -int(-path_pl / flow // 1)
    course = simulate(path_pl, one.old.concentration.quanta, one.new.concentration.quanta, [(until + 1, flow)])
    rates = [Fraction(mass * 1440, scale * one.old_dose.quanta) for mass, scale, _ in _ends(course, until)]
    factor, still, after = rates
    forecast = outlook(one.change, Path.filled(one.path_ml, one.old.fluid), at=NOW)
    assert forecast is not None and forecast.hours is not None
    minutes = forecast.hours * 60
    expected = one.new_dose.ratio(one.old_dose)
    if not forecast.factor == factor == still or not until - 1 < minutes <= until or after != expected:
        return f"without: {forecast.factor} for {minutes} min, found {factor} for {until} min", factor, until
    return "", factor, until


def _ends(course: Iterator[tuple[int, int, int]], until: int) -> Iterator[tuple[int, int, int]]:
    """The first minute, the last that is wholly old, and the first that is wholly new."""
    return (found for found in course if found[2] in (0, until - 2, until))


def judge_trials(some: Sequence[Trial], pump: PumpModel) -> Judge:
    """Follow the fluid through each of them, with a bridge and without."""
    judge = Judge()
    for one in some:
        name = f"{one.old.drug} {_plain(one.old.concentration)} to {_plain(one.new.concentration)} mcg/mL"
        if not pumpable(pump, one):
            judge.counts["flow refused by DOS-06"] += 1
            continue
        told = as_told(one)
        assert told.bridge is not None
        where = f"{name}, {float(one.path_ml):.4f} mL, {float(one.old_dose.in_mcg_per_day):g} mcg/day"
        error = judge_with_bridge(one, told)
        if error >= judge.worst:
            judge.worst, judge.worst_at = error, f"{where}, {told.bridge.duration_min} min"
        if error > LIMIT:
            judge.wrong.append(f"{where}: {float(error):.2%} off with a bridge")
        wrong, factor, minutes = judge_without(one)
        if wrong:
            judge.wrong.append(f"{where}: {wrong}")
        judge.strongest, judge.weakest = max(judge.strongest, factor), min(judge.weakest, factor)
        judge.longest_h = max(judge.longest_h, Fraction(minutes, 60))
        judge.counts[name] += 1
    return judge


def _plain(concentration: Concentration) -> str:
    return f"{float(concentration.in_mcg_per_ml):g}"


def _run(job: tuple[int, int, int, int]) -> Judge:
    count, seed, part, parts = job
    catalogue = load_catalogue()
    return judge_trials(list(trials(catalogue, count, seed))[part::parts], catalogue.pump(PUMP))


def main(arguments: list[str]) -> int:
    """Judge all, print the worst, and return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="bridges", description=__doc__)
    parser.add_argument("--volumes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    began, total = time.monotonic(), Judge()
    with ProcessPoolExecutor(max_workers=2) as pool:
        for judge in pool.map(_run, [(chosen.volumes, chosen.seed, part, 16) for part in range(16)]):
            total.add(judge)
    for name, count in sorted(total.counts.items()):
        print(f"{name:40} {count:6,}")
    for text in total.wrong[:20]:
        print(text)
    tried = sum(count for name, count in total.counts.items() if not name.startswith("flow"))
    print(f"worst minute with a bridge: {float(total.worst):.3%} off ({total.worst_at})")
    print(
        f"without a bridge: {float(total.weakest):.3g} to {float(total.strongest):.3g} times the old dose, "
        f"for up to {float(total.longest_h):.1f} h"
    )
    print(f"{tried:,} changes of seed {chosen.seed}: {len(total.wrong)} wrong, {time.monotonic() - began:.0f} s")
    return 1 if total.wrong else 0
