"""The pages before the needle: who is in the room, and what the pump says.

Law: two identifiers are typed anew each time a visit is opened, also after an interruption.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.models.comparison import sentence_of
from app.models.formats import show_volume
from app.models.refill_visit import PumpReading, Step, VisitPlace
from app.ui.dates import DAY_HINT, parse_day, show_moment
from app.ui.form import FieldRow, add_field
from app.ui.refill.events_panel import EventsPanel
from app.ui.refill.events_view_model import EventsViewModel
from app.ui.refill.new_pump_dialog import NewPumpDialog
from app.ui.refill.step_page import StepPage
from app.ui.refill.view_model import RefillViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class IdentifyPage(StepPage):
    """Number and date of birth."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Who is in the room?"), self.tr("&Open the visit"), side=False)
        self.number, self.born = QLineEdit(), QLineEdit()
        self._number_row = self._field(self.tr("Clinic &number"), self.number, self.tr("From the wristband or card."))
        self._born_row = self._field(self.tr("&Date of birth"), self.born, DAY_HINT)
        self.place = QComboBox()
        for place, words in (
            (VisitPlace.CLINIC, self.tr("in the clinic")),
            (VisitPlace.WARD, self.tr("on a ward")),
            (VisitPlace.HOME, self.tr("at home")),
        ):
            self.place.addItem(words, place.value)
        self.place.setMaximumWidth(40 * unit())
        self._place_row = add_field(self.fields, self.tr("Where the patient &is"), self.place)
        self._alike = QLabel()
        self._alike.setWordWrap(True)
        self._alike.setTextFormat(Qt.TextFormat.PlainText)
        self.fields.addWidget(self._alike)
        self.back.setText(self.tr("Leave this visit"))
        self.back.clicked.disconnect()
        self.back.clicked.connect(self._leave)
        self.number.returnPressed.connect(self.born.setFocus)
        self.born.returnPressed.connect(self.verb.setFocus)

    def _field(self, label: str, field: QLineEdit, hint: str) -> FieldRow:
        field.setMaximumWidth(40 * unit())
        set_type(field, Scale.LEAD)
        field.textChanged.connect(self._typed)
        return add_field(self.fields, label, field, hint=hint)

    def enter(self) -> None:
        visit = self.view_model.visit
        resumed = visit is not None and visit.step is not Step.IDENTIFY
        self.lead.setText(
            self.tr("This visit was interrupted. Identify the patient again; it then goes on where it stopped.")
            if resumed
            else self.tr("Ask for both, and type what you are told. They are compared with the record.")
        )
        for field in (self.number, self.born):
            field.clear()
        self.place.setCurrentIndex(self.place.findData(visit.place.value if visit is not None else ""))
        alike = self.view_model.similar_patients()
        self._alike.setText(
            self.tr("Take care, there are similar patients: {0}.").format("; ".join(alike)) if alike else ""
        )
        self._alike.setVisible(bool(alike))
        self.check()
        self.number.setFocus()

    def is_complete(self) -> bool:
        return bool(self.number.text().strip()) and parse_day(self.born.text()) is not None

    def _typed(self, _text: str) -> None:
        self._number_row.show_remark("")
        unreadable = bool(self.born.text().strip()) and parse_day(self.born.text()) is None
        self._born_row.show_remark(self.tr("Write the day like 14 Mar 1979.") if unreadable else "", unreadable)
        self.check()

    def act(self) -> None:
        born = parse_day(self.born.text())
        if born is None:
            return
        self.view_model.set_place(VisitPlace(self.place.currentData()))
        differs = self.view_model.identify(self.number.text(), born)
        row = {"number": self._number_row, "born_on": self._born_row}.get(differs)
        if row is not None:
            row.show_remark(self.tr("Stop: this is not what the record of the open patient says."), True)
            row.field.setFocus()

    def _leave(self) -> None:
        visit = self.view_model.visit
        if visit is not None and visit.step is Step.IDENTIFY:
            self.view_model.abandon()
        else:
            self.view_model.leave()


