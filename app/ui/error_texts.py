"""What went wrong, in the words of the user's task: first what to do, then why.

Law: every error that a page can meet has its sentence here; one that has none is shown by its name, never hidden.
"""

from __future__ import annotations

from collections.abc import Callable

from app.models.errors import AppError
from app.models.pump import CableProblem

_Sentence = Callable[[dict[str, object]], str]

_SENTENCES: dict[str, _Sentence] = {
    "LinkLostError": lambda v: f"{_why_lost(v)} Nothing has been changed by this.",
    "CommandUncertainError": lambda v: "Ask the pump again: an order was sent and no answer came.",
    "WrongPumpError": lambda v: (
        "Stop: this is not the patient's pump. "
        + (f"On record: {v['expected']}; at" if v.get("expected") else "At")
        + f" the end of the cable: {v.get('found', 'a pump with another key')}."
    ),
    "StaleBaseError": lambda v: (
        "Interrogate the pump again: its settings have changed since they were reviewed. Nothing was sent."
    ),
    "ReadBackDiffersError": lambda v: (
        f"Go back and check the settings: the pump read back something else ({v.get('fields', '')}). "
        "The old program keeps running."
    ),
    "PumpRefusedError": lambda v: (
        f"The pump refused: {v.get('reason', 'no reason given')}. The old program keeps running."
    ),
    "OrderInDoubtError": lambda v: "Ask the pump first: the result of an earlier order is not known.",
    "NotRepresentableError": lambda v: (
        f"Type a coarser value for {v.get('field', 'this setting')}: it is too fine for this pump."
    ),
    "EnginesDisagreeError": lambda v: (
        "Stop and report this: the two independent calculations do not agree "
        f"({v.get('figures', '')}). Nothing was sent."
    ),
    "NoPathVolumeError": lambda v: (
        "Enter the catheter's trimmed length in the implant record first: without it no bridge bolus can be worked out."
    ),
    "NoPumpError": lambda v: "No pump is on record for this patient.",
    "NoCourseError": lambda v: f"Change the program: this pump cannot run it ({v.get('problem', '')}).",
    "BlockedError": lambda v: f"This cannot go on: {v.get('rules', '')} forbids it.",
    "ReasonMissingError": lambda v: (
        f"Give a reason for going on in spite of {v.get('rules', '')}: at least {v.get('shortest', '')} characters, "
        "and not just one repeated."
    ),
    "ReasonTooThinError": lambda v: (
        f"Write it in words: at least {v.get('shortest', '')} characters, and not just one repeated."
    ),
    "SecondCheckMissingError": lambda v: (
        "Have a second person check the settings: nobody has, or it was too long ago. Nothing was sent."
    ),
    "SamePersonError": lambda v: (
        "Ask somebody else: whoever read the label, filled or chose the settings cannot check them."
    ),
    "CheckEndedError": lambda v: "Go back and review the settings again: too many entries differed.",
    "SomebodyWasThereError": lambda v: "Settle the difference first: a second person has typed something else.",
    "SettingsChangedError": lambda v: "Go back and review the settings again: they have changed meanwhile.",
    "TaskDoneError": lambda v: "Nothing is left to do: this task has been done before.",
    "OrderChangedError": lambda v: (
        "Sign a new order: one on record is not what was signed, and until then no order of this pump counts."
    ),
    "AlreadySignedError": lambda v: "Change something first: just this has been signed, and it is in force.",
    "AlreadyWithdrawnError": lambda v: "Nothing is left to do: this order has been withdrawn before.",
    "NotAPhysicianError": lambda v: "Ask a physician: only a physician on record may do this.",
    "PresetNameTakenError": lambda v: f"Give it another name: there is a preset “{v.get('name', '')}” already.",
    "PresetRetiredError": lambda v: "Nothing is left to do: this preset has been retired before.",
    "ImpossiblePhoneError": lambda v: "Type a telephone number: one line with three digits or more.",
    "PhoneNotKeptError": lambda v: f"The number could not be kept in {v.get('file', '')}: {v.get('problem', '')}.",
    "NoTherapyError": lambda v: "Do the first refill first: nothing is on record yet that a card could say.",
    "FactsOldError": lambda v: (
        f"Say first what has really been done: nobody has gone on with this visit for more than {v['minutes']} min."
    ),
    "OpenCardsError": lambda v: (
        "Settle what the pump's events ask first: until then this step is held up. The cards say what settles each."
    ),
    "CardGoneError": lambda v: "Look again: this has changed meanwhile, and the cards have been drawn anew.",
    "NotBySayingError": lambda v: "Do what the card says: no reason settles this one.",
    "PhysicianNeededError": lambda v: "Call a physician: this is not a nurse's to decide.",
    "SecondPersonNeededError": lambda v: "Ask a second person: nobody goes past a stop alone.",
    "NothingToReconcileError": lambda v: "Nothing is left to take over: record and pump agree, or the pump was reset.",
    "ScanAlreadyPlannedError": lambda v: "Finish the scan that is open first: this pump is still to be read for it.",
    "NoScanError": lambda v: "Note a new scan: this one is over, or was cancelled.",
    "NotYetError": lambda v: "Type a moment that has passed: this one lies ahead.",
    "ImpossibleSerialError": lambda v: (
        "Type the whole serial number as it is printed: four letters, digits or hyphens or more."
    ),
    "OtherPumpError": lambda v: (
        f"Check the number and the cable: the pump that answers is not {v.get('typed', 'the one that was typed')}."
    ),
    "SerialOnRecordError": lambda v: (
        "Check the serial number: this pump is on record for this patient already."
        if v.get("whose") == "this"
        else "Stop and check who is in the room: this pump is on record for another patient."
    ),
    "UnknownModelError": lambda v: (
        f"Do not program this pump: its model, {v.get('model') or 'none'}, is not one that this program knows. "
        "It may be read, and no more."
    ),
    "ImpossibleImplantError": lambda v: _IMPLANT[str(v.get("problem"))].format(**v),
    "OldPumpInDoubtError": lambda v: (
        f"Ask the old pump first, {v.get('serial', '')}: the result of an order to it is not known."
    ),
    "WrongStepError": lambda v: "This visit has moved on meanwhile. Go back to the worklist and open it again.",
}


