"""Vials against what is to go in: each rule at its boundary, and two readings of a label."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.catalogue import load_catalogue
from app.models.findings import Finding, Severity
from app.models.quantities import Concentration, Volume
from app.models.rule_texts import sentence
from app.models.vial import (
    LabelReading,
    Product,
    ScannedVial,
    Wanted,
    check_digit,
    differing_fields,
    is_wrong,
    label_of,
    total_volume,
    vial_findings,
)

TODAY = date(2026, 11, 21)
CATALOGUE = load_catalogue()
BACLOFEN = CATALOGUE.drug("baclofen")
AT_2000 = Concentration.mcg_per_ml(2000)
PRODUCT = Product("00370121250319", "Lioresal 2000", "baclofen", AT_2000, Volume.ml(20), False, "a label", False)
VIAL = ScannedVial(PRODUCT.gtin, "AB12", date(2027, 12, 31), "S1", PRODUCT)
SECOND = replace(VIAL, serial="S2")


def found(*vials: ScannedVial, needed: object = 20, concentration: int = 2000, **more: object) -> list[str]:
    """The rules that fire, as ``rule severity reason``, each with a sentence."""
    findings = vial_findings(
        vials,
        BACLOFEN,
        Concentration.mcg_per_ml(concentration),
        None if needed is None else Volume.ml(Fraction(str(needed))),
        TODAY,
        **more,  # type: ignore[arg-type]
    )
    assert all(sentence(finding) for finding in findings)
    return [f"{finding.rule} {finding.severity} {finding.reason}" for finding in findings]


def test_the_right_vial_is_not_remarked_upon() -> None:
    assert found(VIAL) == []
    assert found() == []


@pytest.mark.parametrize(
    ("needed", "says"),
    [("19.999999999", []), ("20", []), ("20.000000001", ["U-03 block too-little"]), (None, [])],
)
def test_the_volume_needed_is_compared_exactly(needed: object, says: list[str]) -> None:
    assert found(VIAL, needed=needed) == says


def test_volumes_of_all_vials_are_added() -> None:
    assert total_volume([VIAL, SECOND]) == Volume.ml(40)
    assert found(VIAL, SECOND, needed=40) == []
    assert found(VIAL, SECOND, needed="40.01") == ["U-03 block too-little"]


@pytest.mark.parametrize(("days", "says"), [(1, []), (0, []), (-1, ["U-03 block vial-expired"])])
def test_a_vial_may_be_used_on_its_last_day(days: int, says: list[str]) -> None:
    assert found(replace(VIAL, expires_on=TODAY + timedelta(days=days))) == says


def test_another_concentration_is_blocked_both_ways() -> None:
    assert found(VIAL, concentration=500) == ["U-03 block wrong-concentration"]
    weak = replace(VIAL, product=replace(PRODUCT, concentration=Concentration.mcg_per_ml(500)))
    assert found(weak) == ["U-03 block wrong-concentration"]


def test_every_pair_of_known_concentrations_that_differ_is_blocked() -> None:
    known = BACLOFEN.pump_concentrations
    assert len(known) == 3
    for held in known:
        for wanted in known:
            vial = replace(VIAL, product=replace(PRODUCT, concentration=held))
            blocked = vial_findings([vial], BACLOFEN, wanted, None, TODAY)
            assert bool(blocked) == (held != wanted)


def test_another_drug_is_blocked_even_at_the_same_concentration() -> None:
    other = replace(VIAL, product=replace(PRODUCT, drug="morphine"))
    assert found(other) == ["U-03 block wrong-drug"]


def test_a_screening_ampoule_is_never_for_a_pump_not_even_if_asked_for() -> None:
    fifty = Concentration.mcg_per_ml(50)
    ampoule = replace(VIAL, product=replace(PRODUCT, concentration=fifty, screening=True))
    assert found(ampoule) == ["U-03 block screening"]
    assert found(ampoule, concentration=50) == ["U-03 block screening"]


def test_a_product_that_is_not_known_asks_for_a_blind_second_reading() -> None:
    unknown = replace(VIAL, gtin="04012345678901", product=None)
    assert found(unknown) == ["U-07 confirm unknown-product"]
    assert found(unknown, entered_twice=True) == []
    # Its volume is not known, so nothing can be said about too little.
    assert found(unknown, VIAL, needed=50) == ["U-07 confirm unknown-product"]
    assert total_volume([unknown, VIAL]) == Volume.ml(20)


def test_two_readings_that_agree_do_not_excuse_a_wrong_vial() -> None:
    assert found(VIAL, concentration=500, entered_twice=True) == ["U-03 block wrong-concentration"]


def test_the_same_serial_number_twice_is_blocked_and_of_another_product_is_not() -> None:
    assert found(VIAL, VIAL) == ["U-03 block same-serial"]
    other = replace(PRODUCT, gtin="00370121250227")
    assert found(VIAL, replace(VIAL, gtin=other.gtin, product=other)) == []


def test_vials_without_serial_number_are_counted_by_hand() -> None:
    bare = replace(VIAL, serial=None)
    assert found(bare) == ["U-03 note no-serial"]
    assert found(bare, bare, needed=40) == ["U-03 confirm count-vials"]


def test_mixed_lots_are_noted() -> None:
    assert found(VIAL, replace(SECOND, lot="CD34")) == ["U-03 note mixed-lots"]
    findings = vial_findings([VIAL, replace(SECOND, lot="CD34")], BACLOFEN, AT_2000, None, TODAY)
    assert findings == (Finding("U-03", Severity.NOTE, "mixed-lots", {"lots": "AB12, CD34"}),)


def test_a_vial_is_wrong_if_its_own_findings_block_and_only_then() -> None:
    wanted = Wanted(BACLOFEN, AT_2000, Volume.ml(100), TODAY)
    assert not is_wrong(VIAL, wanted)
    assert not is_wrong(replace(VIAL, product=None, serial=None), wanted)
    assert is_wrong(replace(VIAL, expires_on=TODAY - timedelta(days=1)), wanted)
    assert is_wrong(VIAL, replace(wanted, concentration=Concentration.mcg_per_ml(500)))
    assert is_wrong(VIAL, replace(wanted, drug=CATALOGUE.drug("morphine")))


def test_several_vials_make_one_label_with_all_lots_and_the_earliest_expiry() -> None:
    later = replace(SECOND, lot="CD34", expires_on=date(2028, 1, 31))
    assert label_of([later, VIAL]) == LabelReading("baclofen", AT_2000, "CD34, AB12", date(2027, 12, 31))
    assert label_of([]) is None
    assert label_of([VIAL, replace(SECOND, product=None)]) is None
    assert label_of([VIAL, replace(SECOND, product=replace(PRODUCT, concentration=Concentration(1)))]) is None


FIRST = LabelReading("baclofen", AT_2000, "AB12", date(2027, 12, 31))


@pytest.mark.parametrize(
    ("again", "differ"),
    [
        (FIRST, ()),
        (replace(FIRST, lot=" ab 12"), ()),
        (replace(FIRST, drug="morphine"), ("drug",)),
        (replace(FIRST, concentration=Concentration.mcg_per_ml(Fraction("2000.000000001"))), ("concentration",)),
        (replace(FIRST, lot="AB1Z"), ("lot",)),
        (replace(FIRST, lot="ABI2"), ("lot",)),
        (replace(FIRST, expires_on=date(2027, 12, 30)), ("expires_on",)),
        (
            LabelReading("morphine", Concentration.mcg_per_ml(1), "x", TODAY),
            ("drug", "concentration", "lot", "expires_on"),
        ),
    ],
)
def test_two_readings_are_compared_field_by_field(again: LabelReading, differ: tuple[str, ...]) -> None:
    assert differing_fields(FIRST, again) == differ
    assert differing_fields(again, FIRST) == differ


@given(st.text("0123456789", min_size=13, max_size=13))
def test_the_check_digit_is_that_of_biip(digits: str) -> None:
    from biip.checksums import gs1_standard_check_digit

    assert check_digit(digits) == str(gs1_standard_check_digit(digits))


@given(st.text("0123456789", min_size=14, max_size=14), st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_never_passes(digits: str, place: int, by: int) -> None:
    whole = digits[:-1] + check_digit(digits[:-1])
    slip = whole[:place] + str((int(whole[place]) + by) % 10) + whole[place + 1 :]
    assert check_digit(slip[:-1]) != slip[-1]
