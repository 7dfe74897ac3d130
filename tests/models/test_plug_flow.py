"""Plug flow against a shift register of small slices, and its own laws."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.plug_flow import (
    BackwardsError,
    Fluid,
    Path,
    Plug,
    Pumping,
    arrivals,
    bridge_left_ml,
    given_mcg,
    new_at_tip_min,
    path_after,
    path_in_bridge,
    per_minute,
)
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.quantities import Volume

SLICE_ML = Fraction(1, 1000)
FLUIDS = (
    Fluid.of({"baclofen": Fraction(500)}),
    Fluid.of({"baclofen": Fraction(2000)}),
    Fluid.of({"morphine": Fraction(10000)}),
    Fluid.of({"baclofen": Fraction(1000), "morphine": Fraction(5000)}),
)
A, B, C, _ = FLUIDS

plugs = st.lists(st.tuples(st.integers(1, 12), st.sampled_from(FLUIDS)), min_size=1, max_size=4)
"""Slices of each fluid in the path, from the tip."""
changes = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5), st.sampled_from(FLUIDS)), min_size=1, max_size=6)
"""Minutes, slices a minute, and what leaves the reservoir."""


def path_of(parts: list[tuple[int, Fluid]]) -> Path:
    path = Path(())
    for count, fluid in reversed(parts):
        path = Path((Plug(count * SLICE_ML, fluid), *path.plugs))
    return path


def pumpings_of(some: list[tuple[int, int, Fluid]]) -> list[Pumping]:
    return [Pumping(Fraction(minutes), slices * SLICE_ML * 1440, fluid) for minutes, slices, fluid in some]


def shifted(
    parts: list[tuple[int, Fluid]], some: list[tuple[int, int, Fluid]]
) -> tuple[list[list[Fluid]], list[Fluid]]:
    """The slices that leave in each minute, and those that stay: nothing but a list that is shifted."""
    register = [fluid for count, fluid in parts for _ in range(count)]
    left = []
    for minutes, slices, fluid in some:
        for _ in range(minutes):
            register += [fluid] * slices
            left.append(register[:slices])
            del register[:slices]
    return left, register


@given(plugs, changes)
def test_every_minute_is_that_of_the_shift_register(
    parts: list[tuple[int, Fluid]], some: list[tuple[int, int, Fluid]]
) -> None:
    steps = arrivals(path_of(parts), pumpings_of(some))
    left, register = shifted(parts, some)
    for drug in ("baclofen", "morphine"):
        expected = [sum((fluid.mcg_per_ml(drug) * SLICE_ML for fluid in out), Fraction(0)) for out in left]
        assert list(per_minute(steps, drug, len(left))) == expected
    after = path_after(path_of(parts), pumpings_of(some))
    assert [fluid for plug in after.plugs for fluid in [plug.fluid] * int(plug.volume_ml / SLICE_ML)] == register


@given(plugs, changes, st.lists(st.fractions(0, 60, max_denominator=7), min_size=6, max_size=6))
def test_what_goes_in_comes_out_or_stays(
    parts: list[tuple[int, Fluid]], some: list[tuple[int, int, Fluid]], lasting: list[Fraction]
) -> None:
    """Mass balance with minutes that are not whole."""
    path = path_of(parts)
    pumpings = [
        Pumping(minutes, one.ml_per_day, one.fluid) for one, minutes in zip(pumpings_of(some), lasting, strict=False)
    ]
    steps, after = arrivals(path, pumpings), path_after(path, pumpings)
    end = sum((one.minutes for one in pumpings), Fraction(0))
    assert after.volume_ml == path.volume_ml
    assert [step.start_min for step in steps[1:]] == [step.end_min for step in steps[:-1]]
    assert not steps or (steps[0].start_min, steps[-1].end_min) == (0, end)
    for drug in ("baclofen", "morphine"):
        pushed = sum(
            (one.minutes * one.ml_per_day / 1440 * one.fluid.mcg_per_ml(drug) for one in pumpings), Fraction(0)
        )
        out = given_mcg(steps, drug, Fraction(0), end)
        assert _mass(path, drug) + pushed == out + _mass(after, drug)


def _mass(path: Path, drug: str) -> Fraction:
    return sum((plug.volume_ml * plug.fluid.mcg_per_ml(drug) for plug in path.plugs), Fraction(0))


@given(plugs, changes)
def test_two_walks_are_one(parts: list[tuple[int, Fluid]], some: list[tuple[int, int, Fluid]]) -> None:
    """Stopping in between and going on from the path that was reached changes nothing."""
    pumpings, path = pumpings_of(some), path_of(parts)
    half = len(pumpings) // 2
    assert path_after(path_after(path, pumpings[:half]), pumpings[half:]) == path_after(path, pumpings)


@given(plugs, changes)
def test_the_new_fluid_arrives_when_the_path_has_left(
    parts: list[tuple[int, Fluid]], some: list[tuple[int, int, Fluid]]
) -> None:
    """Counted slice by slice."""
    size, gone, minute, expected = sum(count for count, _ in parts), 0, 0, None
    for minutes, slices, _ in some:
        for _ in range(minutes):
            if expected is None and slices and gone + slices >= size:
                expected = minute + Fraction(size - gone, slices)
            gone, minute = gone + slices, minute + 1
    assert new_at_tip_min(path_of(parts).volume_ml, pumpings_of(some)) == expected


def test_a_path_of_two_solutions_by_hand() -> None:
    """0.1 mL of 500 ahead of 0.2 mL of 2000, at 0.4 mL/day: 200 a day for 6 h, 800 for 12 h, then the third."""
    path = Path((Plug(Fraction("0.1"), A), Plug(Fraction("0.2"), B)))
    found = arrivals(path, [Pumping(Fraction(1440), Fraction("0.4"), C)])
    assert [(step.end_min, step.mcg_per_day("baclofen")) for step in found] == [(360, 200), (1080, 800), (1440, 0)]
    assert found[1].mcg_per_h("baclofen") == Fraction(100, 3)
    assert path.only_fluid is None and path.ahead_ml == Fraction("0.1")


def test_a_stopped_pump_gives_nothing_and_the_path_stays() -> None:
    path = Path.filled(Fraction("0.3"), A)
    still = Pumping(Fraction(90), Fraction(0), B)
    (step,) = arrivals(path, [still])
    assert (step.end_min, step.mcg_per_day("baclofen")) == (90, 0)
    assert path_after(path, [still]) == path
    assert new_at_tip_min(path.volume_ml, [still]) is None


def test_neighbours_of_one_fluid_are_one_plug() -> None:
    path = path_after(Path.filled(Fraction("0.3"), A), [Pumping(Fraction(60), Fraction("0.1"), A)])
    assert path == Path.filled(Fraction("0.3"), A) and path.only_fluid == A


@pytest.mark.parametrize(("minutes", "flow"), [(-1, 1), (1, -1)])
def test_nothing_flows_backwards(minutes: int, flow: int) -> None:
    with pytest.raises(BackwardsError):
        arrivals(Path.filled(Fraction(1), A), [Pumping(Fraction(minutes), Fraction(flow), B)])
    with pytest.raises(BackwardsError):
        Path.filled(Fraction(-1), A)


BRIDGE = OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.3")), 600)


@pytest.mark.parametrize(
    ("gone", "left"), [(-1, "0.3"), (0, "0.3"), (1, "0.2995"), (599, "0.0005"), (600, "0"), (601, "0")]
)
def test_what_a_running_bridge_has_to_go(gone: int, left: str) -> None:
    assert bridge_left_ml(BRIDGE, Fraction(gone)) == Fraction(left)


@given(st.integers(0, 600))
def test_the_path_in_a_bridge_is_what_was_pushed_there(gone: int) -> None:
    """From what the bridge has to go, and from pushing it since its start: the same path."""
    path_ml = Fraction("0.3")
    since = path_after(Path.filled(path_ml, A), [Pumping(Fraction(gone), path_ml * 1440 / 600, B)])
    assert path_in_bridge(path_ml, A, B, bridge_left_ml(BRIDGE, Fraction(gone))) == since
    assert (since.only_fluid is None) == (0 < gone < 600)
