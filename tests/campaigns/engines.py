"""Two engines and the emulated pump's ledger on random programs: every figure must agree to the last quantum.

``python3 dev.py campaign engines --programs 10000 --seed 1``
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction

from app.device.ledger import delivered_volume
from app.models.agreement import date_disagreements, program_disagreements
from app.models.course import NoCourseError, achieved_plan, course_of
from app.models.quantities import Concentration, DoseRate
from app.models.reservoir import CourseSpan, theoretical_reservoir
from app.models.second_engine import ProgramSpan, second_bridge, second_reservoir
from app.models.transition import Prescription, bridge
from tests.campaigns.random_programs import Trial, trial

FIGURES = ("program", "dates", "reservoir", "ledger", "bridge")


def compare(one: Trial) -> tuple[list[str], bool]:
    """What differs, and whether the program could be laid out at all."""
    wrong = [
        f"{found.figure}: {found.a} and {found.b}"
        for found in program_disagreements(one.program, one.pump, one.concentration)
    ]
    try:
        course = course_of(achieved_plan(one.program, one.pump, one.concentration))
    except NoCourseError:
        return wrong, False
    wrong += [
        f"{found.figure}: {found.a} and {found.b}"
        for found in date_disagreements(
            one.program, one.pump, one.concentration,
            volume=one.volume, low_alarm=one.low_alarm, filled_at=one.start,
        )
    ]  # fmt: skip
    span = CourseSpan(one.start, one.end, course, one.concentration)
    a = theoretical_reservoir(one.volume, [span]).exact_pl
    b = second_reservoir(one.volume, [ProgramSpan(one.start, one.end, one.program, one.concentration)], one.pump)
    delivered = delivered_volume(one.program, one.pump, one.concentration, one.start, one.end)
    ledger = max(one.volume.quanta - delivered, Fraction(0))
    if not a == b == ledger:
        wrong.append(f"reservoir: {a}, {b} and {ledger}")
    return wrong + _bridges(one), True


def _bridges(one: Trial) -> list[str]:
    dose = course_dose(one)
    other = Concentration.mcg_per_ml(one.concentration.in_mcg_per_ml * 2)
    old, new = Prescription("baclofen", one.concentration, dose), Prescription("baclofen", other, dose)
    path = Fraction(one.volume.quanta % 400 + 1, 1000)
    a = bridge(old, new, path)
    if a is None:
        return []
    b = second_bridge(old.concentration, old.daily_dose, new.concentration, path)
    same = (a.duration_min, a.old_drug_mcg, a.as_new_mcg) == (b.duration_min, b.old_drug_mcg, b.as_new_mcg)
    return [] if same else [f"bridge: {a} and {b}"]


def course_dose(one: Trial) -> DoseRate:
    """The trial's mean daily dose, floored to a quantum."""
    return DoseRate.floor(course_of(achieved_plan(one.program, one.pump, one.concentration)).per_day)


def _run(job: tuple[int, range]) -> tuple[Counter[str], list[str]]:
    seed, numbers = job
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for number in numbers:
        one = trial(seed, number)
        found, laid_out = compare(one)
        counts[one.mode if laid_out else "refused by both"] += 1
        wrong += (f"seed {seed}, program {number} ({one.mode}): {text}" for text in found)
    return counts, wrong


def main(arguments: list[str]) -> int:
    """Compare, print what was compared, and return 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="engines", description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    jobs = [(chosen.seed, range(start, chosen.programs, 64)) for start in range(64)]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for some_counts, some_wrong in pool.map(_run, jobs):
            counts += some_counts
            wrong += some_wrong
    for mode, count in sorted(counts.items()):
        print(f"{mode:16} {count:7,} programs")
    for text in wrong[:20]:
        print(text)
    print(
        f"{sum(counts.values()):,} programs of seed {chosen.seed}, engine A = engine B = physical ledger "
        f"({', '.join(FIGURES)}): {len(wrong)} disagreements, {time.monotonic() - began:.0f} s"
    )
    return 1 if wrong else 0
