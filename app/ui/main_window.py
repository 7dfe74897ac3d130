"""The window: the banner on top, the pages' names at the left, the page, and one line of state below.

Law: this is only the frame. Pages do not know each other; what leads from one to another is wired here.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from app.models.refill_visit import Step
from app.services.workstation import Workstation
from app.ui.background import Background
from app.ui.banner import Identity, IdentityBanner
from app.ui.bench.view import BenchView
from app.ui.bench.view_model import BenchViewModel
from app.ui.emergency.way import EmergencyWay
from app.ui.guard.bar import GuardBar
from app.ui.guard.handover import may_close
from app.ui.guard.view_model import GuardViewModel
from app.ui.navigation import Navigation
from app.ui.page_stack import PageStack, scrolled
from app.ui.patient.scan_dialog import ScanDialog
from app.ui.patient.scan_view_model import ScanViewModel
from app.ui.patient.view import PatientView
from app.ui.patient.view_model import PatientViewModel, identity_of
from app.ui.refill.view import RefillView
from app.ui.refill.view_model import RefillViewModel
from app.ui.schedule.view import ScheduleView
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.settings.view import SettingsView
from app.ui.settings.view_model import Hold, SettingsViewModel
from app.ui.state_mark import Mark
from app.ui.status_line import StatusLine
from app.ui.worklist.view import WorklistView
from app.ui.worklist.view_model import WorklistViewModel

WORKLIST, PATIENT, REFILL, BENCH, SETTINGS, SCHEDULE, EMERGENCY = range(7)


class MainWindow(QMainWindow):
    """The one window."""

    def __init__(self, workstation: Workstation) -> None:
        super().__init__()
        self.setWindowTitle("Cisterna")
        self._workstation = workstation
        self._background = Background("pump", self)
        self.worklist = WorklistViewModel(workstation, self)
        self.patient = PatientViewModel(workstation, self)
        self.refill = RefillViewModel(workstation, self._background, self)
        self.bench = BenchViewModel(workstation, self._background, self)
        self.schedule = ScheduleViewModel(workstation, self)
        self.settings = SettingsViewModel(
            workstation, self._background, self, hold=self._hold, let_go=self.refill.let_go
        )
        self.scans = ScanViewModel(workstation, self._background, self, why_not_now=self._why_not_read)
        self.guard = GuardViewModel(workstation, self._background, self)
        self.banner = IdentityBanner()
        self.status = StatusLine()
        self.worklist_view = WorklistView(self.worklist)
        self.patient_view = PatientView(self.patient)
        self.refill_view = RefillView(self.refill)
        self.bench_view = BenchView(self.bench)
        self.settings_view = SettingsView(self.settings)
        self.schedule_view = ScheduleView(self.schedule)
        self.pages = PageStack()
        names = (self.tr("&Worklist"), self.tr("&Patient"), self.tr("Re&fill"), self.tr("Pump &bench"))
        others = (self.tr("&Settings"), self.tr("Schedule"))
        self._names = Navigation([*names, *others], danger=self.tr("Emergency"))
        self._lay_out()
        self._connect()
        self.emergency = EmergencyWay(self, workstation, self._names)
        self._show_state()
        self.turn_to(WORKLIST)
        self.worklist_view.setFocus()
        self._reopen()

    def _lay_out(self) -> None:
        first = (self.worklist_view, self.patient_view, self.refill_view)
        for view in (*first, self.bench_view, self.settings_view, self.schedule_view):
            self.pages.addWidget(view)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._names)
        middle.addWidget(scrolled(self.pages), 1)
        frame = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(GuardBar(self.guard))
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        self.setCentralWidget(frame)
        screen = QGuiApplication.primaryScreen()
        room = screen.availableSize() if screen is not None else self.sizeHint()
        self.resize(min(1366, room.width()), min(768, room.height()))

    def _connect(self) -> None:
        self.worklist_view.patientChosen.connect(self.open_patient)
        self.worklist_view.visitChosen.connect(self.resume_visit)
        self.patient_view.refillWanted.connect(self.begin_refill)
        self.patient_view.scanWanted.connect(self.open_scans)
        self.scans.changed.connect(self.patient.refresh)
        self.patient.changed.connect(self._show_identity)
        self.refill.visitChanged.connect(self._show_identity)
        self.refill.pageChanged.connect(self._show_identity)
        self.refill.busyChanged.connect(self._show_busy)
        self.refill.closed.connect(self._refill_closed)
        self.settings.portChosen.connect(self._show_state)
        self.guard.changed.connect(self._show_identity)
        self._names.chosen.connect(self.turn_to)

    def open_patient(self, patient_id: str) -> None:
        """Show a patient's page."""
        self.patient.open(patient_id)
        self.turn_to(PATIENT)

    def begin_refill(self, patient_id: str) -> None:
        """Open the patient's refill, a new one or the one that was interrupted."""
        self.refill.open(patient_id)
        self.turn_to(REFILL)

    def open_scans(self) -> None:
        """Show the open patient's scans, and where surgery is noted."""
        self.make_scan_dialog().open()

    def make_scan_dialog(self) -> ScanDialog:
        """The dialog about scans and surgery of the open patient."""
        self.scans.open(self.patient.therapy)
        dialog = ScanDialog(self.scans, self)
        dialog.emergencyWanted.connect(self.emergency.open)
        return dialog

    def _why_not_read(self) -> str:
        """What holds the cable to a pump; a refill's own cable is let go of where nothing lies in the pump."""
        hold = self._hold()
        if hold is Hold.DIALOGUE:
            return self.tr("Wait a moment: the pump is being spoken to.")
        if hold is Hold.DRAFT:
            return self.tr("Send the settings that lie sealed in the pump first, or go back from them.")
        self.refill.let_go()
        return ""

    def resume_visit(self, visit_id: str) -> None:
        """Go on with an interrupted visit; the patient is identified first, and nothing is sent by this."""
        self.refill.resume(visit_id)
        if self.refill.therapy is not None:
            self.patient.open(self.refill.therapy.patient.id)
        self.turn_to(REFILL)

    def _reopen(self) -> None:
        """Show the refill whose order is out, or whose pump may stand still, before anything else. Source: U-10."""
        station = self._workstation
        guarded = {one.therapy.patient.id for one in station.guards.waiting()}
        for visit in station.store.open_visits():
            if visit.step is Step.PROGRAMME or visit.patient_id in guarded:
                self.resume_visit(visit.id)
                return

    def turn_to(self, page: int) -> None:
        """Show one of the pages."""
        self.pages.setCurrentIndex(page)
        self._names.show_chosen(page)
        if page == WORKLIST:
            self.worklist.refresh()
        elif page == PATIENT:
            self.patient.refresh()
        elif page == BENCH:
            self.bench.open(self.patient.therapy)
        elif page == SCHEDULE:
            self.schedule.open(self.patient.therapy)
        elif page == SETTINGS:
            self.settings.open(self.patient.therapy)
        self.guard.refresh()
        self._show_identity()

    def _show_identity(self, _change: object = None) -> None:
        if self.pages.currentIndex() == REFILL and self.refill.therapy is not None:
            state, mark = self.refill.state()
            self._show_guarded(identity_of(self.refill.therapy, state=state, mark=mark))
        elif self.pages.currentIndex() == WORKLIST:
            self.banner.show_identity(None)
        else:
            self._show_guarded(self.patient.identity())

    def _show_guarded(self, identity: Identity | None) -> None:
        """A pump that may stand still is called nothing else."""
        if identity is not None and self.guard.covers(identity.serial):
            identity = replace(identity, state=self.tr("MAY STAND STILL"), state_mark=Mark.BLOCK)
        self.banner.show_identity(identity)

    def _hold(self) -> Hold | None:
        if self.refill.busy:
            return Hold.DIALOGUE
        return Hold.DRAFT if self.refill.staged is not None else None

    def _show_busy(self, words: str) -> None:
        self.status.show_connection(words or self._workstation.port_name, connected=bool(words))
        self.status.show_unsaved(self.refill.staged is not None)
        if not words:
            self.guard.refresh()

    def _show_state(self) -> None:
        station = self._workstation
        self.banner.show_emulated(station.emulated)
        self.status.show_emulated(station.emulated)
        self.status.show_connection(station.port_name, connected=False)
        self.status.show_user(f"{station.user.name}, {station.user.role.value}")

    def _refill_closed(self) -> None:
        self.turn_to(WORKLIST)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the worklist's signs again in the new theme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.pages.currentIndex() == WORKLIST:
            self.worklist_view.update()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let what is under way with the pump come to its end, then let go of cable and store; but first hand over a
        patient whose pump may stand still."""
        if not may_close(self, self.guard):
            event.ignore()
            return
        self._background.close()
        self.refill.leave()
        self._workstation.store.close()
        super().closeEvent(event)
