"""Printed plans read back into programs, and the largest doses in a window against a scan of every minute.

``python3 dev.py campaign plans --programs 10000 --windows 100000 --seed 1``

Of each random program a real PDF is written and read again: the table on paper, read by a grammar that shares nothing
with the code that wrote it, is the program that ``decode(encode(program))`` gives, and every figure that the screen
shows of that stands there in the same words. The scan lays a program out on the 10,080 minutes of a week by itself
and tries every window.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from math import lcm
from multiprocessing import get_context
from operator import sub
from pathlib import Path

from app.bootstrap import as_sent
from app.models.catalogue import PumpModel
from app.models.comparison import compare, sentence_of
from app.models.course import NoCourseError, figures_of
from app.models.patient import Implant, Patient
from app.models.program import (
    Bolus,
    DayPlan,
    Delivery,
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
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, Mass, Volume
from app.models.signed_order import SignedOrder, order_digest
from app.services.plan_text import Circumstances, plan_on_paper
from app.services.prescribing import VersionState
from tests.campaigns.random_programs import Trial, trial

WEEK = 10_080
SIGNED_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
JANE = Patient("patient-1", "50-0001", "Doe", "Jane", date(1970, 1, 2))
PUMP = Implant("implant-1", JANE.id, "synchromed-ii-20", "EMU-100001", date(2024, 5, 6))


# -- plans: from the paper back to the program -----------------------------------------------------------------------


def signed(one: Trial, number: int) -> SignedOrder:
    """An order for a trial's program, whatever the rules would say to it; its settings are what would be sent."""
    shown, wire = as_sent(PumpSettings("baclofen", one.concentration, one.program, one.low_alarm))
    unsealed = SignedOrder(
        id=f"{number:032x}",
        implant_id=PUMP.id,
        draft_id=f"{number:032x}",
        name=f"Program {number}",
        settings=shown,
        range_percent=Fraction(number % 100),
        valid_until=SIGNED_AT.date() + timedelta(days=number % 400),
        signed_by="user-physician-1",
        signed_at=SIGNED_AT,
        findings=(),
        digest="0" * 64,
    )
    return replace(unsealed, digest=order_digest(unsealed, wire))


def pages_of(order: SignedOrder, model: PumpModel, folder: Path) -> list[str]:
    """The text of each page of the order's PDF, all white space as single spaces. Raises: NoCourseError."""
    from pypdf import PdfReader

    from app.ui.plan_pdf import write_plan

    around = Circumstances(JANE, PUMP, model, "Dr Helene Brandt", VersionState.SIGNED, None, SIGNED_AT)
    path = folder / f"{order.id}.pdf"
    write_plan(plan_on_paper(order, around), path)
    try:
        return [" ".join(page.extract_text().split()) for page in PdfReader(path).pages]
    finally:
        path.unlink()


def misprints(order: SignedOrder, model: PumpModel, pages: list[str]) -> list[str]:
    """What the paper does not say, or says differently."""
    digest = " ".join(re.findall(".{8}", order.digest))
    feet = [
        f"Digest {digest} Doe, Jane · Page {number} of {len(pages)} · Printed 20 Nov 2026 09:00 UTC · "
        "Cisterna is not a medical device"
        for number in range(1, len(pages) + 1)
    ]
    wrong = [f"foot of page {number}" for number, foot in enumerate(feet) if foot not in pages[number]]
    text = " ".join(page.replace(foot, "").strip() for page, foot in zip(pages, feet, strict=True))
    # A line may break after a slash, so white space says nothing here.
    packed = "".join(text.split())
    wrong += [f"missing: {line}" for line in _shown(order, model) if "".join(line.split()) not in packed]
    try:
        found = read_settings(text)
    except ValueError as unreadable:
        return [*wrong, str(unreadable)]
    expected = in_order(order.settings)
    return wrong if found == expected else [*wrong, f"reads as {found}, not {expected}"]


