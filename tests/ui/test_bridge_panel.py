"""The decision about a bridge as a user meets it: nothing preset, nothing kept for another change, all in words."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QRadioButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.documents.catalogue import load_catalogue
from app.models.plug_flow import Path, path_in_bridge
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.solution_change import BridgeChoice, BridgeDecision, Rinse, Solution, SolutionChange
from app.models.solution_outlook import plan_change
from app.models.transition import Segment
from app.ui.refill.bridge_panel import BridgePanel
from app.ui.refill.bridge_words import hours_words, weekday_moment
from app.ui.theme import DARK, HIGH_CONTRAST, LIGHT, Theme, apply_theme
from tests.ui.keys import Keyboard

CATALOGUE = load_catalogue()
PUMP = CATALOGUE.pump("synchromed-ii-20")
AT = datetime(2026, 11, 20, 10, 26)


def solution(strength: int, drug: str = "baclofen") -> Solution:
    return Solution.of(CATALOGUE.drug(drug), Concentration.mcg_per_ml(strength))


def change(old: Solution, new: Solution, dose: int = 400, new_dose: int = 400) -> SolutionChange:
    return SolutionChange(old, DoseRate.mcg_per_day(dose), new, DoseRate.mcg_per_day(new_dose))


WEAKER = change(solution(2000), solution(500))
SLIGHT = change(solution(1000), solution(900))
TO_MORPHINE = change(solution(2000), solution(10000, "morphine"), 400, 1000)


class Page:
    """What the settings page does: plan, show, and plan again when an answer changes."""

    def __init__(self, qtbot: QtBot, one: SolutionChange, *, physician: bool = True, path: Path | None = None) -> None:
        self.window = QWidget()
        self.panel = BridgePanel(CATALOGUE)
        QVBoxLayout(self.window).addWidget(self.panel)
        qtbot.addWidget(self.window)
        self.change, self.physician = one, physician
        self.path: Path | None = path or Path.filled(Fraction("0.33"), one.old.fluid)
        self.panel.changed.connect(self.plan)
        self.plan()
        self.window.show()

    def plan(self, *, at: datetime = AT, segments: tuple[Segment, ...] = ()) -> None:
        plan = plan_change(
            self.change, PUMP, CATALOGUE,
            path=self.path, at=at, segments=segments, runs_ml_per_day=Fraction("0.8"),
            injected=Volume.ml(18), rinse=self.panel.rinse(),
        )  # fmt: skip
        self.panel.show_plan(plan, physician=self.physician)

    def button(self, text: str) -> QRadioButton:
        (found,) = [
            button
            for button in self.panel.findChildren(QRadioButton)
            if button.text().replace("&", "").replace("\u00a0", " ").startswith(text) and button.isVisible()
        ]
        return found

    def words(self) -> str:
        return self.panel.words().replace("\u00a0", " ")


def test_nothing_is_chosen_beforehand(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, WEAKER)
    assert not any(button.isChecked() for button in page.panel.findChildren(QRadioButton))
    assert page.panel.decision() is None and page.panel.rinse() is None and not page.panel.is_complete()


def test_it_says_what_changes_and_what_leaving_out_the_bridge_means(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, WEAKER)
    assert "baclofen from 2000 mcg/mL to 500 mcg/mL. The daily dose stays 400 mcg/day." in page.words()
    assert "Without the bridge: 4 times the dose (1600 mcg/day) for 9.9 h." in page.words()
    assert page.button("Bridge, ends Sun 22 Nov 02:02")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (change(solution(500), solution(2000)), "25 % of the dose (100 mcg/day) for 39.6 h."),
        (TO_MORPHINE, "50 % of the baclofen dose (200 mcg/day) for 3.3 days."),
        (TO_MORPHINE, "Until then no morphine arrives."),
        (change(solution(500), solution(2000), 400, 0), "nothing of the dose (0 mcg/day) for ever."),
        (change(solution(500), solution(1000), 400, 800), "the dose as before (400 mcg/day) for 9.9 h."),
    ],
)
def test_the_factor_in_words(qtbot: QtBot, themed: QApplication, one: SolutionChange, words: str) -> None:
    assert words in Page(qtbot, one).words()


def test_a_bridge_is_decided_by_keyboard(qtbot: QtBot, themed: QApplication, keyboard: Keyboard) -> None:
    page = Page(qtbot, SLIGHT)
    QTest.keyClick(page.button("Bridge"), Qt.Key.Key_Space)
    assert page.panel.decision() == BridgeDecision(BridgeChoice.BRIDGE, SLIGHT)
    assert page.panel.is_complete()


def test_no_bridge_counts_only_with_a_reason(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT)
    assert not page.panel.reason.isVisible()
    page.button("No bridge").click()
    assert page.panel.reason.isVisible() and page.panel.decision() is None
    QTest.keyClicks(page.panel.reason, "aspirated")
    assert page.panel.decision() is None and not page.panel.is_complete()
    QTest.keyClicks(page.panel.reason, "!")
    assert page.panel.decision() == BridgeDecision(BridgeChoice.NO_BRIDGE, SLIGHT, "aspirated!")
    assert page.panel.is_complete()


def test_a_short_reason_is_told_beside_the_field_and_stays(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT)
    page.button("No bridge").click()
    QTest.keyClicks(page.panel.reason, "no")
    QTest.keyClick(page.panel.reason, Qt.Key.Key_Return)
    row = page.panel.reason.parent()
    assert "at least 10 characters" in row.remark() and page.panel.reason.text() == "no"  # type: ignore[attr-defined]
    QTest.keyClicks(page.panel.reason, " old fluid left")
    assert row.remark() == "At least 10 characters."  # type: ignore[attr-defined]


def test_a_nurse_cannot_leave_out_the_bridge(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT, physician=False)
    assert not page.button("No bridge").isEnabled()
    assert "Only a physician decides" in page.words()
    page.button("Bridge").click()
    assert page.panel.is_complete()


def test_a_physicians_choice_does_not_survive_a_nurses_log_in(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT)
    page.button("No bridge").click()
    QTest.keyClicks(page.panel.reason, "catheter was aspirated")
    assert page.panel.decision() is not None
    page.physician = False
    page.plan()
    assert page.panel.decision() is None and not page.button("No bridge").isChecked()


def test_the_rinse_is_asked_from_twice_the_concentration_on(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, WEAKER)
    page.button("Bridge").click()
    assert not page.panel.is_complete()
    page.button("Rinsed").click()
    assert page.panel.volume.isVisible() and page.panel.rinse() is None and not page.panel.is_complete()
    QTest.keyClicks(page.panel.volume, "5")
    assert page.panel.rinse() == Rinse(Volume.ml(5)) and page.panel.is_complete()
    assert "really 524 mcg/mL (+4.7 %)" in page.words()
    page.button("Not rinsed").click()
    assert page.panel.rinse() == Rinse(Volume.zero()) and page.panel.is_complete()
    assert "really 608 mcg/mL (+21.6 %)" in page.words()
    assert page.panel.decision() == BridgeDecision(BridgeChoice.BRIDGE, WEAKER)


def test_a_rinse_of_nothing_is_not_an_answer(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, WEAKER)
    page.button("Rinsed").click()
    QTest.keyClicks(page.panel.volume, "0")
    assert page.panel.rinse() is None


def test_a_slight_change_asks_for_no_rinse(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT)
    assert "rinsed" not in " ".join(
        button.text() for button in page.panel.findChildren(QRadioButton) if button.isVisible()
    )


def test_time_goes_on_and_the_decision_stays(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT)
    page.button("Bridge").click()
    before = page.button("Bridge").text()
    page.plan(at=datetime(2026, 11, 20, 10, 27))
    assert page.button("Bridge").text() != before
    assert page.panel.decision() is not None


@pytest.mark.parametrize("other", [change(solution(1000), solution(900), 400, 401), WEAKER])
def test_another_change_is_decided_anew_and_the_reason_is_kept(
    qtbot: QtBot, themed: QApplication, other: SolutionChange
) -> None:
    page = Page(qtbot, SLIGHT)
    page.button("No bridge").click()
    QTest.keyClicks(page.panel.reason, "catheter was aspirated")
    page.change = other
    page.plan()
    assert page.panel.decision() is None and page.panel.reason.text() == "catheter was aspirated"


def test_another_path_is_decided_anew(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT)
    page.button("Bridge").click()
    page.path = Path.filled(Fraction("0.34"), SLIGHT.old.fluid)
    page.plan()
    assert page.panel.decision() is None


def test_a_dose_that_is_being_typed_takes_nothing_away(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, SLIGHT)
    page.button("Bridge").click()
    page.panel.show_plan(None, physician=True)
    assert page.panel.decision() is None and not page.panel.isVisible()
    page.plan()
    assert page.panel.decision() == BridgeDecision(BridgeChoice.BRIDGE, SLIGHT)


def test_another_visit_starts_empty(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, WEAKER)
    page.button("No bridge").click()
    QTest.keyClicks(page.panel.reason, "catheter was aspirated")
    page.button("Rinsed").click()
    QTest.keyClicks(page.panel.volume, "5")
    page.panel.reset()
    page.plan()
    assert page.panel.reason.text() == "" and page.panel.volume.value() is None
    assert page.panel.decision() is None and page.panel.rinse() is None


def test_without_a_change_it_is_not_there(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, change(solution(500), solution(500), 400, 500))
    assert not page.panel.isVisible() and page.panel.is_complete()


def test_two_solutions_in_the_catheter_give_a_time_to_wait_for(qtbot: QtBot, themed: QApplication) -> None:
    mixed = path_in_bridge(Fraction("0.33"), solution(500).fluid, solution(2000).fluid, Fraction("0.2"))
    page = Page(qtbot, change(solution(2000), solution(1000)), path=mixed)
    assert not page.button("Bridge").isEnabled()
    assert "Not possible before Fri 20 Nov 16:26" in page.words()
    assert "from 50 % of the dose to 2 times the dose, within 19.8 h" in page.words()


def test_an_unknown_catheter_shows_both_ends(qtbot: QtBot, themed: QApplication) -> None:
    page = Page(qtbot, change(solution(500), solution(2000)))
    page.path = None
    page.plan(segments=(Segment(CATALOGUE.catheter("8709SC"), None),))
    assert not page.button("Bridge").isEnabled()
    assert "8 h 10 min with 60 cm of catheter, and 11 h 28 min with 110 cm" in page.words()
    page.plan()
    assert "the volume of tubing and catheter is not on record" in page.words()


@pytest.mark.parametrize("theme", [LIGHT, DARK, HIGH_CONTRAST])
def test_both_courses_are_drawn_one_of_them_dashed(qtbot: QtBot, qapp: QApplication, theme: Theme) -> None:
    apply_theme(qapp, theme)
    page = Page(qtbot, WEAKER)
    chart = page.panel.findChild(QWidget, "bridge-chart")
    image = chart.grab().toImage()
    solid, dashed = _longest_run(image, theme.accent), _longest_run(image, theme.error)
    assert solid > 50 and 2 < dashed < 30
    assert "4 times the dose" in chart.accessibleDescription()


def _longest_run(image: QImage, colour: str) -> int:
    wanted, longest = QColor(colour).rgb(), 0
    for y in range(image.height()):
        run = 0
        for x in range(image.width()):
            run = run + 1 if image.pixel(x, y) == wanted else 0
            longest = max(longest, run)
    return longest


def test_moments_and_times_in_words() -> None:
    assert weekday_moment(datetime(2026, 11, 21, 14, 20)).replace("\u00a0", " ") == "Sat 21 Nov 14:20"
    assert [hours_words(Fraction(hours)).replace("\u00a0", " ") for hours in ("71.9", "72")] == ["71.9 h", "3 days"]
