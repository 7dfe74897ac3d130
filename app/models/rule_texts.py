"""What a finding says to people: first what to do, then why, with the numbers.

Law: one text for each (rule, reason); a text uses only values that its finding carries.
"""

from __future__ import annotations

from types import MappingProxyType

from app.models.errors import AppError
from app.models.findings import Finding


class NoTextError(AppError):
    """A finding has no text, or its text asks for a value that it does not carry."""


def sentence(finding: Finding) -> str:
    """The finding in words. Raises: NoTextError."""
    text = TEXTS.get((finding.rule, finding.reason)) or _alarm_text(finding)
    try:
        return text.format(**finding.values)
    except KeyError as missing:
        raise NoTextError(rule=finding.rule, reason=finding.reason, value=str(missing)) from None


def _alarm_text(finding: Finding) -> str:
    if finding.rule == "LIF-04":
        return ALARM_TEXTS.get(finding.reason, "Find out why the pump sounds its alarm: {alarm}.")
    raise NoTextError(rule=finding.rule, reason=finding.reason)


TEXTS = MappingProxyType(
    {
        ("U-02", "no-dose"): "Have the stop signed by a physician: this program delivers nothing.",
        ("U-02", "above-limit"): (
            "Lower the daily dose: {daily_dose_mcg} mcg in the worst case is above the limit of {limit_mcg} mcg."
        ),
        ("U-02", "high"): (
            "Check the daily dose: {daily_dose_mcg} mcg in the worst case is above {limit_mcg} mcg, where there is "
            "little experience."
        ),
        ("U-03", "screening"): (
            "Take another ampoule: {concentration_mcg_per_ml} mcg/mL of {drug} is for screening, never for a pump."
        ),
        ("U-03", "unlisted"): (
            "Have a second person check the label: {concentration_mcg_per_ml} mcg/mL of {drug} is not a known product "
            "(known: {known_mcg_per_ml})."
        ),
        ("U-03", "no-concentration"): "Enter the concentration of {drug}: at 0 mcg/mL nothing can be dosed.",
        ("U-03", "label-once"): (
            "Scan the vial, or have the label typed a second time by somebody who does not see the first reading."
        ),
        ("U-03", "expired"): "Take another vial: this one expired on {expires_on}.",
        ("U-03", "vial-expired"): "Take another vial: lot {lot} expired on {expires_on}.",
        ("U-03", "wrong-drug"): "Put this vial away: {product} (lot {lot}) is not {drug}, which is to go in.",
        ("U-03", "wrong-concentration"): (
            "Put this vial away: lot {lot} holds {found_mcg_per_ml} mcg/mL, and {concentration_mcg_per_ml} mcg/mL is "
            "to go in."
        ),
        ("U-03", "too-little"): (
            "Scan another vial or inject less: the vials hold {total_ml} mL, and {needed_ml} mL is needed."
        ),
        ("U-03", "same-serial"): "Remove one of them: the vial with serial number {serial} was scanned twice.",
        ("U-03", "count-vials"): (
            "Count the vials by hand: {count} scans carry no serial number, so one vial may have been scanned twice."
        ),
        ("U-03", "no-serial"): (
            "Compare the lot with the label: the code of lot {lot} has no serial number, or the scanner dropped the "
            "separator before it."
        ),
        ("U-03", "mixed-lots"): "Expect more than one lot on the report: {lots}.",
        ("U-04", "if-missed"): (
            "Tell the pump: if it ran on as for {old_mcg_per_ml} mcg/mL, {daily_dose_mcg} mcg a day would arrive, "
            "{factor} times the dose."
        ),
        ("U-06", "solution-not-ordered"): (
            "Ask a physician: another drug or concentration than the one in the pump is not a nurse's to choose."
        ),
        ("U-06", "program-not-ordered"): "Ask a physician: a nurse refills with the program unchanged.",
        ("U-06", "first-not-ordered"): (
            "Ask a physician: the clinic has never programmed this pump, so that there is no program to keep."
        ),
        ("U-06", "order-withdrawn"): "Ask a physician: the order “{name}” has been withdrawn.",
        ("U-06", "order-expired"): "Ask a physician: the order “{name}” was valid until {valid_until}.",
        ("U-06", "other-solution"): (
            "Ask a physician: the order is for {drug} {concentration_mcg_per_ml} mcg/mL, and this is another solution."
        ),
        ("U-06", "other-low-alarm"): "Set the low-reservoir alarm to {ordered_ml} mL, as ordered.",
        ("U-06", "other-schedule"): "Ask a physician: mode, days or times are not those of the order ({mode}).",
        ("U-06", "outside-range"): (
            "Ask a physician: {dose_mcg} mcg for the {what} is outside the order, {from_mcg} to {to_mcg} mcg."
        ),
        ("U-06", "order-not-followed"): (
            "Ask the physician first: the order “{name}” is not what the pump runs, and it would not be carried out."
        ),
        ("U-06", "order-changed"): "Do not go on: the order on record is not the one that was signed. Ask a physician.",
        ("U-07", "no-second-reader"): (
            "Have a second person read the label: drug or concentration changes, and nobody has checked it."
        ),
        ("U-07", "remote-check"): (
            "Have a colleague check drug, concentration, daily dose and volume from afar today: they were sent without "
            "a second person."
        ),
        ("U-07", "unknown-product"): (
            "Have a second person type the label without seeing the first reading: product {gtin} is not in the "
            "catalogue."
        ),
        ("U-09", "ratio"): (
            "Check for a slip of unit or digit: {new_daily_dose_mcg} mcg a day is {ratio} times the old "
            "{old_daily_dose_mcg} mcg."
        ),
        ("U-10", "stopped"): "Find out why pump {serial} is stopped before anything else. A stopped pump is not safe.",
        ("U-11", "memory-reset"): (
            "Do not go on: pump {serial} has lost its memory. What it runs is not the program that was verified."
        ),
        ("U-11", "not-on-record"): (
            "Find out who changed the settings: pump {serial} runs other ones than the record says."
        ),
        ("U-12", "clock-off"): (
            "Set the pump's clock: it is {offset_min} min off, and this program keeps times of day."
        ),
        ("U-15", "overridden-again"): (
            "Physician: look at rule {overridden_rule}. It was overridden on each of the last {visits} visits."
        ),
        ("U-13", "missing"): "Contact the manufacturer: “{what}” is unknown.",
        ("U-13", "unreadable"): "Contact the manufacturer: “{what}” cannot be read ({raw}).",
        ("U-13", "past"): "Contact the manufacturer: “{what}” cannot be {raw}, which has passed.",
        ("U-13", "after-eri"): (
            "Contact the manufacturer: “{what}” cannot be {raw}, so long after the warning of the battery."
        ),
        ("U-13", "too-far"): "Contact the manufacturer: “{what}” cannot be as late as {raw}.",
        ("DOS-01", "constant-flow-on-programmable"): "Choose a program: {pump} has no constant flow.",
        ("DOS-01", "program-on-constant-flow"): "Choose constant flow: {pump} cannot be programmed.",
        ("DOS-03", "overlapping-steps"): "Move the steps apart: two of them run at the same time.",
        ("DOS-03", "overlapping-boluses"): "Move the boluses apart: two of them run at the same time.",
        ("DOS-03", "zero-length"): "Give the {what} a duration: it has none.",
        ("DOS-03", "longer-than-a-day"): "Shorten the {what}: {duration_min} min is more than a day.",
        ("DOS-03", "interval"): (
            "Choose another interval: every {every_min} min does not fit a whole number of times into a week."
        ),
        ("DOS-03", "longer-than-interval"): (
            "Shorten the bolus: it lasts {duration_min} min and the next one starts after {every_min} min."
        ),
        ("DOS-03", "lockout"): (
            "Lengthen the lockout: {lockout_min} min is shorter than the bolus itself, {duration_min} min."
        ),
        ("DOS-04", "too-many-changes"): (
            "Take changes away ({days}): {changes} a day are more than the {max_changes} that this pump can do."
        ),
        ("DOS-05", "large-bolus"): "Check the {what}: {dose_mcg} mcg is more than {limit_mcg} mcg at once.",
        ("DOS-05", "window"): (
            "Check how close the boluses lie: {max_60min_mcg} mcg within 60 min is more than {limit_mcg} mcg."
        ),
        ("DOS-06", "minimum-rate"): (
            "Expect {achieved_daily_dose_mcg} mcg a day, not {programmed_daily_dose_mcg}: where the basal rate is too "
            "low for the pump, it runs at its minimum rate of {minimum_rate_ml_per_day} mL/day, "
            "{achieved_basal_mcg_per_day} mcg/day."
        ),
        ("DOS-06", "below-minimum"): (
            "Raise the {what} or lower the concentration: {flow_ml_per_day} mL/day is below this pump's minimum of "
            "{min_flow_ml_per_day} mL/day."
        ),
        ("DOS-06", "above-maximum"): (
            "Give the {what} more time or raise the concentration: {flow_ml_per_day} mL/day is above this pump's "
            "maximum of {max_flow_ml_per_day} mL/day."
        ),
        ("DOS-06", "bridge-below-minimum"): (
            "Plan the bridge with a physician: the old dose needs {flow_ml_per_day} mL/day, below this pump's minimum "
            "of {min_flow_ml_per_day} mL/day."
        ),
        ("DOS-06", "bridge-above-maximum"): (
            "Plan the bridge with a physician: the old dose needs {flow_ml_per_day} mL/day, above this pump's maximum "
            "of {max_flow_ml_per_day} mL/day."
        ),
        ("DOS-06", "next-below-minimum"): (
            "Choose a lower concentration: the new dose needs {flow_ml_per_day} mL/day, below this pump's minimum of "
            "{min_flow_ml_per_day} mL/day."
        ),
        ("DOS-06", "next-above-maximum"): (
            "Choose a higher concentration: the new dose needs {flow_ml_per_day} mL/day, above this pump's maximum of "
            "{max_flow_ml_per_day} mL/day."
        ),
        ("DOS-06", "no-minimum-rate"): "Choose another mode: {pump} has no minimum rate.",
        ("DOS-06", "flow-unknown"): "Enter the flow of this very pump from the implant record: {pump} has no one flow.",
        ("DOS-06", "other-flow"): ("Check the dose: this pump's flow of {flow_ml_per_day} mL/day cannot be changed."),
        ("DOS-07", "not-an-increment"): (
            "Choose a multiple of {increment_mcg} mcg for the {what}: this pump cannot give {dose_mcg} mcg exactly."
        ),
        ("DOS-09", "switch-changes-dose"): (
            "Check the new mode's daily dose: {new_daily_dose_mcg} mcg instead of {old_daily_dose_mcg} mcg, "
            "a change of {change_percent} %."
        ),
        ("DOS-10", "flex-for-tolerance"): (
            "Do not expect flex to help against tolerance: in six patients it did not slow the rise of the dose."
        ),
        ("DOS-11", "low-block"): (
            "Do not count on a few low hours: with a half-life of {half_life_from_h} to {half_life_to_h} h, half or "
            "more is still in the spinal fluid after 4 h."
        ),
        ("DOS-13", "walks"): "Plan with the therapist: who walks often needs less by day and more at night.",
        ("REF-01", "estimates-differ"): (
            "Find out why: the pump counts {by_pump_ml} mL, and by the record {by_record_ml} mL should be left "
            "(limit {limit_ml} mL). Trust the syringe."
        ),
        ("REF-02", "under-delivery"): (
            "Check the device before filling: {aspirated_ml} mL came out and {expected_ml} mL were expected, "
            "{difference_ml} mL too much (limits {limit_ml} mL and {accuracy_percent} %). Look for signs of "
            "withdrawal: too little was delivered."
        ),
        ("REF-02", "over-delivery"): (
            "Check the device before filling: {aspirated_ml} mL came out and {expected_ml} mL were expected, "
            "{difference_ml} mL (limits {limit_ml} mL and {accuracy_percent} %). Look for signs of overdose: too much "
            "was delivered, and the next fill may be empty before its alarm."
        ),
        ("REF-02", "trend-too-much-left"): (
            "Look into this pump: too much was left at each of the last {visits} refills ({differences_ml} mL). Pump "
            "or catheter may deliver too little."
        ),
        ("REF-02", "trend-too-little-left"): (
            "Look into this pump: too little was left at each of the last {visits} refills ({differences_ml} mL). It "
            "may deliver too much, or drug may be drawn out in between."
        ),
        ("REF-02", "trend-grows"): (
            "Look into this pump: its error has grown at each of the last {visits} refills ({errors_percent} %)."
        ),
        ("REF-02", "flow-high"): (
            "Refill earlier, and ask a physician about the dose: the measured flow is {measured_ml_per_day} mL/day, "
            "not {nominal_ml_per_day} (± {accuracy_percent} %), and gave {daily_dose_mcg} mcg a day."
        ),
        ("REF-02", "flow-low"): (
            "Check pump and catheter, and ask a physician about the dose: the measured flow is {measured_ml_per_day} "
            "mL/day, not {nominal_ml_per_day} (± {accuracy_percent} %), and gave {daily_dose_mcg} mcg a day."
        ),
        ("REF-03", "nearly-full"): (
            "Do not simply restart at the old dose: {aspirated_ml} mL of {filled_ml} mL are still there, so pump or "
            "catheter did not deliver. Read the pump's log, find the cause, and let a physician choose the dose."
        ),
        ("REF-04", "overfill"): (
            "Inject less: {left_ml} mL and {injected_ml} mL are more than the reservoir's {capacity_ml} mL."
        ),
        ("REF-04", "programmed-volume"): (
            "Tell the pump what is in it: {programmed_ml} mL is not {reservoir_ml} mL (limit {limit_ml} mL)."
        ),
        ("TIT-16", "other-solution"): (
            "Fill what the pump holds already: without a programmer no other solution than before may go in, and this "
            "is another {drug}."
        ),
        ("TIT-16", "counter-not-set"): (
            "See this patient with a programmer: the pump was filled without one, so its own volume and its alarm are "
            "wrong."
        ),
        ("CON-01", "constant-flow"): (
            "Say why the dose changes from {old_mcg_per_day} to {new_mcg_per_day} mcg/day: this pump is dosed by its "
            "solution alone, and what stands in the catheter goes on as before until it has run out."
        ),
        ("CON-01", "bridge-without-change"): "Leave the bridge out: the solution is the same as before.",
        ("CON-02", "not-the-bridge"): (
            "Review the settings again: the bridge in them is not the one that was decided on."
        ),
        ("REF-05", "position-unproven"): (
            "Draw back before the rest goes in: nothing has shown yet that the needle is in the reservoir."
        ),
        ("REF-06", "port-not-said"): (
            "Look at port and needle, say them aloud and tick them: the port of the catheter leads straight to the "
            "spine."
        ),
        ("REF-05", "nothing-aspirated"): (
            "Prove the needle's position before you inject: nothing came out, and {expected_ml} mL were expected. If "
            "it is right, take the pump for empty: look for withdrawal, and ask a physician."
        ),
        ("REF-05", "pocket-fill"): (
            "Keep the patient under observation: {missing_ml} mL are missing (limit {limit_ml} mL). The pocket may "
            "have been filled."
        ),
        ("REF-09", "short-interval"): ("Think of a higher concentration: the next refill is due in {days} days."),
        ("REF-09", "no-appointment"): "Book the next refill: nobody has booked one yet.",
        ("REF-09", "appointment-too-late"): (
            "Choose an earlier day: {appointment_on} is after the refill-by date {refill_by}."
        ),
        ("REF-08", "raise-alarm"): (
            "Think of a low-reservoir alarm at {suggested_ml} mL: withdrawal came before the alarm at least once. "
            "It would sound on {low_on}, and the refill would be due by {refill_by}."
        ),
        ("REF-09", "appointment-passed"): "Choose a later day: {appointment_on} has passed.",
        ("REF-09", "booked-none"): "Book the next refill: it is due by {refill_by}, and nobody has booked one.",
        ("REF-09", "booked-missed"): (
            "Book the next refill: it is due by {refill_by}, and the appointment of {appointment_on} has passed."
        ),
        ("REF-09", "booked-late"): (
            "Move the appointment forward: {appointment_on} is after the refill-by date {refill_by}."
        ),
        ("REF-09", "booked-away"): (
            "Move the appointment: on {appointment_on} the patient is away. The refill is due by {refill_by}."
        ),
        ("REF-09", "weekend"): "Make sure that the clinic is open: {appointment_on} is a weekend.",
        ("REF-09", "holiday"): "Make sure that the clinic is open: {appointment_on} is a holiday, {why}.",
        ("REF-09", "no-working-day"): "Refill somewhat earlier: nobody works from {from} to {to}.",
        ("REF-09", "window-passed"): "Refill soon: the days that suit have passed, and {refill_by} is the last.",
        ("REF-09", "no-day-left"): (
            "Find a day by telephone: until {refill_by} there is no working day on which the patient is here."
        ),
        ("REF-11", "phone"): "Phone the patient today: the pump should have been refilled by {refill_by}.",
        ("REF-11", "empty"): (
            "Treat this as interrupted therapy: assume the pump empty since {empty_on}. Look for withdrawal, and "
            "restart with a physician."
        ),
        ("REF-13", "card-not-printed"): (
            "Print the patient's card: since this fill nobody has, and an older one says dates that count no more."
        ),
        ("REF-14", "early"): (
            "Refill before the absence: the patient is away from {away_from} to {away_to}, and the refill is due by "
            "{refill_by}."
        ),
        ("REF-14", "late"): (
            "Refill right after the return: the patient is away from {away_from} to {away_to}, and the refill is due "
            "by {refill_by}."
        ),
        ("REF-14", "appointment-away"): (
            "Choose another day: on {appointment_on} the patient is away ({away_from} to {away_to})."
        ),
        ("LIF-01", "plan"): "Plan the replacement of the pump: it was implanted {years} years ago.",
        ("LIF-01", "replace"): "Have the pump replaced: it was implanted {years} years ago.",
        ("LIF-01", "overdue"): "Have the pump replaced now: {years} years are more than its battery lasts.",
        ("LIF-01", "warned"): "Have the pump replaced by {replace_by}: its battery has warned since {warned_on}.",
        ("REF-11", "ran-dry"): (
            "Treat this as interrupted therapy: the {filled_ml} mL must have run out. Look for withdrawal, and restart "
            "with a physician; do not just fill and go on."
        ),
        ("CON-01", "solution-changes"): "Expect a bridge bolus: the drug or its concentration changes ({drug}).",
        ("CON-01", "no-decision"): "Decide about the bridge: other fluid than before goes into the catheter.",
        ("CON-01", "no-bridge-not-physician"): "Ask a physician: to leave out the bridge is not a nurse's to decide.",
        ("CON-01", "no-bridge-reason"): "Write why there is no bridge: at least {characters} characters.",
        ("CON-01", "no-bridge"): (
            "Watch the patient for {hours} h: without the bridge it is {mcg_per_day} mcg of {drug} a day, {factor} "
            "times the old dose."
        ),
        ("CON-01", "no-bridge-for-ever"): (
            "Watch the patient: the new program pushes nothing, and {mcg_per_day} mcg of {drug} a day arrive."
        ),
        ("CON-02", "two-fluids"): (
            "Wait until {wait_until}: the catheter still holds two solutions ({ahead_ml} mL of the older one), and no "
            "even bridge keeps the dose."
        ),
        ("CON-02", "two-fluids-standing"): (
            "Start the pump on the old settings first: the catheter holds two solutions ({ahead_ml} mL of the older "
            "one), and nothing moves."
        ),
        ("CON-02", "no-even-bridge"): (
            "Plan this with a physician: with a dose of zero before or after, or another drug in the catheter, there "
            "is no bridge."
        ),
        ("CON-02", "short-bridge"): (
            "Expect {error_percent} % off the dose during the bridge: {duration_min} min are too few for whole "
            "minutes to hit it (limit {limit_percent} %)."
        ),
        ("CON-02", "bridge-runs"): (
            "Change the solution after {wait_until}: until then a bridge runs, and no even bridge can follow on it."
        ),
        ("CON-02", "old-differs"): (
            "Find out what is in the pump: it says {pump_drug} {pump_mcg_per_ml} mcg/mL, and the last fill on record "
            "is {record_drug} {record_mcg_per_ml} mcg/mL."
        ),
        ("CON-02", "long-bridge"): (
            "Plan how the patient is watched: the bridge lasts {duration_min} min, more than {limit_days} days."
        ),
        ("CON-04", "no-reason"): (
            "Do not prime: it is for a new system, a revision or an emptied catheter. Else it is an overdose."
        ),
        ("CON-04", "watch"): (
            "Keep the patient under observation for {hours} h: drug can arrive before the priming bolus ends, and too "
            "little after it."
        ),
        ("CON-04", "tubing-is-full"): (
            "Fill the catheter only: the tubing in the pump is full of drug, and more would be an overdose."
        ),
        ("CON-04", "more-than-path"): (
            "Prime less: {volume_ml} mL is more than tubing and catheter hold, {path_ml} mL."
        ),
        ("CON-05", "tubing-unknown"): "Enter the volume of the pump's tubing: it is not known for {pump}.",
        ("CON-05", "catheter-unknown"): (
            "Find the implant record: how much of the catheter was cut off is not known, so the bridge can only be "
            "given as a range."
        ),
        ("CON-05", "catheter-range"): (
            "Find the implant record: the bridge lasts {shortest} with {shortest_cm} cm of catheter and {longest} with "
            "{longest_cm} cm, and nobody wrote down which."
        ),
        ("CON-05", "bridge-needs-path"): (
            "Find the implant record: without the volume of tubing and catheter there is no bridge."
        ),
        ("CON-05", "prime-catheter-unknown"): (
            "Find the implant record: without the catheter's volume no priming bolus can be worked out."
        ),
        ("CON-06", "mixture"): "Weigh the risk with a physician: {drug} in one reservoir lacks data on safety.",
        ("CON-06", "drug-changes"): (
            "Rinse, bridge and check the units with a physician: {old_drug} is replaced by {new_drug}."
        ),
        ("CON-06", "rinse-unanswered"): (
            "Say whether the reservoir was rinsed: what is left of the old solution mixes with the new one."
        ),
        ("CON-06", "not-rinsed"): "Rinse the reservoir: what is left of the old solution mixes with the new one.",
        ("CON-06", "not-rinsed-real"): (
            "Rinse the reservoir: with what is left in it, the new solution is really {real_mcg_per_ml} mcg/mL "
            "({error_percent} %)."
        ),
        ("CON-06", "diluted"): (
            "Know the real concentration: {real_mcg_per_ml} mcg/mL ({error_percent} %), with what stayed in the pump."
        ),
        ("CON-06", "parts-unknown"): (
            "Check each part of {drug} by hand: only the first one's concentration is known here."
        ),
        ("CON-06", "ratio-changes"): (
            "Work out {drug} by itself: it was {old_ratio_percent} % of {dosed} and will be {new_ratio_percent} %, so "
            "its dose changes too."
        ),
        ("TIT-04", "first-day"): (
            "Wait: the dose is not raised within {limit_h} h of the start, and {hours} h have passed."
        ),
        ("TIT-05", "too-soon"): ("Wait: the dose is not raised again within {limit_h} h, and {hours} h have passed."),
        ("TIT-05", "increase"): (
            "Take a smaller step: {change_percent} % is more than {limit_percent} % at once while titrating."
        ),
        ("TIT-06", "increase"): (
            "Take a smaller step: {change_percent} % is more than {limit_percent} % at one refill."
        ),
        ("TIT-06", "decrease"): (
            "Watch for withdrawal: {change_percent} % is more than {limit_percent} % down at once."
        ),
        ("TIT-07", "high-dose"): (
            "Take a smaller step: from {old_daily_dose_mcg} mcg a day, {change_percent} % up may be too much."
        ),
        ("TIT-13", "dose-finding"): (
            "Expect the dose to rise: in the first {months} months after the implant it is still being found."
        ),
        ("TIT-14", "sudden"): (
            "Check the device first: a sudden need for {change_percent} % more points at the device."
        ),
        ("TOL-01", "met"): (
            "Look for the cause: the daily dose has risen by {delta_mcg} mcg within {window_days} days, more than "
            "{limit_mcg} mcg."
        ),
        ("TOL-01", "at-the-limit"): "Keep watching: the dose has risen by exactly {limit_mcg} mcg, which is not more.",
        ("TOL-02", "device-check-required"): (
            "Check the device before anybody calls this tolerance: no complete check explains the rise."
        ),
        ("TOL-02", "early"): "Keep in mind that this is within the first {months} months after the implant.",
        ("TOL-03", "device-check"): (
            "Check the device: {daily_dose_mcg} mcg a day and still tone {tone}. More drug does not help."
        ),
        ("TOL-03", "lp-test"): (
            "Plan a lumbar bolus test: {daily_dose_mcg} mcg a day, still tone {tone}, and the device is in order."
        ),
        ("TOL-04", "near"): "Keep watching: the dose has risen by {delta_mcg} mcg within {window_days} days.",
        ("TOL-05", "options"): (
            "Choose with a physician: boluses, a drug holiday in hospital, a partial holiday, or morphine in between."
        ),
        ("TOL-07", "bolus-first"): "Try a bolus program first: it is the mildest of the measures against tolerance.",
        ("DEV-02", "partial-check"): (
            "Complete the check of {on}: fluid was neither aspirated from the catheter nor contrast seen."
        ),
        ("DEV-06", "worse"): "Check the device: after the increase of {on} the tone became worse, not better.",
        ("RED-01", "due"): "Try to reduce the dose: it has been stable and good for a year (due since {due_on}).",
        ("PRO-03", "restart"): (
            "Restart with less: {new_daily_dose_mcg} mcg a day ({new_mcg_per_h} mcg/h) after {old_daily_dose_mcg} mcg "
            "has caused overdose about 6 h later."
        ),
        ("PRO-04", "outpatient"): (
            "Plan day {day} in hospital or take smaller steps: {change_percent} % at once (limit {limit_percent} %)."
        ),
        ("PRO-04", "severe"): (
            "Plan day {day} in hospital: {change_percent} % at once carries a severe risk of withdrawal "
            "(limit {limit_percent} %)."
        ),
        ("LIF-02", "stalled"): (
            "Read the pump again after {wait_min} min: its motor has stalled, for {stalled_for}, and the log shows no "
            "recovery."
        ),
        ("LIF-02", "no-recovery"): (
            "Treat this as an emergency and call a physician: two readings show no recovery of the motor."
        ),
        ("LIF-02", "recovered-once"): (
            "Read the pump again after {wait_min} min: one reading shows the motor recovered after {stalled_for}, a "
            "second must agree."
        ),
        ("LIF-02", "recovered"): "Note the stall: the motor stood for {stalled_for}; two readings show it recovered.",
        ("LIF-02", "mri-read-before"): "Read the pump before the scan, so that its log shows what the scanner does.",
        ("LIF-02", "mri-read-after"): "Read the pump now: after a scan, its alarm may hold delivery until it is read.",
        ("LIF-02", "mri-read-again"): "Read the pump again, at least {wait_min} min after the reading before.",
        ("LIF-02", "mri-no-stall"): (
            "Find out why: the log shows no stall during this scan. Was it this pump, and did the scan take place?"
        ),
        ("LIF-02", "mri-not-before"): "Judge with care: the pump was not read before this scan.",
        ("LIF-03", "stopped-long"): (
            "Have a physician decide: the pump stands stopped for {stopped_for}. Above {limit_h} h it may be damaged."
        ),
        ("U-10", "stopped-now"): (
            "Resume it, or have a physician sign that it stays stopped: it has delivered nothing for {stopped_for}."
        ),
        ("PRO-08", "gap"): "Look for signs of withdrawal: {interrupted_for} without the program since the last fill.",
        ("PRO-08", "gap-review"): (
            "Ask a physician before filling: after {interrupted_for} without the program it may not simply run on."
        ),
        ("PRO-08", "gap-stop"): (
            "Stop and ask a physician: after {interrupted_for}, restart with at most {restart_percent} % of the dose "
            "and titrate anew."
        ),
        ("PRO-08", "gap-unknown"): (
            "Stop and ask a physician: nobody knows how long delivery was interrupted. Restart with at most "
            "{restart_percent} % of the dose."
        ),
        ("PRO-08", "restart-dose"): (
            "Lower the dose: {proposed_mcg} mcg a day is more than {limit_mcg} mcg, {restart_percent} % of the "
            "{before_mcg} mcg before the interruption."
        ),
        ("PRO-08", "same-program"): (
            "Choose a dose anew: the program must not simply run on. A physician has not decided yet ({cards})."
        ),
        ("REF-11", "empty-now"): (
            "Treat this as interrupted therapy, and ask a physician before filling: empty for {empty_for}."
        ),
        ("REF-11", "late"): "Look for signs of withdrawal: the refill is {late_days} days late.",
        ("U-11", "memory-reset-now"): (
            "Program everything anew: the pump has lost its memory and does not run the program that was verified."
        ),
        ("U-11", "battery-reset"): (
            "Program everything anew: a low battery reset the pump, and it does not run the program that was verified."
        ),
        ("U-11", "reset-before"): "Note that the pump was reset, and was programmed anew afterwards.",
        ("U-11", "memory-error"): (
            "Program everything anew: the pump found an error in its memory, and its program cannot be trusted."
        ),
        ("U-11", "memory-error-before"): "Note the memory error: the pump was programmed anew afterwards.",
        ("U-11", "other-settings"): (
            "Compare and take over: the pump runs other settings than the record, since revision {revision}."
        ),
        ("U-11", "revision-gap"): (
            "Ask who else worked on this pump: it is at revision {revision}, the record at {expected}. The settings "
            "are the same."
        ),
        ("LIF-01", "replace-by"): "Plan the replacement now: the battery nears its end. Replace by {replace_by}.",
        ("U-13", "replace-by-unknown"): (
            "Contact the manufacturer: the battery nears its end, and by when the pump must be replaced is unknown."
        ),
        ("LIF-01", "end-of-service"): (
            "Arrange another therapy at once and call a physician: the battery has ended, and nothing is delivered."
        ),
        ("U-12", "clock-near"): "Set the pump's clock, or say why not: it is {offset_min} min off.",
        ("U-12", "clock-far"): "Set the pump's clock before anything is sent: it is {offset_min} min off.",
        ("IMP-01", "implant-details"): (
            "Complete the implant record in the patient's file: tip level, port orientation, side and surgeon of the "
            "new pump."
        ),
        ("IMP-01", "no-catheter"): "Find out which catheter is implanted: without it no bridge can be worked out.",
        ("IMP-01", "trimmed-unknown"): (
            "Find the implant record: how much of the catheter was cut off is not on record, and a bridge needs it."
        ),
        ("H-30", "system-revised"): (
            "Have a physician choose the dose anew: pump or catheter were revised, and the old dose may be too much."
        ),
        ("CON-02", "bridge-running"): "Wait, or ask a physician: the bridge bolus of the last change still runs.",
        ("R-6", "unknown-event"): (
            "Ask the manufacturer: the log holds code {code}, value {value} ({times} in all), and this program has no "
            "name for it."
        ),
        ("CON-07", "dose-too"): (
            "Change one thing at a time: the concentration changes, and the daily dose too, from "
            "{old_daily_dose_mcg} to {new_daily_dose_mcg} mcg."
        ),
    }
)

ALARM_TEXTS = MappingProxyType(
    {
        "alarm-low-reservoir": "Refill today: the pump has counted down to its low-reservoir alarm.",
        "alarm-empty-reservoir": "Treat this as interrupted therapy: the pump has counted its reservoir empty.",
        "alarm-eri": "Plan the replacement now: the pump's battery nears its end.",
        "alarm-end-of-service": "Arrange another therapy at once: the pump's battery has ended.",
        "alarm-motor-stall": "Find out since when the motor stands still, and do not simply restart at the old dose.",
        "alarm-stopped-too-long": "Find out why the pump has been stopped for more than 48 h.",
    }
)
