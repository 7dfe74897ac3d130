"""Filling, bridge and prime against figures from docs/devices.md."""

from fractions import Fraction

import pytest

from app.models.catalogue import CatheterModel
from app.models.filling import mix, pocket_fill_limit_name
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.transition import (
    Prescription,
    PrimeExtent,
    Segment,
    bridge,
    bridge_needed,
    catheter_volume_ml,
    nearest,
    path_volume_ml,
    prime,
)
from tests.models.pumps import synchromed_ii

C500, C2000 = Concentration.mcg_per_ml(500), Concentration.mcg_per_ml(2000)
CATHETER = CatheterModel("8709SC", "InDura 1P", Fraction(89), Fraction("0.0022"), {})


def prescription(strength: Concentration, dose: int, drug: str = "baclofen") -> Prescription:
    return Prescription(drug, strength, DoseRate.mcg_per_day(dose))


def test_what_is_left_dilutes_the_new_solution() -> None:
    """1.4 mL of 500 under 20 mL of 2000 gives 1902 mcg/mL, 4.9 % too little."""
    mixture = mix(left=Volume.ml(Fraction("1.4")), left_concentration=C500, injected=Volume.ml(20), concentration=C2000)
    error = mixture.error_from(C2000)
    assert mixture.concentration is not None and error is not None
    assert round(mixture.concentration / 10**9) == 1902
    assert round(error * 1000) == -49


def test_one_rinse_brings_it_near() -> None:
    """One 5 mL rinse with the new solution: 1979 mcg/mL, 1.1 % too little."""
    mixture = mix(
        left=Volume.ml(Fraction("1.4")), left_concentration=C500, injected=Volume.ml(20), concentration=C2000,
        rinses=[Volume.ml(5)],
    )  # fmt: skip
    assert mixture.concentration is not None and round(mixture.concentration / 10**9) == 1979


def test_an_el_pump_filled_weaker_stays_too_strong() -> None:
    """2.4 mL of 2000 under 18 mL of 500 gives 676 mcg/mL, 35 % too much."""
    mixture = mix(left=Volume.ml(Fraction("2.4")), left_concentration=C2000, injected=Volume.ml(18), concentration=C500)
    assert mixture.concentration is not None and round(mixture.concentration / 10**9) == 676


def test_nothing_in_nothing_has_no_concentration() -> None:
    empty = mix(left=Volume.zero(), left_concentration=C500, injected=Volume.zero(), concentration=C2000)
    assert empty.concentration is None and empty.error_from(C2000) is None


def test_the_pocket_fill_limit_follows_the_capacity() -> None:
    assert pocket_fill_limit_name(synchromed_ii(20)) == "pocket_fill_20_ml"
    assert pocket_fill_limit_name(synchromed_ii(40)) == "pocket_fill_40_ml"
    assert pocket_fill_limit_name(synchromed_ii(18)) == "pocket_fill_other_percent"


def test_an_implanted_catheter_is_what_was_not_cut_off() -> None:
    assert catheter_volume_ml([Segment(CATHETER, Fraction(9))]) == Fraction("0.176")
    assert catheter_volume_ml([Segment(CATHETER, Fraction(9)), Segment(CATHETER, None)]) is None
    assert catheter_volume_ml([]) is None


def test_a_bridge_keeps_the_old_dose_until_the_old_fluid_is_gone() -> None:
    """0.140 + 0.176 = 0.316 mL at 200/500 = 0.4 mL/day last 0.79 days = 1137.6 min; 158 mcg of the old solution."""
    path = path_volume_ml(synchromed_ii(), Fraction("0.176"))
    assert path == Fraction("0.316")
    found = bridge(prescription(C500, 200), prescription(C2000, 200), path)
    assert found is not None
    assert (found.duration_min, found.old_drug_mcg, found.as_new_mcg) == (1138, 158, 632)
    # Without it: a quarter of the dose for 0.316 mL at 0.1 mL/day = 75.84 h.
    assert (found.without_factor, found.without_daily_mcg) == (Fraction(1, 4), 50)
    assert found.without_hours == Fraction("75.84")


def test_a_weaker_solution_without_a_bridge_is_four_times_the_dose() -> None:
    """Hazards, F-04: 2000 to 500 at 400 a day and 0.33 mL: 1600 a day for 9.9 h."""
    found = bridge(prescription(C2000, 400), prescription(C500, 400), Fraction("0.33"))
    assert found is not None
    assert (found.without_daily_mcg, found.without_hours) == (1600, Fraction("9.9"))


def test_between_two_drugs_doses_are_not_compared() -> None:
    morphine = prescription(Concentration.mcg_per_ml(10000), 1000, "morphine")
    found = bridge(prescription(C2000, 400), morphine, Fraction("0.3"))
    assert found is not None and found.as_new_mcg is None and found.without_factor is None


def test_a_bridge_is_needed_for_another_drug_or_concentration_only() -> None:
    old = prescription(C500, 200)
    assert not bridge_needed(old, prescription(C500, 300))
    assert bridge_needed(old, prescription(C2000, 200))
    assert bridge_needed(old, prescription(C500, 200, "morphine"))


def test_a_zero_dose_moves_nothing_and_has_no_bridge() -> None:
    assert bridge(prescription(C500, 0), prescription(C2000, 200), Fraction("0.3")) is None


@pytest.mark.parametrize(("value", "whole"), [("0.4", 0), ("0.5", 1), ("1.5", 2), ("1137.6", 1138)])
def test_halves_go_up(value: str, whole: int) -> None:
    assert nearest(Fraction(value)) == whole


def test_a_prime_takes_the_pumps_highest_flow_and_rounds_minutes_up() -> None:
    """0.316 mL at 24 mL/day is 18.96 min; 158 mcg at 500."""
    found = prime(synchromed_ii(), Fraction("0.176"), PrimeExtent.FULL, C500)
    assert found is not None and (found.volume_ml, found.dose_mcg, found.duration_min) == (Fraction("0.316"), 158, 19)


def test_the_corrected_tubing_constant_is_118_mcg_less_at_2000() -> None:
    """Recall of 2016: 0.199 mL became 0.140 mL."""
    assert (Fraction("0.199") - synchromed_ii().tubing.in_ml) * 2000 == 118


def test_a_catheter_only_prime_needs_no_tubing_but_its_catheter() -> None:
    found = prime(synchromed_ii(), Fraction("0.176"), PrimeExtent.CATHETER, C2000)
    assert found is not None and found.dose_mcg == 352
    assert prime(synchromed_ii(), None, PrimeExtent.CATHETER, C2000) is None
