"""The second decoder: what it reads, and that no single difference passes it."""

from dataclasses import replace
from fractions import Fraction

import pytest

from app.device.read_back import differences, walk
from app.device.settings_codec import encode_settings
from app.models.program import (
    Bolus,
    ConstantFlow,
    MinimumRate,
    OneTimeBolus,
    OneTimeKind,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from tests.device.pumps import RUNNING, WANTED

PERIODIC = replace(
    RUNNING,
    program=Program(PeriodicBolus(DoseRate.mcg_per_day(48), Mass.mcg(15), duration_min=10, every_min=360, first_at=90)),
)
WORKDAYS, WEEKEND = WANTED.program.delivery.plans
BOLUS, STEP = WORKDAYS.boluses[0], WORKDAYS.steps[0]
PATIENT = WANTED.program.patient_activated


def with_workdays(**changes) -> PumpSettings:
    plans = (replace(WORKDAYS, **changes), WEEKEND)
    return replace(WANTED, program=replace(WANTED.program, delivery=replace(WANTED.program.delivery, plans=plans)))


def with_bolus(**changes) -> PumpSettings:
    return with_workdays(boluses=(replace(BOLUS, **changes),))


def with_step(**changes) -> PumpSettings:
    return with_workdays(steps=(replace(STEP, **changes),))


def with_patient(**changes) -> PumpSettings:
    return replace(WANTED, program=replace(WANTED.program, patient_activated=replace(PATIENT, **changes)))


def with_periodic(**changes) -> PumpSettings:
    return replace(PERIODIC, program=Program(replace(PERIODIC.program.delivery, **changes)))


def with_bridge(volume_ml: str, minutes: int) -> PumpSettings:
    return replace(WANTED, bridge=OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction(volume_ml)), minutes))


def with_workdays_until(last: Weekday) -> PumpSettings:
    days = tuple(day for day in Weekday if day <= last)
    rest = tuple(day for day in Weekday if day > last)
    plans = (replace(WORKDAYS, days=days), replace(WEEKEND, days=rest))
    return replace(WANTED, program=replace(WANTED.program, delivery=replace(WANTED.program.delivery, plans=plans)))


ONE_NANOGRAM_MORE = Fraction("12.501")

SINGLE_CHANGES = [
    (WANTED, replace(WANTED, drug="baclofem"), ("drug",)),
    (WANTED, replace(WANTED, concentration=Concentration.mcg_per_ml(500)), ("concentration",)),
    (WANTED, replace(WANTED, low_alarm=Volume.ml(2)), ("low-reservoir alarm",)),
    (WANTED, replace(WANTED, reservoir=Volume.ml(20)), ("reservoir",)),
    (WANTED, replace(WANTED, reservoir=None), ("reservoir",)),
    (WANTED, with_bridge("0.2", 1433), ("bridge volume",)),
    (WANTED, with_bridge("0.199", 1434), ("bridge duration",)),
    (WANTED, replace(WANTED, bridge=None), ("bridge volume", "bridge duration")),
    (RUNNING, replace(RUNNING, program=Program(SimpleContinuous(DoseRate.mcg_per_day(201)))), ("daily dose",)),
    (RUNNING, replace(RUNNING, program=Program(MinimumRate())), ("mode", "daily dose")),
    (replace(RUNNING, program=Program(MinimumRate())), replace(RUNNING, program=Program(Stopped())), ("mode",)),
    (WANTED, with_workdays(basal=DoseRate.mcg_per_day(216)), ("plan 1 basal rate",)),
    (WANTED, with_workdays_until(Weekday.SAT), ("plan 1 days", "plan 2 days")),
    (WANTED, with_bolus(at=451), ("plan 1 bolus 1 time",)),
    (WANTED, with_bolus(duration_min=6), ("plan 1 bolus 1 duration",)),
    (WANTED, with_bolus(dose=Mass.mcg(ONE_NANOGRAM_MORE)), ("plan 1 bolus 1 dose",)),
    (WANTED, with_step(at=1321), ("plan 1 step 1 time",)),
    (WANTED, with_step(duration_min=479), ("plan 1 step 1 duration",)),
    (WANTED, with_step(dose=Mass.mcg(97)), ("plan 1 step 1 dose",)),
    (
        WANTED,
        with_workdays(boluses=()),
        ("plan 1 bolus 1 time", "plan 1 bolus 1 duration", "plan 1 bolus 1 dose"),
    ),
    (WANTED, with_patient(dose=Mass.mcg(11)), ("patient bolus dose",)),
    (WANTED, with_patient(duration_min=4), ("patient bolus duration",)),
    (WANTED, with_patient(lockout_min=239), ("lockout",)),
    (WANTED, with_patient(max_per_day=5), ("patient boluses a day",)),
    (PERIODIC, with_periodic(basal=DoseRate.mcg_per_day(49)), ("basal rate",)),
    (PERIODIC, with_periodic(dose=Mass.mcg(16)), ("bolus dose",)),
    (PERIODIC, with_periodic(duration_min=11), ("bolus duration",)),
    (PERIODIC, with_periodic(every_min=480), ("interval",)),
    (PERIODIC, with_periodic(first_at=91), ("first bolus",)),
]


