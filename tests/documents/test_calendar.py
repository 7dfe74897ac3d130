"""Calendar files, read back by a reader of their own that allows nothing which RFC 5545 does not."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.calendar import calendar_text, write_calendar
from app.models.calendar_entry import CalendarEntry, CalendarNotWrittenError

AT = datetime(2026, 11, 20, 10, 30, 5, tzinfo=timezone(timedelta(hours=2)))


def read(raw: bytes) -> list[dict[str, str]]:
    """The events of a file, by property with its parameters; text values unescaped. Fails where the RFC is broken."""
    assert raw.endswith(b"\r\n") and b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    for octets in raw.split(b"\r\n"):
        assert len(octets) <= 75
        octets.decode()
    lines = re.sub(rb"\r\n ", b"", raw).decode().split("\r\n")[:-1]
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-1] == "END:VCALENDAR"
    assert "VERSION:2.0" in lines and any(line.startswith("PRODID:") for line in lines)
    events: list[dict[str, str]] = []
    inside = False
    for line in lines[1:-1]:
        name, _, value = line.partition(":")
        assert re.fullmatch(r"[A-Z-]+(;[A-Z-]+=[A-Z-]+)*", name), line
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
        if line == "BEGIN:VEVENT":
            assert not inside
            inside = True
            events.append({})
        elif line == "END:VEVENT":
            assert inside and {"UID", "DTSTAMP"} <= events[-1].keys()
            inside = False
        elif inside:
            assert name not in events[-1], "each property once"
            events[-1][name] = unescaped(value) if name in ("SUMMARY", "DESCRIPTION", "UID") else value
    assert not inside
    return events


def unescaped(value: str) -> str:
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,n])*", value, re.DOTALL), value
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)


def test_a_day_is_a_whole_day_and_the_year_ends_well() -> None:
    (event,) = read(calendar_text([CalendarEntry("a", date(2027, 12, 31), "Refill")], AT).encode())
    assert event["DTSTART;VALUE=DATE"] == "20271231" and event["DTEND;VALUE=DATE"] == "20280101"
    assert event["DTSTAMP"] == "20261120T083005Z", "in UTC"
    assert "DESCRIPTION" not in event


def test_a_leap_day_is_followed_by_march() -> None:
    (event,) = read(calendar_text([CalendarEntry("a", date(2028, 2, 28), "Refill")], AT).encode())
    assert event["DTEND;VALUE=DATE"] == "20280229"


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from(",;\\\n"), max_size=200)


@given(TEXTS.filter(bool), TEXTS, st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)))
def test_any_text_comes_back_as_it_was(summary: str, description: str, on: date) -> None:
    entries = [CalendarEntry("one", on, summary, description), CalendarEntry("two", on, "x")]
    first, second = read(calendar_text(entries, AT).encode())
    assert (first["SUMMARY"], first.get("DESCRIPTION", "")) == (summary, description)
    assert first["UID"] != second["UID"]
    assert first["DTSTART;VALUE=DATE"] == f"{on:%Y%m%d}".zfill(8)


def test_control_characters_do_not_break_the_file() -> None:
    (event,) = read(calendar_text([CalendarEntry("a", date(2027, 1, 1), "a\x00b\x07\r\nc\rd")], AT).encode())
    assert event["SUMMARY"] == "ab\nc\nd"


def test_a_file_is_replaced_as_a_whole_or_an_error_names_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dates.ics"
    write_calendar([CalendarEntry("a", date(2027, 1, 1), "Refill")], path, AT.astimezone(UTC))
    assert read(path.read_bytes())[0]["SUMMARY"] == "Refill"
    assert [found.name for found in path.parent.iterdir()] == ["dates.ics"]
    with pytest.raises(CalendarNotWrittenError) as raised:
        write_calendar([], path / "below-a-file.ics", AT)
    assert raised.value.values["file"] == str(path / "below-a-file.ics")
