"""Texts of scans: each becomes its vial, or says what is missing."""

from __future__ import annotations

import calendar
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.catalogue import load_catalogue
from app.documents.gs1 import GROUP_SEPARATOR as GS
from app.documents.gs1 import read_scan
from app.documents.products import load_products
from app.models.vial import ScannedVial, ScanProblem, ScanRefusedError

TODAY = date(2026, 11, 21)
PRODUCTS = load_products(load_catalogue())
GTIN = "00370121250319"
VIAL = ScannedVial(GTIN, "AB12", date(2027, 12, 31), "S001", PRODUCTS[GTIN])
DATA = f"01{GTIN}1727123110AB12{GS}21S001"


@pytest.mark.parametrize(
    "text",
    [
        DATA,
        f"]d2{DATA}",
        f"]d8{DATA}",
        f"]C1{DATA}",
        f"]d2{GS}{DATA}",
        f"{DATA}\r\n",
        f"{DATA}\t",
        f"{DATA}{GS}",
        f"01{GTIN}21S001{GS}10AB12{GS}17271231",
        f"01{GTIN}21S001{GS}17271231" + "10AB12",
        f"10AB12{GS}21S001{GS}01{GTIN}17271231",
        f"01{GTIN}112401011727123110AB12{GS}21S001",
        *(DATA.replace(GS, typed) for typed in "|~^¦"),
        f"01{GTIN}172712310110AB12".replace("0110", "10") + f"{GS}21S001",
        f"01{GTIN}1727123110AB12{GS}21S001{GS}10AB12",
    ],
)
def test_a_code_becomes_its_vial_however_the_scanner_sends_it(text: str) -> None:
    assert read_scan(text, PRODUCTS, TODAY) == VIAL


@pytest.mark.parametrize("typed", ["<GS>", "{GS}", "\\x1d", "#"])
def test_a_scanner_may_send_a_configured_separator(typed: str) -> None:
    assert read_scan(DATA.replace(GS, typed), PRODUCTS, TODAY, separator=typed) == VIAL


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ScanProblem.EMPTY),
        (" \r\n", ScanProblem.EMPTY),
        ("]d2", ScanProblem.EMPTY),
        (GS, ScanProblem.EMPTY),
        ("hello", ScanProblem.NOT_GS1),
        (f"]d1{DATA}", ScanProblem.NOT_GS1),
        (f"]E0{DATA}", ScanProblem.NOT_GS1),
        (f"(01){GTIN}(17)271231(10)AB12", ScanProblem.NOT_GS1),
        (f"01{GTIN[:-1]}", ScanProblem.NOT_GS1),
        (f"01{GTIN}17271331", ScanProblem.NOT_GS1),
        (f"]D2{DATA.lower()}", ScanProblem.CAPS_LOCK),
        ("1727123110AB12", ScanProblem.NO_GTIN),
        (f"02{GTIN}1727123110AB12{GS}371", ScanProblem.NO_GTIN),
        (f"01{GTIN[:-1]}81727123110AB12", ScanProblem.CHECK_DIGIT),
        (f"01003701212503291727123110AB12{GS}21S001", ScanProblem.CHECK_DIGIT),
        (f"01{GTIN}10AB12{GS}21S001", ScanProblem.NO_EXPIRY),
        (f"01{GTIN}10AB1217271231", ScanProblem.NO_EXPIRY),
        (f"01{GTIN}1727023010AB12", ScanProblem.BAD_EXPIRY),
        (f"01{GTIN}1727003110AB12", ScanProblem.BAD_EXPIRY),
        (f"01{GTIN}1727000010AB12", ScanProblem.BAD_EXPIRY),
        (f"01{GTIN}1727123121S001", ScanProblem.NO_LOT),
        (f"01{GTIN}1727123110AB12{GS}17281231", ScanProblem.CONTRADICTION),
        (f"01{GTIN}1727123110AB12{GS}0100370121250227", ScanProblem.CONTRADICTION),
        (f"01{GTIN}1727123110AB12{GS}10AB13", ScanProblem.CONTRADICTION),
    ],
)
def test_what_is_no_vial_says_what_is_missing(text: str, problem: ScanProblem) -> None:
    with pytest.raises(ScanRefusedError) as refused:
        read_scan(text, PRODUCTS, TODAY)
    assert refused.value.problem is problem


def test_a_wrong_check_digit_says_which_one_it_should_be() -> None:
    with pytest.raises(ScanRefusedError) as refused:
        read_scan(f"01{GTIN[:-1]}01727123110AB12", PRODUCTS, TODAY)
    assert refused.value.values["expected"] == "9"


def test_a_product_that_is_not_listed_is_no_error() -> None:
    vial = read_scan("0104006381333931" + "1727123110AB12", PRODUCTS, TODAY)
    assert (vial.gtin, vial.product, vial.serial) == ("04006381333931", None, None)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("270200", date(2027, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("280229", date(2028, 2, 29)),
        ("261200", date(2026, 12, 31)),
        ("261121", date(2026, 11, 21)),
        ("760101", date(2076, 1, 1)),
        ("770101", date(1977, 1, 1)),
        ("000101", date(2000, 1, 1)),
    ],
)
def test_the_last_day_of_use(written: str, day: date) -> None:
    assert read_scan(f"01{GTIN}17{written}10A", PRODUCTS, TODAY).expires_on == day


def test_the_century_turns_with_the_year_of_today() -> None:
    text = f"01{GTIN}1702123110A"
    assert read_scan(text, PRODUCTS, date(2051, 1, 1)).expires_on == date(2002, 12, 31)
    assert read_scan(text, PRODUCTS, date(2052, 1, 1)).expires_on == date(2102, 12, 31)


@given(st.dates(date(2000, 1, 1), date(2049, 12, 31)), st.booleans())
def test_days_are_those_of_biip(day: date, whole_month: bool) -> None:
    import biip

    written = f"{day:%y%m}00" if whole_month else f"{day:%y%m%d}"
    text = f"01{GTIN}17{written}10A"
    expected = day.replace(day=calendar.monthrange(day.year, day.month)[1]) if whole_month else day
    assert read_scan(text, {}, date(2025, 6, 1)).expires_on == expected
    message = biip.parse(text).gs1_message
    assert message is not None and message.element_strings[1].date == expected


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_text_is_a_vial_or_refused_and_nothing_else(text: str) -> None:
    for candidate in (text, f"01{GTIN}17271231{text}", f"]d2{text}"):
        try:
            vial = read_scan(candidate, PRODUCTS, TODAY)
        except ScanRefusedError:
            continue
        assert vial.lot and len(vial.gtin) == 14
