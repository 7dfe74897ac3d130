"""What the timeline says: an item in words, an edit in words, a refusal as what to do instead, the keys.

Law: every number in a sentence is exact; times are those of the pump's own clock.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.models.comparison import clock
from app.models.editing import EditRefusedError, Item
from app.models.formats import plain, show_mass, with_unit
from app.models.program import Bolus
from app.models.quantities import MINUTES_PER_DAY

_REFUSALS = {
    "overlap": "Move the steps apart: two of them would run at the same time.",
    "zero-length": "Leave each part at least 1 min.",
    "longer-than-a-day": "Keep it within 24 h.",
    "not-beside": "Choose two steps of which the second begins where the first ends.",
    "too-fine": "Choose another place: the two parts would be finer than the pump's increment.",
    "not-flex": "Convert the program to flex first: only flex has boluses and steps of its own.",
    "not-a-step": "Choose a step: a bolus is neither split nor merged.",
    "weekdays": "Stay within the day: other days have a schedule of their own.",
    "not-a-time-of-day": "Type a time from 00:00 to 23:59.",
    "nothing-chosen": "Choose a bolus or a step first, with the arrow keys or the mouse.",
    "nothing-copied": "Copy a bolus or a step first.",
}

_KEYS = (
    ("←  →", "Previous or next item; with Ctrl the time cursor instead"),
    ("Home  End", "First or last item"),
    ("Alt+←  Alt+→", "Earlier or later by one line of the grid; with Shift by 1 min"),
    ("Shift+←  Shift+→", "Shorter or longer by one line of the grid; with Ctrl at the start"),
    ("Shift+↑  Shift+↓", "Longer or shorter by 1 min; with Ctrl at the start"),
    ("↑  ↓", "More or less by one increment; Page Up and Page Down by ten"),
    ("0 to 9", "Type the time: of the selection, or of the cursor if nothing is selected"),
    ("B or Insert, S", "Add a bolus or a step at the cursor"),
    ("D or Ctrl+D", "Duplicate behind itself"),
    ("Ctrl+C, Ctrl+X, Ctrl+V", "Copy, cut, paste at the cursor"),
    ("Ctrl+K", "Split a step in the middle; with Shift at a typed time"),
    ("Ctrl+M", "Merge a step with the next one"),
    ("Delete", "Delete"),
    ("Ctrl+A, Esc", "Select all, or nothing; Esc also takes back a drag"),
    ("Alt while dragging", "By 1 min and by one increment instead of the grid"),
)


def say(text: str, *values: object) -> str:
    """A translated text with its values put in."""
    return QCoreApplication.translate("Timeline", text).format(*values)


def refusal(refused: EditRefusedError) -> str:
    """Why an edit was refused, as what to do instead."""
    problem = str(refused.values.get("problem", ""))
    return say(_REFUSALS[problem]) if problem in _REFUSALS else say("This cannot be done here: {0}.", problem)


def refusal_of(problem: str) -> str:
    """The sentence for a problem that was found before the model was asked."""
    return say(_REFUSALS[problem])


def keys() -> str:
    """One line a key."""
    return "\n".join(f"{key}\t{say(meaning)}" for key, meaning in _KEYS)


def kind_of(item: Item) -> str:
    return say("Bolus") if isinstance(item, Bolus) else say("Step")


def times_of(item: Item) -> str:
    """``07:00`` of a bolus, ``08:00–10:30`` of a step."""
    if isinstance(item, Bolus):
        return clock(item.at)
    return f"{clock(item.at)}–{clock((item.at + item.duration_min) % MINUTES_PER_DAY)}"


def rate_of(item: Item) -> str:
    """The mean rate while it lasts."""
    if not item.duration_min:
        return ""
    return with_unit(plain(item.dose.in_mcg * 60 / item.duration_min, significant=5), "mcg/h")


def minutes(count: int) -> str:
    return with_unit(str(count), "min")


def described(item: Item, *, number: int, count: int) -> str:
    """``Bolus 50 mcg at 07:00, 5 min, 3 of 13``."""
    dose = with_unit(plain(item.dose.in_mcg), "mcg")
    if isinstance(item, Bolus):
        return say("Bolus {0} at {1}, {2}, {3} of {4}", dose, clock(item.at), minutes(item.duration_min), number, count)
    return say("Step {0} from {1}, {2}, {3} of {4}", dose, times_of(item), rate_of(item), number, count)


def dragging(item: Item) -> tuple[str, ...]:
    """What stands beside the pointer: exact time, exact dose, what that comes to."""
    dose = with_unit(plain(item.dose.in_mcg), "mcg")
    return (say("{0}, {1}", times_of(item), minutes(item.duration_min)), f"{dose}  =  {rate_of(item)}")


def edit_words(verb: str, items: list[Item]) -> str:
    """``Move bolus to 07:05``; with several items only their number. ``verb`` is one of the keys below."""
    one, many = _EDITS[verb]
    if len(items) != 1:
        return say(many, len(items))
    item = items[0]
    return say(one, kind_of(item).lower(), times_of(item), show_mass(item.dose), minutes(item.duration_min))


_EDITS = {
    "move": ("Move {0} to {1}", "Move {0} items"),
    "dose": ("Set {0} at {1} to {2}", "Change {0} doses"),
    "resize": ("Make {0} at {1} last {3}", "Change {0} durations"),
    "add": ("Add {0} at {1}", "Add {0} items"),
    "delete": ("Delete {0} at {1}", "Delete {0} items"),
    "cut": ("Cut {0} at {1}", "Cut {0} items"),
    "paste": ("Paste {0} at {1}", "Paste {0} items"),
    "duplicate": ("Duplicate {0} to {1}", "Duplicate {0} items"),
    "merge": ("Merge steps to {1}", "Merge steps"),
    "split": ("Split {0}", "Split a step into {0}"),
}
