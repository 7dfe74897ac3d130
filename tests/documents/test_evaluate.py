"""``cisterna evaluate``: every kind by hand-worked figures, and what cannot be understood by its one line."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from app.documents.catalogue import load_catalogue
from app.documents.evaluate import KINDS, DocumentRefusedError, evaluate, evaluate_file, evaluate_text
from app.models.catalogue import Catalogue

RESERVOIR = {
    "drug": "baclofen",
    "concentration_mcg_per_ml": "2000",
    "volume_ml": "40",
    "filled_at": "2025-01-15T10:00",
    "low_alarm_ml": "2",
}
PROGRAM: dict[str, Any] = {
    "kind": "program",
    "pump": {"model": "synchromed-ii-40"},
    "reservoir": RESERVOIR,
    "program": {"mode": "simple", "daily_dose_mcg": "355"},
}
FLEX: dict[str, Any] = {
    **PROGRAM,
    "program": {
        "mode": "flex",
        "basal_mcg_per_day": "350",
        "boluses": [{"at": f"{hour:02d}:00", "dose_mcg": "50", "duration_min": 5} for hour in range(0, 24, 2)]
        + [{"at": "01:00", "dose_mcg": "50", "duration_min": 5}],
    },
}
RESIDUAL: dict[str, Any] = {
    "kind": "residual",
    "pump": {"model": "synchromed-ii-20"},
    "filled": {"volume_ml": "20", "at": "2025-01-15T09:00"},
    "spans": [{"from": "2025-01-15T09:00", "to": "2025-04-15T09:00", "flow_ml_per_day": "0.1775"}],
    "at": "2025-04-15T09:00",
    "aspirated_ml": "4.5",
}
FILL: dict[str, Any] = {
    "kind": "fill",
    "pump": {"model": "synchromed-ii-20"},
    "left_ml": "1.4",
    "left_concentration_mcg_per_ml": "500",
    "injected_ml": "18.6",
    "concentration_mcg_per_ml": "2000",
    "programmed_volume_ml": "20",
    "rinses": [{"volume_ml": "5"}],
    "reaspirated_ml": "18.8",
}
BRIDGE: dict[str, Any] = {
    "kind": "bridge",
    "pump": {"model": "synchromed-ii-20"},
    "catheter": {"model": "8709SC", "trimmed_cm": "9.0"},
    "old": {"drug": "baclofen", "concentration_mcg_per_ml": "500", "daily_dose_mcg": "200"},
    "new": {"drug": "baclofen", "concentration_mcg_per_ml": "2000", "daily_dose_mcg": "200"},
}
PRIME: dict[str, Any] = {
    "kind": "prime",
    "pump": {"model": "synchromed-ii-20"},
    "catheter": {"segments": [{"model": "8731SC", "trimmed_cm": "24.1"}]},
    "extent": "full",
    "concentration_mcg_per_ml": "500",
    "reason": "implant",
}
TITRATION: dict[str, Any] = {
    "kind": "titration",
    "clinical": {"population": "adult", "origin": "spinal"},
    "setting": "titration",
    "old_daily_dose_mcg": "350",
    "new_daily_dose_mcg": "455",
    "hours_since_start": 72,
    "hours_since_last_change": 30,
}
HISTORY: dict[str, Any] = {
    "kind": "history",
    "clinical": {"population": "adult", "origin": "spinal"},
    "implanted_on": "2016-09-15",
    "at": "2018-09-15",
    "doses": [
        {"from": "2016-09-15", "daily_dose_mcg": "400", "kind": "maintenance", "mode": "simple"},
        {"from": "2017-04-15", "daily_dose_mcg": "600", "kind": "maintenance", "mode": "simple"},
        {"from": "2017-05-20", "daily_dose_mcg": "700", "kind": "maintenance", "mode": "pulsatile"},
        {"from": "2017-11-15", "daily_dose_mcg": "850", "kind": "maintenance", "mode": "simple"},
        {"from": "2018-03-15", "daily_dose_mcg": "1000", "kind": "maintenance", "mode": "flex"},
    ],
    "device_trouble": [{"from": "2017-05-01", "to": "2017-05-20", "what": "catheter rupture"}],
    "device_checks": [
        {
            "on": "2018-04-10",
            "steps": {
                "interrogation": "ok",
                "program": "ok",
                "residual": "ok",
                "csf_aspiration": "ok",
                "contrast": "not-done",
            },
        }
    ],
    "lp_bolus_tests": [{"on": "2018-09-10", "dose_mcg": "100", "response": False}],
    "tone": [{"on": "2018-09-01", "scale": "AS0_4", "values": ["3", "3"]}],
}
TAPER: dict[str, Any] = {"kind": "taper", "start_mcg_per_day": "1000", "step_mcg": "300", "every_days": 3}
CURVE: dict[str, Any] = {
    "kind": "curve",
    "model": "label",
    "pump": {"model": "synchromed-ii-40"},
    "reservoir": RESERVOIR,
    "program": {"mode": "simple", "daily_dose_mcg": "350"},
    "hours": 48,
    "step_min": 60,
}
ALL = (PROGRAM, FLEX, RESIDUAL, FILL, BRIDGE, PRIME, TITRATION, HISTORY, TAPER, CURVE)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def rules(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["rule"], finding["severity"]) for finding in answer["findings"]]


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    made = copy.deepcopy(document)
    place = made
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return made


def with_(document: dict[str, Any], value: object, *path: str | int) -> dict[str, Any]:
    made = copy.deepcopy(document)
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


def test_every_kind_is_promised_and_answered(catalogue: Catalogue) -> None:
    assert {document["kind"] for document in ALL} == set(KINDS)
    for document in ALL:
        json.dumps(evaluate(document, catalogue))


def test_a_simple_program(catalogue: Catalogue) -> None:
    answer = evaluate(PROGRAM, catalogue)
    # 355 / 2000 = 0.1775 mL/day; 38 mL last 214.0845 days, 40 mL 225.3521 days.
    assert answer["mean_flow_ml_per_day"] == "0.1775"
    assert answer["by_day"] == ["355"] * 7
    assert answer["low_reservoir_at"] == "2025-08-17T12:01"
    assert answer["empty_at"] == "2025-08-28T18:27"
    assert answer["refill_by"] == {"at": "2025-07-14T10:00", "limited_by": "stability"}
    assert answer["max_60min_mcg"] == "14.7916667"
    assert answer["findings"] == []


def test_the_published_flex_program_comes_to_1000(catalogue: Catalogue) -> None:
    answer = evaluate(FLEX, catalogue)
    assert (answer["daily_dose_mcg"], answer["changes_per_day"]) == ("1000", 13)
    # One whole bolus and an hour of the basal rate: 50 + 350 / 24.
    assert answer["max_60min_mcg"] == "64.5833333"
    assert rules(answer) == []
    fourteen = with_(FLEX, [*FLEX["program"]["boluses"], {"at": "03:00", "dose_mcg": "50"}], "program", "boluses")
    assert ("DOS-04", "block") in rules(evaluate(fourteen, catalogue))


def test_a_periodic_basal_below_the_minimum_runs_at_the_minimum_rate(catalogue: Catalogue) -> None:
    pulsatile = {
        "mode": "pulsatile",
        "basal_mcg_per_day": "5.5",
        "bolus": {"dose_mcg": "30", "duration_min": 5, "every_min": 360, "first_at": "00:00"},
    }
    document = with_(with_(PROGRAM, pulsatile, "program"), "500", "reservoir", "concentration_mcg_per_ml")
    answer = evaluate(document, catalogue)
    # 5.5 + 4 x 30 as programmed; 0.006 mL/day x 500 = 3 mcg/day is what the basal comes to.
    assert (answer["daily_dose_mcg"], answer["achieved_daily_dose_mcg"]) == ("125.5", "123")
    assert ("DOS-06", "confirm") in rules(answer)


def test_patient_activated_boluses_count_in_the_worst_case(catalogue: Catalogue) -> None:
    patient = {"dose_mcg": "20", "duration_min": 10, "lockout_min": 120, "max_per_day": 4}
    answer = evaluate(with_(PROGRAM, patient, "program", "patient_activated"), catalogue)
    assert (answer["daily_dose_mcg"], answer["worst_case_daily_dose_mcg"]) == ("355", "435")
    # In 4 h two can start, at 0 and 120 min: 59.1667 + 40.
    assert answer["max_4h_mcg"] == "99.1666667"


@pytest.mark.parametrize(
    ("dose", "expected"),
    [("0", [("U-02", "block")]), ("1000", []), ("1000.1", [("U-02", "confirm")]), ("2000.1", [("U-02", "block")])],
)
def test_the_daily_doses_edges(catalogue: Catalogue, dose: str, expected: list[tuple[str, str]]) -> None:
    found = [rule for rule in rules(evaluate(with_(PROGRAM, dose, "program", "daily_dose_mcg"), catalogue))
             if rule[0] == "U-02"]  # fmt: skip
    assert found == expected


def test_what_cannot_be_laid_out_is_answered_with_nulls(catalogue: Catalogue) -> None:
    steps = [
        {"at": "22:00", "duration_min": 480, "dose_mcg": "160"},
        {"at": "05:00", "duration_min": 120, "dose_mcg": "9"},
    ]
    program = {"mode": "flex", "basal_mcg_per_day": "350", "steps": steps}
    answer = evaluate(with_(PROGRAM, program, "program"), catalogue)
    assert answer["daily_dose_mcg"] is None
    assert answer["low_reservoir_at"] is None
    assert ("DOS-03", "block") in rules(answer)


def test_overfilling_the_reservoir_is_a_finding(catalogue: Catalogue) -> None:
    assert ("REF-04", "block") in rules(evaluate(with_(PROGRAM, "40.01", "reservoir", "volume_ml"), catalogue))


def test_a_battery_and_an_offset_are_kept(catalogue: Catalogue) -> None:
    document = with_(
        with_(PROGRAM, "2018-03-01", "pump", "implanted_on"), "2025-01-15T10:00+02:00", "reservoir", "filled_at"
    )
    answer = evaluate(document, catalogue)
    assert answer["refill_by"] == {"at": "2025-03-01T00:00+02:00", "limited_by": "battery"}
    assert answer["low_reservoir_at"] == "2025-08-17T12:01+02:00"


def test_a_residual_as_expected(catalogue: Catalogue) -> None:
    answer = evaluate(RESIDUAL, catalogue)
    # 20 - 90 x 0.1775 = 4.025; (20 - 4.5) / (20 - 4.025) - 1 = -2.973 %.
    assert (answer["expected_ml"], answer["difference_ml"]) == ("4.025", "0.475")
    assert (answer["delivery_error_percent"], answer["verdict"]) == ("-2.97339593", "as-expected")
    assert answer["findings"] == []


@pytest.mark.parametrize(
    ("aspirated", "verdict", "expected"),
    [
        ("6.025", "as-expected", []),
        ("6.026", "under-delivery", ["REF-02"]),
        ("1.7", "under-delivery", ["REF-02"]),
        ("0", "over-delivery", ["REF-02", "REF-05"]),
        ("19", "under-delivery", ["REF-02", "REF-03"]),
    ],
)
def test_the_residuals_edges(catalogue: Catalogue, aspirated: str, verdict: str, expected: list[str]) -> None:
    answer = evaluate(with_(RESIDUAL, aspirated, "aspirated_ml"), catalogue)
    if aspirated == "1.7":
        # 2.325 mL less than expected, 14.55 % more delivered than programmed.
        verdict = "over-delivery"
    assert answer["verdict"] == verdict
    assert [rule for rule, _ in rules(answer)] == expected


def test_a_reservoir_that_must_have_run_dry(catalogue: Catalogue) -> None:
    answer = evaluate(with_(RESIDUAL, "0.3", "spans", 0, "flow_ml_per_day"), catalogue)
    assert answer["expected_ml"] == "0"
    assert "REF-11" in [rule for rule, _ in rules(answer)]


def test_a_fill_with_a_rinse(catalogue: Catalogue) -> None:
    answer = evaluate(FILL, catalogue)
    # After the rinse 1.4 mL at (1.4 x 500 + 5 x 2000) / 6.4 = 1671.875; then 18.6 mL of 2000.
    assert answer["mixed_concentration_mcg_per_ml"] == "1977.03125"
    assert answer["mixed_error_percent"] == "-1.1484375"
    assert rules(answer) == [("REF-05", "confirm")]
    assert rules(evaluate(with_(FILL, "19", "reaspirated_ml"), catalogue)) == []
    assert rules(evaluate(without(without(FILL, "rinses"), "reaspirated_ml"), catalogue)) == []


def test_a_bridge_and_what_would_be_without_it(catalogue: Catalogue) -> None:
    answer = evaluate(BRIDGE, catalogue)
    # 0.140 + 80 x 0.0022 = 0.316 mL at 0.4 mL/day: 1137.6 min; without, 0.316 mL at 0.1 mL/day: 75.84 h.
    assert (answer["path_volume_ml"], answer["flow_ml_per_day"], answer["duration_min"]) == ("0.316", "0.4", 1138)
    assert (answer["old_drug_mcg"], answer["as_new_mcg"], answer["next_flow_ml_per_day"]) == ("158", "632", "0.1")
    assert answer["without_bridge"] == {"factor": "0.25", "daily_dose_mcg": "50", "hours": "75.84"}
    assert answer["findings"] == []


def test_no_bridge_is_needed_without_a_change(catalogue: Catalogue) -> None:
    same = with_(BRIDGE, "500", "new", "concentration_mcg_per_ml")
    assert evaluate(same, catalogue) == {"needed": False, "findings": []}


def test_a_bridge_between_two_drugs_and_over_an_unknown_path(catalogue: Catalogue) -> None:
    morphine = {"drug": "morphine", "concentration_mcg_per_ml": "10000", "daily_dose_mcg": "1000"}
    answer = evaluate(with_(BRIDGE, morphine, "new"), catalogue)
    assert answer["as_new_mcg"] is None and answer["without_bridge"] is None
    assert ("CON-06", "confirm") in rules(answer)
    unknown = evaluate(with_(BRIDGE, {"model": "8709SC"}, "catheter"), catalogue)
    assert unknown["path_volume_ml"] is None
    assert rules(unknown) == [("CON-05", "confirm")]
    prometra = evaluate(with_(BRIDGE, {"model": "prometra-ii-20"}, "pump"), catalogue)
    assert ("CON-05", "block") in rules(prometra)
    own = evaluate(with_(BRIDGE, {"model": "prometra-ii-20", "tubing_ml": "0.150"}, "pump"), catalogue)
    assert own["path_volume_ml"] == "0.326"


def test_a_priming_bolus(catalogue: Catalogue) -> None:
    answer = evaluate(PRIME, catalogue)
    # (104.1 - 24.1) x 0.0022 + 0.140 = 0.316 mL, 158 mcg, 18.96 min at 24 mL/day.
    assert (answer["volume_ml"], answer["dose_mcg"], answer["duration_min"]) == ("0.316", "158", 19)
    assert rules(evaluate(with_(PRIME, "other", "reason"), catalogue)) == [("CON-04", "block")]


def test_a_titration_step(catalogue: Catalogue) -> None:
    answer = evaluate(TITRATION, catalogue)
    assert (answer["change_mcg"], answer["change_percent"]) == ("105", "30")
    assert rules(answer) == [("TIT-07", "confirm")]
    steeper = rules(evaluate(with_(TITRATION, "455.1", "new_daily_dose_mcg"), catalogue))
    assert ("TIT-05", "confirm") in steeper
    sooner = evaluate(with_(TITRATION, 23, "hours_since_last_change"), catalogue)
    assert ("TIT-05", "block") in rules(sooner)
    from_zero = evaluate(with_(TITRATION, "0", "old_daily_dose_mcg"), catalogue)
    assert from_zero["change_percent"] is None


def test_a_taper_goes_down_to_nothing(catalogue: Catalogue) -> None:
    answer = evaluate(TAPER, catalogue)
    assert [(rung["day"], rung["daily_dose_mcg"]) for rung in answer["ladder"]] == [
        (0, "1000"), (3, "700"), (6, "400"), (9, "100"), (12, "0"),
    ]  # fmt: skip
    # 3 x (1000 + 700 + 400 + 100).
    assert answer["delivered_mcg"] == "6600"
    assert len(rules(answer)) == 4
    assert len(rules(evaluate({**TAPER, "setting": "inpatient"}, catalogue))) == 2


@pytest.mark.parametrize(
    ("at", "changes", "delta", "status"),
    [
        ("2017-04-14", {}, "0", "not-met"),
        ("2017-04-15", {}, "200", "device-check-required"),
        ("2017-05-15", {}, "200", "explained-by-device"),
        ("2017-05-25", {}, "0", "not-met"),
        ("2017-11-15", {}, "150", "device-check-required"),
        ("2018-04-15", {}, "300", "tolerance-suspected"),
        ("2018-09-15", {}, "300", "tolerance-supported"),
        ("2018-09-15", {"lp_bolus_tests": []}, "300", "tolerance-suspected"),
        ("2018-09-15", {"disease_changes": [{"on": "2018-08-01", "what": "relapse"}]}, "300", "explained-by-disease"),
    ],
)
def test_the_published_history_step_by_step(
    catalogue: Catalogue, at: str, changes: dict[str, Any], delta: str, status: str
) -> None:
    answer = evaluate({**HISTORY, "at": at, **changes}, catalogue)
    assert (answer["tolerance"]["delta_mcg"], answer["tolerance"]["status"]) == (delta, status)


def test_a_holiday_is_no_baseline(catalogue: Catalogue) -> None:
    doses = [
        {"from": "2003-01-01", "daily_dose_mcg": "450", "kind": "maintenance"},
        {"from": "2003-02-12", "daily_dose_mcg": "575", "kind": "maintenance"},
        {"from": "2003-02-13", "daily_dose_mcg": "48", "kind": "holiday"},
        {"from": "2003-02-14", "daily_dose_mcg": "300", "kind": "maintenance"},
    ]
    for at, delta, status in (
        ("2003-02-11", "0", "not-met"),
        ("2003-02-12", "125", "device-check-required"),
        ("2003-02-13", None, "not-evaluated"),
        ("2003-02-14", "0", "not-met"),
        ("2004-02-14", "0", "not-met"),
    ):
        document = {"kind": "history", "implanted_on": "1991-06-01", "at": at, "doses": doses}
        found = evaluate(document, catalogue)["tolerance"]
        assert (found["delta_mcg"], found["status"]) == (delta, status), at


def test_a_curve_settles_at_dose_over_clearance(catalogue: Catalogue) -> None:
    answer = evaluate(CURVE, catalogue)
    # 350 / 24 / 30 = 0.4861 mcg/mL; 49 points; the effect is at 36 % after 6 h and 92 % after 24 h.
    assert answer["steady_state_csf_mcg_per_ml"] == "0.486111111"
    assert len(answer["csf_mcg_per_ml"]) == 49
    effect = [float(point) / 0.486111111 for point in answer["effect_mcg_per_ml"]]
    assert abs(effect[6] - 0.36) < 0.005 and abs(effect[8] - 0.48) < 0.005 and abs(effect[24] - 0.92) < 0.005


MALFORMED: list[tuple[str, str]] = [
    ("{", "not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
    ("[]", "a document is a JSON object"),
    ("{}", "kind: missing"),
    ('{"kind": "dose"}', "kind: 'dose' is not one of program, residual, fill, bridge, prime, titration, history, "
     "taper, curve"),
    ('{"kind": "taper", "kind": "taper"}', "kind: given twice"),
    (json.dumps(without(PROGRAM, "reservoir", "drug")), "reservoir.drug: missing"),
    (json.dumps(without(PROGRAM, "program", "mode")), "program.mode: missing"),
    (json.dumps(with_(PROGRAM, "pulse", "program", "mode")),
     "program.mode: 'pulse' is not one of simple, flex, pulsatile, minimum-rate, stopped, constant-flow"),
    (json.dumps(with_(FLEX, "25:10", "program", "boluses", 3, "at")),
     "program.boluses[3].at: '25:10' is not a time of day"),
    (json.dumps(with_(PROGRAM, 355, "program", "daily_dose_mcg")),
     'program.daily_dose_mcg: 355 is not text; a number is written like "2.5" here'),
    (json.dumps(with_(PROGRAM, "355,5", "program", "daily_dose_mcg")),
     "program.daily_dose_mcg: '355,5' is not a number in plain decimal notation"),
    (json.dumps(with_(PROGRAM, "0355", "program", "daily_dose_mcg")),
     "program.daily_dose_mcg: '0355' is not a number in plain decimal notation"),
    (json.dumps(with_(PROGRAM, "-1", "program", "daily_dose_mcg")),
     "program.daily_dose_mcg: '-1' is not a number in plain decimal notation"),
    (json.dumps(with_(PROGRAM, "NaN", "reservoir", "volume_ml")),
     "reservoir.volume_ml: 'NaN' is not a number in plain decimal notation"),
    (json.dumps(PROGRAM).replace('"355"', "NaN"), "NaN is not a number"),
    (json.dumps(with_(PROGRAM, "1000.1", "reservoir", "volume_ml")),
     "reservoir.volume_ml: '1000.1' mL is beyond reason"),
    (json.dumps(with_(PROGRAM, "synchromed-iv", "pump", "model")),
     "pump.model: 'synchromed-iv' is not in the catalogue"),
    (json.dumps(with_(PROGRAM, "baklofen", "reservoir", "drug")), "reservoir.drug: 'baklofen' is not in the catalogue"),
    (json.dumps(with_(PROGRAM, "red", "pump", "colour")), "pump.colour: unknown field"),
    (json.dumps(with_(PROGRAM, "2025-02-30T10:00", "reservoir", "filled_at")),
     "reservoir.filled_at: '2025-02-30T10:00' is not a date and time like 2025-01-15T10:00"),
    (json.dumps(with_(PROGRAM, {"mode": "flex", "boluses": []}, "program")), "program.basal_mcg_per_day: missing"),
    (json.dumps(with_(PROGRAM, {"mode": "flex", "days": [{"on": ["mon", "tue", "wed", "thu", "fri", "sat", "sat"],
                                                         "basal_mcg_per_day": "1"}]}, "program")),
     "program.days: each weekday is covered exactly once (not covered: sun; covered more than once: sat)"),
    (json.dumps(with_(FLEX, 5.0, "program", "boluses", 0, "duration_min")),
     "program.boluses[0].duration_min: 5.0 is not a whole number"),
    (json.dumps(with_(FLEX, True, "program", "boluses", 0, "duration_min")),
     "program.boluses[0].duration_min: True is not a whole number"),
    (json.dumps(with_(FLEX, -5, "program", "boluses", 0, "duration_min")),
     "program.boluses[0].duration_min: -5 is not a count between 0 and 10000000"),
    (json.dumps(with_(RESIDUAL, [*RESIDUAL["spans"], {"from": "2025-04-01T09:00", "to": "2025-04-02T09:00",
                                                      "flow_ml_per_day": "1"}], "spans")),
     "spans[1].from: overlaps another span"),
    (json.dumps(with_(RESIDUAL, "2025-04-15T09:00Z", "at")), "at: times with and without an offset are mixed"),
    (json.dumps(without(BRIDGE, "catheter")), "catheter: missing"),
    (json.dumps(with_(BRIDGE, {"trimmed_cm": "9"}, "catheter")), "catheter.model: missing"),
    (json.dumps(with_(BRIDGE, {"model": "8709SC", "trimmed_cm": "89.1"}, "catheter")),
     "catheter.trimmed_cm: '89.1' is more than the whole length"),
    (json.dumps(with_(PRIME, "whole", "extent")), "extent: 'whole' is not one of full, catheter"),
    (json.dumps(with_(TAPER, "0", "step_mcg")), "step_mcg: '0' is not a step"),
    (json.dumps(with_(HISTORY, [{"on": "2018-01-01", "scale": "AS0_4", "values": ["4.2"]}], "tone")),
     "tone[0].values[0]: '4.2' is not on the scale AS0_4"),
    (json.dumps(with_(PROGRAM, [], "pump")), "pump: not an object"),
    (json.dumps(with_(FLEX, {}, "program", "boluses")), "program.boluses: not a list"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), MALFORMED, ids=[line[:40] for _, line in MALFORMED])
def test_a_malformed_document_is_refused_with_one_line(
    catalogue: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: str
) -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        evaluate_text(text, catalogue)
    assert str(refused.value) == line
    path = tmp_path / "document.json"
    path.write_text(text, encoding="utf-8")
    assert evaluate_file(Namespace(file=str(path), lines=False)) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{line}\n")


def test_one_document_on_each_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "documents.jsonl"
    path.write_text("\n".join((json.dumps(TAPER), '{"kind": "nothing"}', json.dumps(FILL))), encoding="utf-8")
    assert evaluate_file(Namespace(file=str(path), lines=True)) == 2
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[0]["delivered_mcg"] == "6600"
    assert answers[1]["error"]["path"] == "kind"
    assert answers[2]["reservoir_ml"] == "20"


def test_the_command_answers_without_loading_qt() -> None:
    script = (
        "import sys; from app.__main__ import main; sys.argv = ['cisterna', 'evaluate', '-'];"
        "code = 0\ntry:\n    main()\nexcept SystemExit as ended:\n    code = ended.code\n"
        "print([name for name in sys.modules if name.startswith(('PySide6', 'shiboken', 'sqlalchemy'))], code)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(TAPER), capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[] 0"