class InterrogatePage(StepPage):
    """Read the pump, and see what it says."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Interrogate the pump"), self.tr("&Interrogate"))
        self.events = EventsPanel(EventsViewModel(view_model, view_model))
        self.beside.insertWidget(0, self.events)
        self.cards.hide()
        self.without = QPushButton(self.tr("&Nobody here has a programmer"))
        self.without.setAutoDefault(False)
        self.without.setToolTip(self.tr("The reservoir is filled as it was; the pump is told nothing."))
        self.without.clicked.connect(view_model.go_without_programmer)
        self.other = QLabel(
            self.tr(
                "Another pump answered. If the patient's pump was replaced, a physician puts the new one on record; "
                "else check who is in the room, and the cable."
            )
        )
        self.other.setWordWrap(True)
        self.replaced = QPushButton(self.tr("This pump was &replaced…"))
        self.replaced.setAutoDefault(False)
        self.replaced.clicked.connect(self._replace)
        self._facts = QWidget()
        self._grid = QGridLayout(self._facts)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(3 * unit())
        self._grid.setVerticalSpacing(unit())
        self._grid.setColumnStretch(1, 1)
        self.fields.addWidget(self._facts)
        self.fields.addWidget(self.other)
        for button in (self.replaced, self.without):
            self.fields.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.back.setText(self.tr("Leave this visit"))
        self.back.clicked.disconnect()
        self.back.clicked.connect(view_model.abandon)
        view_model.visitChanged.connect(self._refresh)

    def enter(self) -> None:
        self._refresh()
        self.verb.setFocus()

    def _refresh(self) -> None:
        visit = self.view_model.visit
        if visit is None or self.view_model.page is not Step.INTERROGATE:
            return
        serial = self.view_model.workstation.desk.implant(visit.patient_id).serial
        self._clear()
        self.other.setVisible(self.view_model.other_pump)
        self.replaced.setVisible(self.view_model.may_replace())
        if visit.reading is None:
            self.lead.setText(self.tr("Connect the programmer head to pump {0}.").format(serial))
            self.verb.setText(self.tr("&Interrogate pump {0}").format(serial))
            self.back.setVisible(True)
            self.without.setVisible(True)
            self.events.look()
            self.check()
            return
        self.lead.setText(self.tr("Pump {0} answered. This is what it says.").format(visit.reading.serial))
        self.verb.setText(self.tr("&Go on to the residual volume"))
        self.back.setVisible(False)
        self.without.setVisible(False)
        self._show(visit.reading)
        self.events.look()
        self.check()
        self.verb.setFocus()

    def _replace(self) -> None:
        self.make_new_pump_dialog().open()

    def make_new_pump_dialog(self) -> NewPumpDialog:
        """The dialog in which a new pump is read and put on record."""
        return NewPumpDialog(self.view_model, self.window())

    def _show(self, reading: PumpReading) -> None:
        visit = self.view_model.visit
        model = self.view_model.workstation.desk.model_of(visit) if visit else None
        rows = (
            (self.tr("State"), self.tr("running") if reading.running else self.tr("STOPPED")),
            (self.tr("Program"), sentence_of(reading.settings, model) if model else ""),
            (self.tr("Reservoir, by the pump"), show_volume(reading.reservoir)),
            (self.tr("Reservoir, by the record"), self._by_record()),
            (self.tr("Low-reservoir alarm at"), show_volume(reading.settings.low_alarm)),
            (self.tr("Alarms"), ", ".join(reading.alarms) or self.tr("none")),
            (self.tr("Pump's clock"), show_moment(reading.pump_clock)),
        )
        for row, (caption, text) in enumerate(rows):
            name, value = QLabel(caption), QLabel(text)
            set_role(name, "muted")
            value.setWordWrap(True)
            value.setAccessibleName(caption)
            self._grid.addWidget(name, row, 0)
            self._grid.addWidget(value, row, 1)

    def _by_record(self) -> str:
        visit = self.view_model.visit
        return show_volume(visit.expected) if visit and visit.expected is not None else self.tr("unknown")

    def _clear(self) -> None:
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def act(self) -> None:
        visit = self.view_model.visit
        if visit is not None and visit.reading is None:
            self.view_model.interrogate()
        else:
            self.view_model.go_on()
