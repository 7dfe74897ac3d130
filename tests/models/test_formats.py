"""Text becomes a number only if it is written as the program would write it."""

import itertools
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.formats import (
    NotANumberError,
    number_problem,
    parse_concentration_mcg_per_ml,
    parse_dose_mcg_per_day,
    parse_mass_mcg,
    parse_number,
    parse_volume_ml,
    plain,
    rounded,
    show_concentration,
    show_dose,
    show_mass,
    show_volume,
)
from app.models.quantities import Concentration, DoseRate, Mass, Volume


def test_all_strings_of_five_over_the_dangerous_alphabet_follow_the_grammar() -> None:
    grammar = re.compile(r"(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?", re.ASCII)
    for letters in itertools.product("019.,-+e ", repeat=5):
        text = "".join(letters)
        accepted = number_problem(text, whole_digits=5, decimals=2) is None
        assert accepted == (grammar.fullmatch(text) is not None), text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (".5", "leading-point"),
        ("5.", "trailing-point"),
        ("007", "leading-zero"),
        ("00", "leading-zero"),
        ("1,5", "character"),
        ("1e3", "character"),
        ("-5", "character"),
        ("1_000", "character"),
        ("٣", "character"),
        ("１２", "character"),
        ("1.2.3", "character"),
        ("5\n", "character"),
        ("123456", "digits"),
        ("1.234", "decimals"),
        (" 5", "character"),
    ],
)
def test_what_is_wrong_with_a_number_is_named(text: str, problem: str) -> None:
    with pytest.raises(NotANumberError) as caught:
        parse_number(text, whole_digits=5, decimals=2)
    assert caught.value.problem == problem


@given(st.integers(0, 10**18 - 1))
def test_what_is_shown_reads_back_as_the_same_number(quanta: int) -> None:
    number = Fraction(quanta, 10**9)
    assert parse_number(plain(number)) == number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(355, 2000), "0.1775"),
        (Fraction(1, 3), "0.333333333"),
        (Fraction(-1, 700), "-0.00142857143"),
        (Fraction(10**12, 7), "142857142857"),
        (Fraction(5), "5"),
        (Fraction(0), "0"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(1, 2**20), "0.00000095367431640625"),
    ],
)
def test_plain_is_exact_where_it_can_be_and_else_significant(value: Fraction, shown: str) -> None:
    assert plain(value) == shown


def test_a_rounded_number_has_no_trailing_zero() -> None:
    assert rounded(Fraction(180, 100), 2) == "1.8"
    assert rounded(Fraction(1999, 1000), 2) == "2"


def test_quantities_are_typed_in_their_units() -> None:
    assert parse_mass_mcg("50") == Mass.mcg(50)
    assert parse_dose_mcg_per_day("62.5") == DoseRate.mcg_per_day(Fraction(125, 2))
    assert parse_volume_ml("18.6") == Volume.ml(Fraction(186, 10))
    assert parse_concentration_mcg_per_ml("2000") == Concentration.mcg_per_ml(2000)


def test_number_and_unit_never_break_apart() -> None:
    shown = [
        show_dose(DoseRate.mcg_per_day(355)),
        show_mass(Mass.mcg(50)),
        show_volume(Volume.ml(Fraction(186, 10))),
        show_concentration(Concentration.mcg_per_ml(2000)),
    ]
    assert shown == ["355\u00a0mcg/day", "50\u00a0mcg", "18.6\u00a0mL", "2000\u00a0mcg/mL"]