@pytest.mark.parametrize(("sent", "read", "names"), SINGLE_CHANGES, ids=lambda value: str(value)[:40])
def test_a_single_change_is_named_by_its_field(sent: PumpSettings, read: PumpSettings, names: tuple[str, ...]) -> None:
    assert differences(sent, encode_settings(read)) == names


@pytest.mark.parametrize("settings", [RUNNING, WANTED, PERIODIC])
def test_what_was_sent_is_found_without_a_difference(settings: PumpSettings) -> None:
    assert differences(settings, encode_settings(settings)) == ()


def test_a_field_that_nobody_sent_is_a_difference() -> None:
    without = replace(WANTED, bridge=None)
    assert differences(without, encode_settings(WANTED)) == ("bridge volume", "bridge duration")


@pytest.mark.parametrize("settings", [RUNNING, WANTED, PERIODIC])
def test_every_flipped_bit_is_found(settings: PumpSettings) -> None:
    raw = encode_settings(settings)
    for place in range(len(raw)):
        for bit in range(8):
            flipped = bytearray(raw)
            flipped[place] ^= 1 << bit
            assert differences(settings, bytes(flipped)), (place, bit)


def test_every_cut_and_everything_left_over_is_unreadable() -> None:
    raw = encode_settings(WANTED)
    assert differences(WANTED, b"") == ("unreadable",)
    assert {differences(WANTED, raw[:length]) for length in range(len(raw))} == {("unreadable",)}
    assert differences(WANTED, raw + b"\x00") == ("unreadable",)


def test_a_constant_flow_program_equals_nothing_on_the_wire() -> None:
    sent = replace(RUNNING, program=Program(ConstantFlow()))
    for mode in (MinimumRate(), Stopped()):
        assert "mode" in differences(sent, encode_settings(replace(RUNNING, program=Program(mode))))


def test_the_walk_reads_wire_quanta_straight_from_the_bytes() -> None:
    raw = bytes.fromhex(
        "01" "08" + b"baclofen".hex() +
        "0000000000" "1e8480"  # 2,000,000 ng/mL
        "0000000000" "1e8480"  # 2,000,000 nL
        "00" "00" "01"
        "0000000000" "030d40"  # 200,000 ng/day
        "00"
    )  # fmt: skip
    assert list(walk(raw)) == [
        ("version", 1),
        ("drug", "baclofen"),
        ("concentration", 2_000_000),
        ("low-reservoir alarm", 2_000_000),
        ("reservoir", None),
        ("mode", 1),
        ("daily dose", 200_000),
    ]


def test_no_name_is_read_twice() -> None:
    crowded = with_workdays(
        boluses=tuple(Bolus(at, Mass.mcg(1), 5) for at in (60, 120, 180)),
        steps=tuple(Step(at, 60, Mass.mcg(2)) for at in (600, 720)),
    )
    names = [name for name, _ in walk(encode_settings(crowded))]
    assert len(names) == len(set(names))


def test_two_plans_that_change_places_are_a_difference() -> None:
    turned = replace(
        WANTED, program=replace(WANTED.program, delivery=replace(WANTED.program.delivery, plans=(WEEKEND, WORKDAYS)))
    )
    assert "plan 1 days" in differences(WANTED, encode_settings(turned))
