"""The text of a scan becomes a vial, or an error that says what is missing.

Law: nothing is guessed and nothing is completed; a part that is missing, broken or there twice with two values refuses
the whole scan.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date

from app.models.vial import Product, ScannedVial, ScanProblem, ScanRefusedError, check_digit

GROUP_SEPARATOR = "\x1d"
# What scanners are set to type for the separator where they cannot type a control character. None of these may occur
# in the data themselves (GS1 General Specifications, character set 82).
_STAND_INS = "|~^¦"
_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_GS1_IDENTIFIERS = frozenset({"]d2", "]d8", "]C1", "]Q3"})
_GTIN, _LOT, _EXPIRY, _SERIAL = "01", "10", "17", "21"


def read_scan(text: str, products: Mapping[str, Product], today: date, *, separator: str = "") -> ScannedVial:
    """The vial that a GS1 code describes.

    Args:
        text: as the scanner sent it, with or without symbology identifier (``]d2``) and line end.
        products: known products by GTIN; another one is no error, the vial's product is then ``None``.
        today: tells the century of the expiry's two digits (GS1: 49 years back to 50 years on).
        separator: what this scanner sends in place of ASCII 29, where it is neither that nor one of ``| ~ ^ ¦``.

    Raises:
        ScanRefusedError: with the first problem found.
    """
    parts = _parts(_message(text, separator))
    gtin = _gtin(parts)
    expires_on = _expiry(parts, today)
    if _LOT not in parts:
        raise ScanRefusedError(problem=ScanProblem.NO_LOT, gtin=gtin)
    return ScannedVial(gtin, parts[_LOT], expires_on, parts.get(_SERIAL), products.get(gtin))


def _message(text: str, separator: str) -> str:
    """The data without identifier, with ASCII 29 between the parts."""
    text = text.strip(" \t\r\n")
    if separator:
        text = text.replace(separator, GROUP_SEPARATOR)
    identifier = _IDENTIFIER.match(text)
    if identifier is not None:
        _require_gs1(identifier[0])
        text = text[identifier.end() :]
    text = re.sub(f"[{re.escape(_STAND_INS)}]", GROUP_SEPARATOR, text).strip(GROUP_SEPARATOR)
    if not text:
        raise ScanRefusedError(problem=ScanProblem.EMPTY)
    return text


def _require_gs1(identifier: str) -> None:
    if identifier in _GS1_IDENTIFIERS:
        return
    turned = identifier.swapcase() in _GS1_IDENTIFIERS
    raise ScanRefusedError(problem=ScanProblem.CAPS_LOCK if turned else ScanProblem.NOT_GS1, identifier=identifier)


def _parts(message: str) -> dict[str, str]:
    """Value by application identifier."""
    from biip import ParseConfig, ParseError
    from biip.gs1_messages import GS1Message

    try:
        parsed = GS1Message.parse(message, config=ParseConfig(gs1_element_strings_verify_date=False))
    except ParseError:
        raise ScanRefusedError(problem=ScanProblem.NOT_GS1) from None
    parts: dict[str, str] = {}
    for element in parsed.element_strings:
        code = element.ai.ai
        if parts.setdefault(code, element.value) != element.value:
            raise ScanRefusedError(problem=ScanProblem.CONTRADICTION, part=code)
    return parts


def _gtin(parts: Mapping[str, str]) -> str:
    gtin = parts.get(_GTIN)
    if gtin is None:
        raise ScanRefusedError(problem=ScanProblem.NO_GTIN)
    expected = check_digit(gtin[:-1])
    if gtin[-1] != expected:
        raise ScanRefusedError(problem=ScanProblem.CHECK_DIGIT, gtin=gtin, expected=expected)
    return gtin


def _expiry(parts: Mapping[str, str], today: date) -> date:
    """The last day of use; day 00 is the last of the month."""
    written = parts.get(_EXPIRY)
    if written is None:
        raise ScanRefusedError(problem=ScanProblem.NO_EXPIRY)
    year, month, day = int(written[:2]), int(written[2:4]), int(written[4:])
    year += today.year - today.year % 100
    if year - today.year > 50:
        year -= 100
    elif today.year - year > 49:
        year += 100
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        raise ScanRefusedError(problem=ScanProblem.BAD_EXPIRY, written=written) from None