def _shown(order: SignedOrder, model: PumpModel) -> Iterator[str]:
    """What the screen says of the settings and what they come to."""
    until = order.valid_until
    yield f"Valid until {until.day} {until:%b} {until.year}, the end of that day"
    yield f"each dose ± {order.range_percent} %" if order.range_percent else "exactly this, nothing else"
    yield sentence_of(order.settings, model)
    for row in compare(order.settings, order.settings, model):
        if row.derived:
            yield f"{row.item} {row.new}"


_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_ON = rf"(every day|{_DAY}(?:(?:–|, ){_DAY})*)"
_NUMBER = r"(\d+(?:\.\d+)?)"
_LONG = r"((?:\d+ (?:d|h|min) ?)+)"
_CLOCK = r"(\d\d):(\d\d)"
_ROWS = {
    "rate": rf"every day all day rate {_NUMBER} mcg/day [\d.]+ mcg/h ?",
    "basal": rf"{_ON} all day basal rate {_NUMBER} mcg/day [\d.]+ mcg/h ?",
    "pulse": rf"{_ON} {_CLOCK} (bolus on top|step in place) {_NUMBER} mcg {_LONG}",
    "periodic": rf"from Mon {_CLOCK} every {_LONG}bolus {_NUMBER} mcg {_LONG}",
    "even": r"every day all day (minimum rate|stopped) ?",
    "called": rf"at most (\d+) a day lockout {_LONG}patient-activated bolus {_NUMBER} mcg {_LONG}",
}
_HEAD = "Days Time What Dose Lasts, or hourly"


def read_settings(text: str) -> PumpSettings:
    """The settings that a plan's text spells. Raises: ValueError."""
    drug = re.search(rf"Drug (\S+) Concentration {_NUMBER} mcg/mL Low-reservoir alarm at {_NUMBER} mL Program", text)
    table = re.search(
        rf"{_HEAD} (.*) What it comes to Daily dose", text.replace(f" {_HEAD}", f"\n{_HEAD}", 1), re.DOTALL
    )
    if drug is None or table is None:
        raise ValueError(f"no plan: {text}")
    return PumpSettings(
        drug=drug[1],
        concentration=Concentration.mcg_per_ml(Fraction(drug[2])),
        program=_read_program(list(_rows(table[1].replace(_HEAD, "")))),
        low_alarm=Volume.ml(Fraction(drug[3])),
    )


