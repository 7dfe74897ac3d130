"""A program on the drawing board as the window sees it: the value, its past, what it comes to, what the rules say.

Law: what is on the board is one immutable value; timeline, table and fields show it and hand back another one. Every
change goes through :meth:`ScheduleViewModel.edit` or :meth:`ScheduleViewModel.put`, so that every change can be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from PySide6.QtCore import QObject, Signal

from app.models.catalogue import PumpModel
from app.models.conversion import Mode, convert, mode_of
from app.models.edit_history import History
from app.models.editing import Place, item_at, items_of, replace_item, scale, shift
from app.models.errors import AppError
from app.models.formats import parse_number, plain, rounded, show_concentration
from app.models.patient import Implant, Role
from app.models.patient_day import DayPart
from app.models.presets import Preset
from app.models.program import Bolus, Flex, Program, Step
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, Mass
from app.models.records import ProgramRecord
from app.models.signed_order import OrderChangedError, SignedOrder
from app.models.titration import Setting
from app.services.prescribing import Reviewed, plan_of
from app.services.reasons import NO_REASONS, Reasons, require_reasons
from app.services.scheduling import Board, board_of
from app.services.therapy import Therapy
from app.services.workstation import Workstation
from app.ui.dates import show_day
from app.ui.error_texts import words_for
from app.ui.schedule.layers import Sources, Wish, layers_of, low_block, past_of, words_for_low_block
from app.ui.schedule.timeline_edits import NewItems
from app.ui.schedule.timeline_layout import Band, Layer


class ScheduleViewModel(QObject):
    """One patient's drawing board. ``board`` is ``None`` while there is nothing to design; ``why_not`` says why."""

    changed = Signal()
    """Another program, or another patient."""
    selectionChanged = Signal()
    said = Signal(str, bool)
    """Something to say, and whether it is an error."""
    recorded = Signal()
    """Something was saved, signed or withdrawn, or this is another patient."""

    def __init__(self, workstation: Workstation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workstation = workstation
        self.therapy: Therapy | None = None
        self.board: Board | None = None
        self.plan = 0
        self.wish, self.past = Wish(), tuple[ProgramRecord, ...]()
        self.day: tuple[Band, ...] = ()
        self.selected: tuple[Place, ...] = ()
        self._reasons: Reasons = NO_REASONS
        self._history: History[PumpSettings] | None = None

    # -- which patient ---------------------------------------------------------------------------------------

    def open(self, therapy: Therapy | None) -> None:
        """Begin with what runs in the patient's pump; a board that is already there for the same program stays."""
        same = self.therapy is not None and therapy is not None and self.therapy.patient.id == therapy.patient.id
        before, self.therapy = self.running, therapy
        running = self.running
        if not same or self._history is None or running != before:
            self.plan, self.selected = 0, ()
            self._history = History.of(running) if running is not None and not self.why_not else None
        implant = self.implant
        self.past = past_of(self.workstation.store.programs(implant.id)) if implant is not None else ()
        self.day = _bands(self.workstation.prescribing.patient_day(self.patient_id)) if self.patient_id else ()
        self._work_out()
        self.recorded.emit()

    @property
    def why_not(self) -> str:
        """Why there is nothing to design, as a sentence; empty if there is."""
        therapy = self.therapy
        if therapy is None:
            return self.tr("Choose a patient on the worklist first. The program of that pump is then shown here.")
        if therapy.implant is None or therapy.model is None:
            return self.tr("No pump is on record for {0}.").format(therapy.patient.name)
        if not therapy.telemetry:
            return self.tr("{0} runs at one flow and takes no program.").format(therapy.model.name)
        if therapy.settings is None:
            return self.tr("Nobody has written down what runs in this pump: interrogate it first.")
        return ""

    @property
    def patient_id(self) -> str:
        """Whose board it is; empty if nobody's."""
        return self.therapy.patient.id if self.therapy is not None else ""

    @property
    def running(self) -> PumpSettings | None:
        """What runs in the pump, as a design: without a bridge or a fill."""
        settings = self.therapy.settings if self.therapy is not None else None
        return plan_of(settings) if settings is not None else None

    @property
    def model(self) -> PumpModel | None:
        return self.therapy.model if self.therapy is not None else None

    @property
    def increment(self) -> Mass | None:
        """The pump's dose increment, if it is known."""
        return self.model.dose_increment if self.model is not None else None

    @property
    def new_items(self) -> NewItems:
        """What boluses and steps begin as when they are added."""
        rule = self.workstation.catalogue.rule
        minutes, dose = int(rule("schedule_new_bolus_min")), Mass.mcg(rule("schedule_new_bolus_mcg"))
        return NewItems(Bolus(at=0, dose=dose, duration_min=minutes), int(rule("schedule_new_step_min")))

    # -- the value ----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> PumpSettings | None:
        """What is on the board."""
        return self._history.now if self._history is not None else None

    @property
    def program(self) -> Program | None:
        return self._history.now.program if self._history is not None else None

    @property
    def concentrations(self) -> tuple[Concentration, ...]:
        """What the drug on the board is sold in, and what is on the board and in the pump, lowest first."""
        sides = [side for side in (self.settings, self.running) if side is not None]
        products = self.workstation.catalogue.drug(sides[0].drug).pump_concentrations if sides else ()
        return tuple(sorted({*products, *(side.concentration for side in sides)}))

    @property
    def mode(self) -> Mode | None:
        """How the program on the board delivers."""
        program = self.program
        return mode_of(program) if program is not None else None

    @property
    def presets(self) -> tuple[Preset, ...]:
        """Published programs to start from."""
        return self.workstation.presets

    @property
    def is_changed(self) -> bool:
        """Whether the board differs from what runs in the pump."""
        return self.board is not None and self.board.settings != self.running

    def edit(self, program: Program, words: str, joins: str | None = None) -> None:
        """Put another program on the board; ``words`` name the change, ``joins`` those that are undone together."""
        if self._history is not None:
            self.put(replace(self._history.now, program=program), words, joins)

    def put(self, settings: PumpSettings, words: str, joins: str | None = None) -> None:
        """Put other settings on the board: another concentration, or another version as it stands."""
        if self._history is None:
            return
        self._history = self._history.do(settings, words, joins=joins)
        self.said.emit("", False)
        self._work_out()

    def try_concentration(self, concentration: Concentration) -> None:
        """Keep the doses, and ask what they come to at another concentration."""
        if self._history is not None:
            words = self.tr("Concentration {0}").format(show_concentration(concentration))
            self.put(replace(self._history.now, concentration=concentration), words)

    def select(self, places: Sequence[Place]) -> None:
        """Choose items of the program."""
        if tuple(places) != self.selected:
            self.selected = tuple(places)
            self.selectionChanged.emit()

    @property
    def selected_item(self) -> Bolus | Step | None:
        """The one item that is chosen; none if several are."""
        if self.program is None or len(self.selected) != 1:
            return None
        return item_at(self.program, self.selected[0])

    def replace_selected(self, item: Bolus | Step, words: str) -> None:
        """Change the chosen item, and keep it chosen at its new place."""
        program, places = self.program, self.selected
        if program is None or len(places) != 1:
            return
        self.change_items(lambda: _with_place(replace_item(program, places[0], item)), words)

    def change_items(self, change: Callable[[], tuple[Program, tuple[Place, ...]]], words: str) -> None:
        """An edit that says where its items are afterwards."""
        found: list[tuple[Place, ...]] = []

        def made() -> Program:
            program, places = change()
            found.append(places)
            return program

        if self.attempt(made, words) and found:
            self.select(found[0])

    def show_plan(self, plan: int) -> None:
        """Show another group of days."""
        self.plan, self.selected = plan, ()
        self._work_out()

    def undo(self) -> None:
        if self._history is not None and self._history.may_undo:
            self._history = self._history.undo()
            self._work_out()

    def redo(self) -> None:
        if self._history is not None and self._history.may_redo:
            self._history = self._history.redo()
            self._work_out()

    @property
    def undo_words(self) -> str:
        """What undo would take back; empty if nothing."""
        return self._history.undo_words if self._history is not None and self._history.may_undo else ""

    @property
    def redo_words(self) -> str:
        """What redo would do again; empty if nothing."""
        return self._history.redo_words if self._history is not None and self._history.may_redo else ""

    # -- changes of the whole --------------------------------------------------------------------------------

    def start_from(self, preset: Preset) -> None:
        """Put a preset on the board; its citation is said, and nothing is signed by it."""
        self.edit(preset.program, self.tr("Start from {0}").format(preset.title))
        self.said.emit(preset.citation, False)

    def start_from_running(self) -> None:
        """Put what runs in the pump on the board again."""
        running = self.running
        if running is not None:
            self.edit(running.program, self.tr("Start from the pump"))

    def convert_to(self, mode: Mode) -> None:
        """Keep the daily dose and deliver it in another way."""
        settings, model = self.settings, self.model
        if settings is None or model is None:
            return
        self.attempt(
            lambda: convert(settings.program, mode, model, settings.concentration, increment=self.increment),
            self.tr("Convert to {0}").format(mode.value),
        )

    def scale_by(self, percent: Fraction) -> None:
        """Every dose and rate, so many per cent of what it is."""
        program = self.program
        if program is not None:
            self.attempt(
                lambda: scale(program, percent, increment=self.increment),
                self.tr("Scale to {0} %").format(plain(percent)),
            )

    def shift_by(self, minutes: int) -> None:
        """The whole schedule, later or earlier."""
        program = self.program
        if program is not None:
            self.attempt(lambda: shift(program, minutes), self.tr("Shift by {0} min").format(minutes))

    def attempt(self, change: Callable[[], Program], words: str, joins: str | None = None) -> bool:
        """Make a change if the model allows it; otherwise say why not, and change nothing."""
        try:
            made = change()
        except AppError as refused:
            self.said.emit(refusal_words(refused), True)
            return False
        self.edit(made, words, joins)
        return True

    # -- signing -----------------------------------------------------------------------------------------------

    @property
    def signer(self) -> str:
        """Who would sign."""
        return self.workstation.user.name

    @property
    def may_sign(self) -> bool:
        """Whether whoever works here is a physician."""
        return self.workstation.user.role is Role.PHYSICIAN

    @property
    def daily_dose(self) -> Fraction | None:
        """What is typed again before signing: the achieved daily dose, in mcg, as it is shown."""
        figures = self.board.figures if self.board is not None else None
        return parse_number(rounded(figures.achieved_daily / Mass.PER_MCG, 3)) if figures is not None else None

    def answer(self, reasons: Reasons) -> None:
        """Remember the reasons typed beside the rules."""
        self._reasons = reasons

    def review(self) -> Reviewed | None:
        """What would be signed, decoded from what would be sent; says why if that cannot be."""
        implant, board = self.implant, self.board
        if implant is None or board is None:
            return None
        try:
            reviewed = self.workstation.prescribing.review(implant, board.settings)
            require_reasons(reviewed.findings, self._reasons, self.workstation.catalogue)
        except AppError as error:
            self.said.emit(words_for(error), True)
            return None
        return reviewed

    def save_draft(self, name: str) -> str:
        """Keep the board under a name; returns what is wrong, or nothing."""
        implant, board = self.implant, self.board
        if implant is None or board is None:
            return self.why_not
        try:
            self.workstation.prescribing.save_draft(implant, name, board.settings, self.workstation.user)
        except AppError as error:
            return words_for(error)
        self.said.emit(self.tr("Saved as a draft: {0}.").format(name), False)
        self.recorded.emit()
        return ""

    def sign(self, reviewed: Reviewed, name: str, range_percent: Fraction, valid_until: date) -> str:
        """Sign just what was reviewed; returns what is wrong, or nothing."""
        implant, desk = self.implant, self.workstation.prescribing
        if implant is None:
            return self.why_not
        try:
            draft = desk.save_draft(implant, name, reviewed.settings, self.workstation.user)
            order = desk.sign(
                implant,
                draft,
                self.workstation.user,
                range_percent=range_percent,
                valid_until=valid_until,
                reasons=self._reasons,
            )
        except AppError as error:
            return words_for(error)
        self._work_out()
        self.said.emit(self.tr("Signed: {0}, valid until {1}.").format(order.name, show_day(order.valid_until)), False)
        self.recorded.emit()
        return ""

    def order_ended(self, order: SignedOrder) -> None:
        """An order was withdrawn: say so, and what stands now."""
        self._work_out()
        words = self.tr("Withdrawn: {0}. No order is in force; the pump goes on as it is.")
        self.said.emit(words.format(order.name), False)
        self.recorded.emit()

    @property
    def order(self) -> SignedOrder | None:
        """The order that counts today, if what is on the board is just that."""
        implant, board, therapy = self.implant, self.board, self.therapy
        if implant is None or board is None or therapy is None:
            return None
        try:
            order = self.workstation.prescribing.current_order(implant.id, therapy.at.date())
        except OrderChangedError:
            return None
        return order if order is not None and order.settings == board.settings else None

    @property
    def implant(self) -> Implant | None:
        """The patient's pump."""
        return self.therapy.implant if self.therapy is not None else None

    # -- layers ------------------------------------------------------------------------------------------------

    def layers(self) -> tuple[Layer, ...]:
        """What is drawn behind the items, as it is wished for."""
        board, running = self.board, self.running
        return layers_of(
            self.wish,
            Sources(
                running=running.program if running is not None and self.is_changed else None,
                past=self.past,
                presets=self.presets,
                day=self.day,
                course=board.figures.program.achieved if board is not None and board.figures is not None else None,
                catalogue=self.workstation.catalogue,
            ),
        )

    def show_layers(self, wish: Wish) -> None:
        """Draw other layers."""
        self.wish = wish
        self.changed.emit()

    def change_day(self, bands: Sequence[Band]) -> str:
        """Keep another day of this patient on record; returns what is wrong, or nothing."""
        if self.therapy is None:
            return self.why_not
        desk = self.workstation.prescribing
        try:
            parts = [DayPart(band.name, band.start, band.duration_min) for band in bands]
            desk.save_patient_day(self.patient_id, parts, self.workstation.user)
        except AppError as error:
            return words_for(error)
        self.day = _bands(desk.patient_day(self.patient_id))
        self.changed.emit()
        return ""

    @property
    def low_block(self) -> str:
        """What a low block on the board leaves of the level, in words; empty if there is none."""
        if self.program is None:
            return ""
        step = low_block(self.program, self.plan, self.selected)
        return words_for_low_block(step, self.workstation.catalogue) if step is not None else ""

    # -- what it comes to ------------------------------------------------------------------------------------

    def _work_out(self) -> None:
        therapy, settings = self.therapy, self.settings
        self.board = None
        if therapy is not None and settings is not None:
            self.board = board_of(therapy, settings, self.workstation.catalogue, setting=Setting.REFILL)
            self._keep_selection(settings.program)
        self.changed.emit()

    def _keep_selection(self, program: Program) -> None:
        """Items that are gone are not selected any more; a group of days that is gone is not shown."""
        there = {place for place, _ in items_of(program)} if isinstance(program.delivery, Flex) else set()
        self.selected = tuple(place for place in self.selected if place in there)
        plans = len(program.delivery.plans) if isinstance(program.delivery, Flex) else 1
        self.plan = min(self.plan, plans - 1)


MODE_NAMES: Mapping[Mode, str] = {
    Mode.SIMPLE: "simple continuous",
    Mode.FLEX: "flex",
    Mode.PERIODIC: "periodic bolus",
    Mode.MINIMUM: "minimum rate",
    Mode.STOPPED: "stopped",
}


def _bands(parts: Sequence[DayPart]) -> tuple[Band, ...]:
    return tuple(Band(part.name, part.start, part.duration_min) for part in parts)


def _with_place(made: tuple[Program, Place]) -> tuple[Program, tuple[Place, ...]]:
    return made[0], (made[1],)


_REFUSALS = {
    "overlap": "Move the steps apart: two of them would run at the same time.",
    "zero-length": "Give it a duration of at least 1 min.",
    "longer-than-a-day": "Keep it within 24 h.",
    "not-beside": "Choose two steps that follow each other.",
    "too-fine": "Choose another place: the two parts would be finer than the pump's increment.",
    "not-flex": "Convert the program to flex first: only flex has boluses and steps of its own.",
    "weekdays": "Each weekday belongs to exactly one group.",
    "not-a-time-of-day": "Type a time from 00:00 to 23:59.",
}


def refusal_words(refused: AppError) -> str:
    """Why an edit was refused, as what to do instead."""
    problem = str(refused.values.get("problem", type(refused).__name__))
    return _REFUSALS.get(problem, f"This cannot be done here: {problem}.")
