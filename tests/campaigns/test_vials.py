"""A short run of the vials campaign, and proof that it sees a wrong read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.device.vial_image import texts_in
from tests.campaigns import vials

SHORT = range(len(vials.KINDS) * 4)


def test_nothing_is_read_wrongly_and_whatever_is_undamaged_is_read() -> None:
    tallies = vials.check(2, SHORT)
    assert [text for tally in tallies.values() for text in tally.wrong] == []
    for kind in ("undamaged", "rotated", "two vials", "not GS1", "no code"):
        assert tallies[kind].read == tallies[kind].drawn == 4, kind
    assert tallies["noisy"].read > 0


def test_a_picture_is_the_same_whenever_it_is_drawn() -> None:
    assert vials.picture(3, 10)[2] == vials.picture(3, 10)[2]
    assert vials.picture(3, 10)[2] != vials.picture(4, 10)[2]


def test_a_text_that_was_not_drawn_is_seen() -> None:
    _kind, labels, grey = vials.picture(2, 0)
    (text,) = texts_in(grey)
    assert vials.misreads(labels, (text,)) == []
    assert vials.misreads(labels, (text[:-1] + "?",))
    assert vials.misreads(labels, ("]d1" + text[3:],))
    assert vials.misreads([], (text,))


def test_a_text_that_becomes_another_vial_is_seen() -> None:
    _kind, labels, grey = vials.picture(2, 0)
    (one,) = labels
    assert one.vial is not None
    other = replace(one, vial=replace(one.vial, expires_on=one.vial.expires_on + timedelta(days=1)))
    assert vials.misreads([other], texts_in(grey))