def _rows(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    text = " ".join(text.split())
    while text:
        for kind, pattern in _ROWS.items():
            found = re.match(pattern, text)
            if found:
                yield kind, found.groups()
                text = text[found.end() :].lstrip()
                break
        else:
            raise ValueError(f"no row: {text[:80]}")


def _read_program(rows: list[tuple[str, tuple[str, ...]]]) -> Program:
    patient = None
    if rows[-1][0] == "called":
        most, lockout, dose, long = rows.pop()[1]
        patient = PatientActivated(_mass(dose), _minutes(long), _minutes(lockout), int(most))
    return Program(_read_delivery(rows), patient)


def _read_delivery(rows: list[tuple[str, tuple[str, ...]]]) -> Delivery:
    kinds = [kind for kind, _ in rows]
    if kinds == ["rate"]:
        return SimpleContinuous(_mass(rows[0][1][0]).per_day())
    if kinds == ["even"]:
        return MinimumRate() if rows[0][1][0] == "minimum rate" else Stopped()
    if kinds == ["basal", "periodic"]:
        hour, minute, every, dose, long = rows[1][1]
        return PeriodicBolus(
            basal=_mass(rows[0][1][1]).per_day(),
            dose=_mass(dose),
            duration_min=_minutes(long),
            every_min=_minutes(every),
            first_at=int(hour) * 60 + int(minute),
        )
    return Flex(tuple(_read_plans(rows)))


def _read_plans(rows: list[tuple[str, tuple[str, ...]]]) -> Iterator[DayPlan]:
    starts = [place for place, (kind, _) in enumerate(rows) if kind == "basal"]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        days, basal = rows[start][1]
        boluses, steps = [], []
        for kind, parts in rows[start + 1 : end]:
            if kind != "pulse" or parts[0] != days:
                raise ValueError(f"a row out of its place: {parts}")
            at, dose, long = int(parts[1]) * 60 + int(parts[2]), _mass(parts[4]), _minutes(parts[5])
            if parts[3] == "bolus on top":
                boluses.append(Bolus(at=at, dose=dose, duration_min=long))
            else:
                steps.append(Step(at=at, dose=dose, duration_min=long))
        yield DayPlan(_weekdays(days), _mass(basal).per_day(), tuple(boluses), tuple(steps))


def _weekdays(text: str) -> tuple[Weekday, ...]:
    if text == "every day":
        return tuple(Weekday)
    if "–" in text:
        first, last = (_DAYS.index(name) for name in text.split("–"))
        return tuple(Weekday(day) for day in range(first, last + 1))
    return tuple(Weekday(_DAYS.index(name)) for name in text.split(", "))


def _mass(text: str) -> Mass:
    return Mass.mcg(Fraction(text))


def _minutes(text: str) -> int:
    each = {"d": 1440, "h": 60, "min": 1}
    return sum(int(count) * each[unit] for count, unit in re.findall(r"(\d+) (d|h|min)", text))


def in_order(settings: PumpSettings) -> PumpSettings:
    """The same settings with boluses and steps by their time, as they are printed."""
    delivery = settings.program.delivery
    if not isinstance(delivery, Flex):
        return settings
    plans = tuple(
        replace(
            plan,
            boluses=tuple(sorted(plan.boluses, key=lambda bolus: bolus.at)),
            steps=tuple(sorted(plan.steps, key=lambda step: step.at)),
        )
        for plan in delivery.plans
    )
    return replace(settings, program=replace(settings.program, delivery=Flex(plans)))


# -- windows: every minute of the week -------------------------------------------------------------------------------


def largest_by_scan(one: Trial) -> tuple[Fraction, Fraction] | None:
    """The most yg in any 60 min and any 4 h, by trying every minute; ``None`` where the pump cannot lay it out."""
    laid_out = _week(one)
    if laid_out is None:
        return None
    given, scale = laid_out
    return tuple(  # type: ignore[return-value]
        Fraction(_most(given, window), scale) + _most_called(one.program.patient_activated, window)
        for window in (60, 240)
    )


def _most(given: list[int], window: int) -> int:
    """The largest sum over ``window`` minutes in a row, around the end of the list."""
    sums = list(accumulate([*given, *given[:window]], initial=0))
    return max(map(sub, sums[window:], sums))


def _week(one: Trial) -> tuple[list[int], int] | None:
    """What the pump gives in each minute, times the scale, in yg."""
    least = one.pump.minimum_rate.quanta * one.concentration.quanta if one.pump.minimum_rate else None
    match one.program.delivery:
        case SimpleContinuous(daily_dose=dose):
            return [dose.quanta] * WEEK, 1440
        case Stopped():
            return [0] * WEEK, 1440
        case MinimumRate():
            return ([least] * WEEK, 1440) if least is not None else None
        case PeriodicBolus() as periodic:
            scale = lcm(1440, periodic.duration_min)
            too_low = periodic.basal.quanta < max(1, one.pump.min_flow.quanta * one.concentration.quanta)
            basal = least if too_low and least is not None else periodic.basal.quanta
            given = [basal * (scale // 1440)] * WEEK
            for start in range(periodic.first_at, periodic.first_at + WEEK, periodic.every_min):
                _add(given, start, periodic.duration_min, periodic.dose.quanta * scale // periodic.duration_min)
            return given, scale
        case Flex(plans=plans):
            return _flex(plans, least)
        case _:
            return None


def _flex(plans: tuple[DayPlan, ...], least: int | None) -> tuple[list[int], int] | None:
    scale = lcm(1440, *(part.duration_min for plan in plans for part in (*plan.boluses, *plan.steps)))
    given, owned = [0] * WEEK, [0] * WEEK
    by_day = {day: plan for plan in plans for day in plan.days}
    for day, plan in by_day.items():
        given[day * 1440 : day * 1440 + 1440] = [(plan.basal.quanta or least or 0) * (scale // 1440)] * 1440
    for day, plan in by_day.items():
        for step in plan.steps:
            rate = step.dose.quanta * scale // step.duration_min or (least or 0) * (scale // 1440)
            for minute in range(day * 1440 + step.at, day * 1440 + step.at + step.duration_min):
                given[minute % WEEK] = rate
            _add(owned, day * 1440 + step.at, step.duration_min, 1)
    if max(owned) > 1:
        return None
    for day, plan in by_day.items():
        for bolus in plan.boluses:
            _add(given, day * 1440 + bolus.at, bolus.duration_min, bolus.dose.quanta * scale // bolus.duration_min)
    return given, scale


def _add(given: list[int], start: int, minutes: int, amount: int) -> None:
    for minute in range(start, start + minutes):
        given[minute % WEEK] += amount


def _most_called(patient: PatientActivated | None, window: int) -> Fraction:
    """The most yg of patient-activated boluses in a window: all of a day as early as they may start, every minute."""
    if patient is None:
        return Fraction(0)
    given = [0] * 4320
    for number in range(patient.max_per_day):
        if number * patient.lockout_min < 1440:
            _add(given, number * patient.lockout_min, patient.duration_min, patient.dose.quanta)
    sums = list(accumulate(given, initial=0))
    return Fraction(max(map(sub, sums[window:], sums)), patient.duration_min)


# -- running ---------------------------------------------------------------------------------------------------------


def check_plans(seed: int, numbers: range) -> tuple[Counter[str], list[str]]:
    """Print and read back these programs; needs a QApplication."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            one = trial(seed, number)
            order = signed(one, number)
            try:
                pages = pages_of(order, one.pump, Path(folder))
            except NoCourseError:
                counts["cannot run on the pump"] += 1
                continue
            counts["plans"] += 1
            counts["pages"] += len(pages)
            found = misprints(order, one.pump, pages)
            wrong += (f"seed {seed}, plan {number} ({one.mode}): {text}" for text in found)
    return counts, wrong


def check_windows(seed: int, numbers: range) -> tuple[Counter[str], list[str]]:
    """Compare the largest doses of these programs."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for number in numbers:
        one = trial(seed, number)
        scanned = largest_by_scan(one)
        try:
            figures = figures_of(one.program, one.pump, one.concentration)
            found = (figures.max_60min, figures.max_4h)
        except NoCourseError:
            found = None
        counts["windows" if found else "refused by both"] += 1
        if found != scanned:
            wrong.append(f"seed {seed}, windows {number} ({one.mode}): {found} and {scanned}")
    return counts, wrong


def run_plans(job: tuple[int, range]) -> tuple[Counter[str], list[str]]:
    """Plans in a process of its own."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from app.ui.theme import LIGHT, apply_theme

    application = QApplication.instance() or QApplication([])
    apply_theme(application, LIGHT)
    return check_plans(*job)


def run_windows(job: tuple[int, range]) -> tuple[Counter[str], list[str]]:
    """Windows in a process of its own."""
    return check_windows(*job)


def main(arguments: list[str]) -> int:
    """Print, read, scan, and return 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="plans", description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--windows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    wrong: list[str] = []
    for run, total in ((run_plans, chosen.programs), (run_windows, chosen.windows)):
        began = time.monotonic()
        jobs = [(chosen.seed, range(start, total, 64)) for start in range(min(64, total))]
        counts: Counter[str] = Counter()
        with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
            for some_counts, some_wrong in pool.map(run, jobs):
                counts += some_counts
                wrong += some_wrong
        told = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
        print(f"{told}; {len(wrong)} wrong so far, {time.monotonic() - began:.0f} s", flush=True)
    for text in wrong[:20]:
        print(text)
    print(
        f"seed {chosen.seed}: paper = decode(encode(program)), largest in 60 min and 4 h = every minute scanned: "
        f"{len(wrong)} differences"
    )
    return 1 if wrong else 0
