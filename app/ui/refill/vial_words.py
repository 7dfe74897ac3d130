"""What is said about a scan that was refused: first what to do, then why.

Law: one text for each problem; a text uses only values that the refusal carries.
"""

from __future__ import annotations

from types import MappingProxyType

from app.models.vial import ScanProblem, ScanRefusedError

_WORDS = MappingProxyType(
    {
        ScanProblem.EMPTY: "Scan again: nothing arrived.",
        ScanProblem.CAPS_LOCK: "Switch Caps Lock off and scan again: capitals and small letters came swapped.",
        ScanProblem.NOT_GS1: "Scan the square code of the vial or its carton: this is no GS1 code, or not whole.",
        ScanProblem.CONTRADICTION: "Put this vial aside: its code says two different things (part {part}).",
        ScanProblem.NO_GTIN: "Scan another code of this vial, or type the label: this one has no product number.",
        ScanProblem.CHECK_DIGIT: "Scan again: the check digit of product number {gtin} is wrong.",
        ScanProblem.NO_EXPIRY: (
            "Scan another code of this vial, or type the label: this one has no expiry date, or the scanner drops the "
            "separator (ASCII 29)."
        ),
        ScanProblem.BAD_EXPIRY: "Put this vial aside: its code gives {written} as expiry, which is no day.",
        ScanProblem.NO_LOT: "Scan another code of this vial, or type the label: this one has no lot.",
    }
)


def words_of(refused: ScanRefusedError) -> str:
    """The sentence for a scan that was refused."""
    return _WORDS[refused.problem].format(**refused.values)