_LOST: dict[object, str] = {
    CableProblem.NOT_THERE: "Plug the adapter in, or choose another port in Settings: {port} is not there.",
    CableProblem.BUSY: "Close the other program that uses {port}, then try again: the port is taken.",
    CableProblem.FORBIDDEN: "Ask for the right to use {port}: this user may not open it.",
    CableProblem.UNPLUGGED: "Plug the adapter in again, then try again: {port} has gone.",
    CableProblem.HUNG: "Unplug the adapter, plug it in and try again: the driver of {port} hangs, and was given up.",
    CableProblem.SILENT: "Check the cable, and that the pump is on and in reach: nothing answers at {port}.",
    CableProblem.SLOW: "Check the cable, then try again: the pump's answer did not arrive complete at {port}.",
    CableProblem.NOISE: "Check what is connected: what answers at {port} is no pump, or speaks at another speed.",
}


_IMPLANT: dict[str, str] = {
    "future": "Type the day of the implantation: this one lies ahead.",
    "before-old": "Check the day: the old pump was implanted later than that.",
    "before-fill": "Check the day: the old pump was still filled after it.",
    "catheter-unknown": "Choose the catheter from the list: {model} is not in the catalogue.",
    "trimmed": "Check what was cut off: the whole catheter {model} is shorter than that.",
}


def _why_lost(values: dict[str, object]) -> str:
    """What to do about a cable, by what is wrong with it."""
    port = str(values.get("port") or "the port")
    words = _LOST.get(values.get("problem"), "Check the cable and try again: the pump does not answer.")
    return words.format(port=port)


def words_for(error: Exception) -> str:
    """The sentence for an error."""
    values = error.values if isinstance(error, AppError) else {}
    sentence = _SENTENCES.get(type(error).__name__)
    return sentence(values) if sentence else f"Something unexpected happened: {type(error).__name__}. {error}"
