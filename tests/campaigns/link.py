"""Every fault at every byte of every dialogue, and many at once: nobody gets a bolus twice, nobody is told a lie.

``python3 dev.py campaign link --singles 600000 --multiples 1000000 --seed 1``
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from app.device.emulated_pump import memory_of
from app.device.frames import TO_PROGRAM, TO_PUMP
from app.device.pump_memory import Memory
from app.models.program import (
    Bolus,
    DayPlan,
    Flex,
    OneTimeBolus,
    OneTimeKind,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Weekday,
)
from app.models.pump import Alarm, PumpSettings, ResumeDelivery, SilenceAlarms, StepClock, StopDelivery
from app.models.quantities import DoseRate, Mass, Volume
from tests.campaigns.faulty_cable import AT_AN_END, ON_THE_CABLE, VALUES, Action, Trouble
from tests.campaigns.link_bench import Bench, Dialogue, MeteredPump
from tests.campaigns.link_weakened import BUILDS, Weakened
from tests.device.pumps import RUNNING

BATCH = 500
OLD_SESSIONS = 1000
"""Sessions that every pump has behind it; the recorded ones are among them."""


def _dialogues() -> Iterator[Dialogue]:
    full = replace(_made(RUNNING, revision=5), session=OLD_SESSIONS)
    thirteen = tuple(Bolus(at=105 * n + 30, dose=Mass.mcg(Fraction("6.25")), duration_min=5) for n in range(13))
    flex = Program(Flex((DayPlan(tuple(Weekday), DoseRate.mcg_per_day(120), thirteen),)))
    working = (Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI)
    night = (Step(at=1320, duration_min=480, dose=Mass.mcg(96)),)
    week = Program(
        Flex(
            (
                DayPlan(working, DoseRate.mcg_per_day(Fraction("216.3")), (thirteen[4],), night),
                DayPlan((Weekday.SAT, Weekday.SUN), DoseRate.mcg_per_day(240)),
            )
        )
    )
    simple = replace(RUNNING, program=Program(SimpleContinuous(DoseRate.mcg_per_day(220))), reservoir=None)
    bridge = OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.199")), 143)
    periodic = PeriodicBolus(DoseRate.mcg_per_day(48), Mass.mcg(20), 10, 240, 60)
    single = OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(Fraction("0.05")), 30)
    yield Dialogue("simple", full, simple)
    yield Dialogue("flex-13", full, replace(simple, program=flex))
    yield Dialogue("week", full, replace(simple, program=week))
    yield Dialogue("periodic", full, replace(simple, program=Program(periodic)))
    yield Dialogue("refill-and-bridge", full, replace(simple, reservoir=Volume.ml(18), bridge=bridge))
    yield Dialogue("must-stop", full, simple, must_stop=True)
    yield Dialogue("bolus", full, single)
    yield Dialogue("priming", full, OneTimeBolus(OneTimeKind.PRIMING, Volume.ml(Fraction("0.2")), 20))
    yield Dialogue("stop", full, StopDelivery())
    yield Dialogue("resume", _after(full, StopDelivery()), ResumeDelivery())
    yield Dialogue("clock", full, StepClock(-600))
    yield Dialogue("silence", replace(full, latched=(Alarm.ERI.value,)), SilenceAlarms((Alarm.ERI,)))
    yield Dialogue("interrogation", full, None)
    yield Dialogue("settle-staged", full, single, left_after="stage")
    yield Dialogue("settle-sent", full, single, left_after="commit")


def _made(settings: PumpSettings, revision: int) -> Memory:
    return memory_of(settings, since=datetime(2026, 2, 20, 9, 30), volume=Volume.ml(20), revision=revision)


def _after(memory: Memory, order: StopDelivery) -> Memory:
    """The memory of a pump that has carried out an order."""
    pump = MeteredPump("CIS000042", memory, lambda: 0.0)
    pump._apply("5e" * 16, order, bytes(32), pump.clock.now() - timedelta(hours=1))
    return pump.memory


@cache
def dialogues() -> dict[str, Dialogue]:
    """All dialogues by name."""
    return {dialogue.name: dialogue for dialogue in _dialogues()}


# -- what can go wrong -------------------------------------------------------------------------------------------


@cache
def recorded(name: str) -> tuple[tuple[bytes, bytes], tuple[int, int]]:
    """All bytes of such a dialogue weeks ago, to the pump and to the program; and how many go each way today."""
    dialogue = dialogues()[name]
    clean = Bench(dialogue, (), seed=99)
    wrong = clean.play()
    assert not wrong, (name, wrong)
    weeks_ago = _made(replace(RUNNING, program=Program(SimpleContinuous(DoseRate.mcg_per_day(180)))), revision=2)
    stopped = dialogue.memory.stopped_since is not None
    weeks_ago = _after(weeks_ago, StopDelivery()) if stopped else replace(weeks_ago, latched=dialogue.memory.latched)
    bench = Bench(replace(dialogue, name=f"earlier {name}", memory=weeks_ago), (), seed=98)
    heard: list[list[bytes]] = [[], []]
    carry = bench.world.carry

    def listen(direction: int, data: bytes) -> None:
        heard[direction].append(data)
        carry(direction, data)

    bench.world.carry = listen  # type: ignore[method-assign]
    wrong = bench.play()
    assert not wrong, (name, wrong)
    to_pump, to_program = (b"".join(parts) for parts in heard)
    return (to_pump, to_program), (clean.carried[0], clean.carried[1])


def single_troubles(name: str) -> Iterator[Trouble]:
    """Each action at each byte of each direction, its value taken in turn; what befalls an end, at each byte too."""
    lengths = recorded(name)[1]
    for direction in (TO_PUMP, TO_PROGRAM):
        for action in (*ON_THE_CABLE, *AT_AN_END):
            values = VALUES.get(action, (0,))
            for offset in range(lengths[direction]):
                yield Trouble(action, direction, offset, values[offset % len(values)])


def random_troubles(name: str, dice: random.Random) -> list[Trouble]:
    """Two to four troubles, also after the dialogue's usual end, for a dialogue with troubles is longer."""
    lengths = recorded(name)[1]
    found = []
    for _ in range(dice.choice((2, 2, 3, 4))):
        action = dice.choice(tuple(Action))
        direction = dice.choice((TO_PUMP, TO_PROGRAM))
        value = dice.choice(VALUES.get(action, (0,)))
        found.append(Trouble(action, direction, dice.randrange(lengths[direction] * 2), value))
    return found


