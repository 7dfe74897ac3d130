"""Quantities are whole, exact and never mixed."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.quantities import (
    Concentration,
    DoseRate,
    Flow,
    InvalidQuantityError,
    Mass,
    Volume,
    exact_flow_ml_per_day,
    flow_for,
)

KINDS = [Mass, Volume, Concentration, Flow, DoseRate]
nine_decimals = st.integers(0, 10**18).map(lambda n: Fraction(n, 10**9))


def test_one_microgram_per_millilitre_in_one_millilitre_is_one_microgram() -> None:
    assert Concentration.mcg_per_ml(1).mass_in(Volume.ml(1)) == Mass.mcg(1)


def test_two_thousand_at_half_a_millilitre_a_day_is_a_thousand_a_day() -> None:
    flow = Flow.ml_per_day(Fraction(1, 2))
    assert Concentration.mcg_per_ml(2000).dose_rate_at(flow) == DoseRate.mcg_per_day(1000)


def test_a_rate_per_hour_is_twenty_four_times_as_much_a_day() -> None:
    assert DoseRate.mcg_per_hour(Fraction(5, 2)) == DoseRate.mcg_per_day(60)


@given(nine_decimals, nine_decimals)
def test_every_typed_number_is_exact_and_so_is_the_product(strength: Fraction, volume: Fraction) -> None:
    mass = Concentration.mcg_per_ml(strength).mass_in(Volume.ml(volume))
    assert mass.in_mcg == strength * volume


@given(st.integers(1, 10**13), st.integers(1, 10**13))
def test_the_flow_for_a_dose_never_exceeds_it_and_one_more_quantum_would(dose: int, strength: int) -> None:
    wanted, concentration = DoseRate(dose * 10**9), Concentration(strength)
    flow = flow_for(wanted, concentration)
    assert concentration.dose_rate_at(flow) <= wanted
    assert concentration.dose_rate_at(flow + Flow(1)) > wanted


def test_the_exact_flow_is_not_rounded() -> None:
    assert exact_flow_ml_per_day(DoseRate.mcg_per_day(100), Concentration.mcg_per_ml(1500)) == Fraction(1, 15)


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_different_kinds_cannot_be_added_subtracted_divided_or_ordered(one: type, other: type) -> None:
    if one is other:
        return
    for operation in (
        lambda: one(1) + other(1),
        lambda: one(1) - other(1),
        lambda: one(1).ratio(other(1)),
        lambda: one(1) < other(1),
    ):
        with pytest.raises(TypeError):
            operation()
    assert one(1) != other(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [1.0, True, "1", None, Fraction(1)])
def test_only_a_whole_number_of_quanta_makes_a_quantity(kind: type, bad: object) -> None:
    with pytest.raises(InvalidQuantityError):
        kind(bad)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quantity_times_a_fraction_or_a_bool_is_refused(kind: type) -> None:
    for factor in (0.5, Fraction(1, 2), True):
        with pytest.raises(TypeError):
            kind(2) * factor
    assert kind(2) * 3 == 3 * kind(2) == kind(6)


def test_finer_than_a_quantum_is_refused_by_exact_and_cut_by_floor() -> None:
    with pytest.raises(InvalidQuantityError):
        Volume.ml(Fraction(1, 3))
    assert Volume.floor(Fraction(10**9, 3)) == Volume(333_333_333)
    assert Volume.floor(Fraction(-1, 2)) == Volume(-1)
