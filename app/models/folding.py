"""Names folded for searching: ``Müller``, ``MUELLER`` and ``muller`` need not be told apart by whoever types.

Law: folding is for finding only; what is shown is always what was written.
"""

from __future__ import annotations

import unicodedata

_BY_HAND = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


def fold(text: str) -> str:
    """Lower case without accents, single spaces; letters that Unicode does not take apart are replaced by hand."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(bare.translate(_BY_HAND).split())