# -- runs --------------------------------------------------------------------------------------------------------


def run(name: str, troubles: Sequence[Trouble], seed: int, **made: Any) -> tuple[list[str], tuple[str, ...]]:
    """Play one dialogue. Returns what was wrong, and the outcomes."""
    bench = Bench(dialogues()[name], troubles, seed, recorded(name)[0], **made)  # type: ignore[arg-type]
    try:
        wrong = bench.play()
    except Exception as error:
        wrong = [f"fell with {error!r}"]
    return wrong, tuple(str(record.outcome) for record in bench.disk.records.values())


Case = tuple[str, tuple[Trouble, ...], int]


def singles(most: int, seed: int) -> Iterator[Case]:
    """All single faults of all dialogues, or evenly spread ``most`` of them."""
    total = sum(1 for name in dialogues() for _ in single_troubles(name))
    keep, share = min(most, total), Fraction(0)
    for name in dialogues():
        for number, trouble in enumerate(single_troubles(name)):
            share += Fraction(keep, total)
            if share >= 1:
                share -= 1
                yield name, (trouble,), seed + number


def multiples(count: int, seed: int) -> Iterator[Case]:
    """Random double, triple and fourfold faults."""
    dice = random.Random(seed)
    names = list(dialogues())
    for number in range(count):
        name = names[number % len(names)]
        yield name, tuple(random_troubles(name, dice)), seed + number


def run_cases(cases: Sequence[Case]) -> tuple[Counter[str], list[str]]:
    """Play them all; what was counted, and what was wrong with the case that showed it."""
    logging.disable()
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for name, troubles, seed in cases:
        found, outcomes = run(name, troubles, seed)
        counts["runs"] += 1
        counts.update(f"{outcome}" for outcome in outcomes)
        wrong += [f"{text}: run({name!r}, {troubles!r}, {seed})" for text in found]
    return counts, wrong


def run_all(cases: Iterator[Case], processes: int) -> tuple[Counter[str], list[str]]:
    """Play cases on several processes."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with ProcessPoolExecutor(max_workers=processes) as pool:
        while batches := list(itertools.islice(iter(lambda: list(itertools.islice(cases, BATCH)), []), 40)):
            for some, found in pool.map(run_cases, batches):
                counts += some
                wrong += found
            print(f"  {counts['runs']:,} runs, {len(wrong)} violations", file=sys.stderr, flush=True)
    return counts, wrong


def uncover(build: Weakened, runs: int, seed: int) -> Counter[str]:
    """Play dialogues with a weakened build, each with one of its faults and half of them with another on top; the
    invariants that were broken, and how often."""
    logging.disable()
    dice = random.Random(seed)
    broken: Counter[str] = Counter()
    names = list(dialogues())
    for number in range(runs):
        name = names[number % len(names)]
        troubles = random_troubles(name, dice)[:2]
        action, direction = dice.choice(build.actions), troubles[0].direction
        offset = troubles[0].offset % recorded(name)[1][direction]
        first = Trouble(action, direction, offset, dice.choice(VALUES.get(action, (0,))))
        found, _ = run(name, [first, *troubles[1:]][: 1 + number % 2], seed + number, **build.parts)
        broken.update({text[:2] if text.startswith("I") else "fell" for text in found})
    return broken


def main(arguments: list[str]) -> int:
    """Run, print, and return 1 if any invariant was broken or a weakened build went unseen."""
    parser = argparse.ArgumentParser(prog="link", description=__doc__)
    parser.add_argument("--singles", type=int, default=600_000)
    parser.add_argument("--multiples", type=int, default=1_000_000)
    parser.add_argument("--weakened", type=int, default=6_000, help="runs of each weakened build")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args(arguments)
    failed = False
    for title, cases in (
        ("single-fault", singles(chosen.singles, chosen.seed)),
        ("multi-fault", multiples(chosen.multiples, chosen.seed)),
    ):
        began = time.monotonic()
        counts, wrong = run_all(cases, chosen.processes)
        took = time.monotonic() - began
        outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()) if name != "runs")
        print(f"{counts['runs']:,} {title} runs in {took:.0f} s; orders: {outcomes}", flush=True)
        print(f"  {len(wrong)} violations of I1 to I7", flush=True)
        kinds = Counter(text.split(": run(")[0] for text in wrong)
        for kind, count in kinds.most_common(20):
            first = next(text for text in wrong if text.startswith(kind))
            print(f"  {count:,} x {first}")
        failed = failed or bool(wrong)
    for build in BUILDS if chosen.weakened else ():
        broken = uncover(build, chosen.weakened, chosen.seed)
        counted = ", ".join(f"{count:,} x {name}" for name, count in sorted(broken.items())) or "NOT SEEN"
        print(f"weakened, {build.name}: {chosen.weakened:,} runs, broken: {counted}", flush=True)
        failed = failed or not broken
    return int(failed)
