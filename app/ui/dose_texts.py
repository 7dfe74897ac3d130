"""What a dose field says, and why a text cannot become a number.

Law: a sentence first says what to do. The grammar itself is in :mod:`app.models.formats`; here it only
learns to wait for the digit after a point.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.models import formats

COMMAS = (",", "\u066b")

_SENTENCES = {
    "again": "Is %2 right? Press Enter again to keep it, or correct it.",
    "bounce": "%1 came twice at once. Is %2 right? Press Enter, or correct it.",
    "character": "Only the digits 0 to 9 and one point fit here.",
    "comma": "Use a point.",
    "decimals": "At most %1 digits after the point.",
    "decimals-0": "Whole numbers only, without a point.",
    "decimals-1": "At most one digit after the point.",
    "digits": "At most %1 digits before the point.",
    "go-on": "Press Backspace to go on.",
    "held": "The key was held down. It counts once.",
    "leading-point": "Type 0 first, then the point.",
    "leading-zero": "After a 0 at the start comes a point.",
    "paste": "That is not a number like 12.5. Nothing was pasted.",
    "second-point": "There is a point already.",
    "trailing-point": "Finish the number: after the point comes a digit.",
    "undo": "Nothing is undone here. Type the number again.",
}


def sentence(problem: str, **values: str | int) -> str:
    """The sentence for a problem, with its values put in."""
    text = QCoreApplication.translate("DoseField", _SENTENCES[problem])
    for mark, name in (("%1", "first"), ("%2", "second")):
        text = text.replace(mark, str(values.get(name, "")))
    return text


def grammar_sentence(problem: str, *, whole_digits: int, decimals: int) -> str:
    """The sentence for a problem that :func:`typing_problem` found."""
    if problem == "decimals" and decimals < 2:
        problem = f"decimals-{decimals}"
    return sentence(problem, first=whole_digits if problem == "digits" else decimals)


def typing_problem(typed: str, result: str, *, whole_digits: int, decimals: int) -> str:
    """Why ``result``, which comes of having ``typed`` something, cannot become a number; empty if it can."""
    if not decimals and typed in (*COMMAS, "."):
        return "decimals"
    if typed in (*COMMAS, ".") and result.count(".") > (typed == "."):
        return "second-point"
    if typed in COMMAS:
        return "comma" if result[0].isdigit() else "leading-point"
    problem = formats.number_problem(result, whole_digits=whole_digits, decimals=decimals)
    return "" if problem in (None, "trailing-point") else str(problem)
