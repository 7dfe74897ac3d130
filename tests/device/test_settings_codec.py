"""Settings as bytes: each comes back whole, nothing is rounded, and nothing but the one encoding is taken."""

import hashlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.device.read_back import differences
from app.device.settings_codec import (
    LONGEST,
    BadSettingsError,
    decode_settings,
    encode_settings,
    settings_digest,
)
from app.models.program import (
    Bolus,
    ConstantFlow,
    DayPlan,
    Flex,
    MinimumRate,
    OneTimeBolus,
    OneTimeKind,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.pump import NotRepresentableError, PumpSettings
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume
from tests.device.pumps import RUNNING, WANTED

WIRE_NUMBER = st.integers(0, 2**64 - 1)
masses = WIRE_NUMBER.map(lambda ng: Mass(ng * 10**15))
rates = WIRE_NUMBER.map(lambda ng: DoseRate(ng * 10**15))
volumes = WIRE_NUMBER.map(lambda nl: Volume(nl * 1000))
minutes = st.integers(0, 65_535)
times = st.integers(0, 1439)


@st.composite
def week_plans(draw) -> Flex:
    """Day plans over a week that is dealt out at random."""
    owners = draw(st.lists(st.integers(0, 2), min_size=7, max_size=7))
    return Flex(
        tuple(
            DayPlan(
                days=tuple(day for day in Weekday if owners[day] == owner),
                basal=draw(rates),
                boluses=tuple(draw(st.lists(st.builds(Bolus, times, masses, minutes), max_size=3))),
                steps=tuple(draw(st.lists(st.builds(Step, times, minutes, masses), max_size=3))),
            )
            for owner in sorted(set(owners))
        )
    )


all_settings = st.builds(
    PumpSettings,
    drug=st.text(max_size=12),
    concentration=WIRE_NUMBER.map(lambda ng: Concentration(ng * 10**6)),
    program=st.builds(
        Program,
        st.one_of(
            st.builds(SimpleContinuous, rates),
            week_plans(),
            st.builds(PeriodicBolus, rates, masses, minutes, st.integers(1, 2**32 - 1), times),
            st.just(MinimumRate()),
            st.just(Stopped()),
        ),
        st.none() | st.builds(PatientActivated, masses, minutes, minutes, st.integers(0, 255)),
    ),
    low_alarm=volumes,
    reservoir=st.none() | volumes,
    bridge=st.none() | st.builds(OneTimeBolus, st.just(OneTimeKind.BRIDGE), volumes, st.integers(0, 2**32 - 1)),
)


@given(all_settings)
def test_settings_come_back_whole_by_both_decoders(settings: PumpSettings) -> None:
    raw = encode_settings(settings)
    assert decode_settings(raw) == settings
    assert differences(settings, raw) == ()


@given(all_settings, all_settings)
def test_the_second_decoder_finds_any_two_settings_different(one: PumpSettings, other: PumpSettings) -> None:
    assert bool(differences(one, encode_settings(other))) == (one != other)


@given(all_settings, st.data())
def test_cut_and_lengthened_settings_are_refused(settings: PumpSettings, data) -> None:
    raw = encode_settings(settings)
    with pytest.raises(BadSettingsError):
        decode_settings(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(BadSettingsError):
        decode_settings(raw + b"\x00")


@given(all_settings, st.data())
def test_a_changed_byte_is_refused_or_read_as_what_it_then_says(settings: PumpSettings, data) -> None:
    raw = bytearray(encode_settings(settings))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = decode_settings(bytes(raw))
    except BadSettingsError:
        return
    assert read != settings
    assert encode_settings(read) == bytes(raw)


def test_the_bytes_of_200_mcg_a_day_are_these() -> None:
    assert encode_settings(RUNNING) == bytes.fromhex(
        "01" "08" + b"baclofen".hex() +
        "00000000001e8480"  # 2,000,000 ng/mL
        "00000000001e8480"  # 2 mL in nL
        "01" "0000000001312d00"  # 20 mL in nL
        "00"  # no bridge
        "01" "0000000000030d40"  # continuous, 200,000 ng a day
        "00"  # no patient-activated bolus
    )  # fmt: skip


def test_the_digest_is_over_a_prefix_and_the_bytes() -> None:
    assert settings_digest(b"abc") == hashlib.sha256(b"cisterna settingsabc").digest()


def with_delivery(delivery) -> PumpSettings:
    return replace(RUNNING, program=Program(delivery))


def with_plan(**changes) -> PumpSettings:
    plan = DayPlan(days=tuple(Weekday), basal=DoseRate.mcg_per_day(100))
    return with_delivery(Flex((replace(plan, **changes),)))


TOO_FINE = [
    (with_delivery(SimpleContinuous(DoseRate.mcg_per_day(Fraction("200.0001")))), "daily dose"),
    (with_delivery(SimpleContinuous(DoseRate.mcg_per_day(Fraction("0.0009")))), "daily dose"),
    (replace(RUNNING, concentration=Concentration.mcg_per_ml(Fraction("0.0001"))), "concentration"),
    (replace(RUNNING, low_alarm=Volume.ml(Fraction("2.0000001"))), "low_alarm"),
    (replace(RUNNING, reservoir=Volume.ml(Fraction("19.9999999"))), "reservoir"),
    (replace(RUNNING, bridge=OneTimeBolus(OneTimeKind.BRIDGE, Volume(1), 60)), "bridge"),
    (with_plan(basal=DoseRate(1)), "basal rate"),
    (with_plan(boluses=(Bolus(0, Mass(1), 5),)), "dose"),
    (with_plan(steps=(Step(0, 60, Mass(10**15 + 1)),)), "dose"),
]


@pytest.mark.parametrize(("settings", "field"), TOO_FINE)
def test_a_value_finer_than_the_wire_is_refused_and_never_rounded(settings: PumpSettings, field: str) -> None:
    with pytest.raises(NotRepresentableError) as refused:
        encode_settings(settings)
    assert refused.value.values["field"] == field


BEYOND = [
    (with_delivery(SimpleContinuous(DoseRate(2**64 * 10**15))), "daily dose"),
    (with_plan(boluses=(Bolus(0, Mass.mcg(1), 65_536),)), "duration"),
    (with_plan(steps=tuple(Step(0, 1, Mass.mcg(1)) for _ in range(256))), "changes"),
    (with_delivery(PeriodicBolus(DoseRate(0), Mass(0), 5, 2**32)), "interval"),
    (replace(RUNNING, drug="x" * 256), "drug"),
    (replace(RUNNING, low_alarm=Volume(-1000)), "low_alarm"),
    (replace(RUNNING, bridge=OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(1), 60)), "bridge"),
    (replace(RUNNING, bridge=OneTimeBolus(OneTimeKind.PRIMING, Volume.ml(1), 60)), "bridge"),
    (with_delivery(ConstantFlow(Flow.ml_per_day(1))), "mode"),
]


@pytest.mark.parametrize(("settings", "field"), BEYOND)
def test_a_value_that_the_wire_has_no_room_for_is_refused(settings: PumpSettings, field: str) -> None:
    with pytest.raises(NotRepresentableError) as refused:
        encode_settings(settings)
    assert refused.value.values["field"] == field


def test_settings_that_would_not_fit_one_frame_with_their_read_back_are_refused() -> None:
    steps = tuple(Step(minute, 1, Mass.mcg(1)) for minute in range(250))
    plans = tuple(
        DayPlan(days=days, basal=DoseRate(0), steps=steps) for days in (tuple(Weekday)[:3], tuple(Weekday)[3:])
    )
    with pytest.raises(NotRepresentableError) as refused:
        encode_settings(with_delivery(Flex(plans)))
    assert refused.value.values["field"] == "program length"
    assert LONGEST == 4000


def test_more_day_plans_than_can_be_counted_are_refused() -> None:
    empty = tuple(DayPlan(days=(), basal=DoseRate(0)) for _ in range(255))
    with pytest.raises(NotRepresentableError):
        encode_settings(with_delivery(Flex((DayPlan(days=tuple(Weekday), basal=DoseRate(0)), *empty))))


@pytest.mark.parametrize(
    "tail",
    [
        "09",  # no such mode
        "02 00 00",  # a week without plans
        "02 01 7e 0000000000000000 00 00 00",  # a week without its Monday
        "02 01 ff 0000000000000000 00 00 00",  # an eighth day
        "02 01 7f 0000000000000000 01 05a0 0005 0000000000000001 00 00",  # a bolus at minute 1440
        "03 0000000000000000 0000000000000001 0005 00000000 0000 00",  # no interval
        "04 02",  # neither with nor without
    ],
)
def test_programs_that_cannot_be_are_refused(tail: str) -> None:
    head = encode_settings(RUNNING)[:-10]
    assert decode_settings(head + bytes.fromhex("04 00")).program == Program(MinimumRate())
    with pytest.raises(BadSettingsError):
        decode_settings(head + bytes.fromhex(tail))


def test_another_version_of_the_settings_is_refused() -> None:
    with pytest.raises(BadSettingsError):
        decode_settings(b"\x02" + encode_settings(WANTED)[1:])


def test_a_week_of_13_steps_a_day_takes_206_bytes() -> None:
    steps = tuple(Step(hour * 60, 60, Mass.mcg(10)) for hour in range(13))
    # 36 before the program, 2 for mode and count, 11 for the plan, 12 a step, 1 for no patient-activated bolus.
    assert len(encode_settings(with_plan(steps=steps))) == 36 + 2 + 11 + 13 * 12 + 1
