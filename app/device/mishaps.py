"""What befalls an emulated pump from outside: a syringe, a patient's button, a magnet, wear, a failing memory.

Law: nothing here goes over the cable; each function changes the pump in one write of its memory, and the pump finds
out as much as a real one would.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from app.device.emulated_pump import EmulatedPump
from app.device.ledger import Extra
from app.device.pump_memory import Agenda, Slot
from app.device.settings_codec import encode_settings
from app.models.program import MinimumRate, Program, Stopped
from app.models.pump import Alarm, PumpEventKind
from app.models.quantities import Volume


def set_flow_error(pump: EmulatedPump, error: Fraction) -> None:
    """From now on really deliver ``1 + error`` of what is counted: over-infusion above 0, under-delivery below."""
    _reopen(pump, error=error)


def set_occluded(pump: EmulatedPump, occluded: bool) -> None:
    """Close the catheter, or open it again. The pump does not notice: it counts on, and nothing leaves it."""
    _reopen(pump, occluded=occluded)


def stall(pump: EmulatedPump) -> None:
    """Stop the motor. The pump logs it and sounds an alarm, and its counter goes on all the same."""
    if pump.memory.stalled_since is None:
        _reopen(pump, stalled=True)
        pump.note(PumpEventKind.STALLED, stalled_since=pump.clock.now())


def recover(pump: EmulatedPump) -> None:
    """Let the motor turn again."""
    if pump.memory.stalled_since is not None:
        _reopen(pump, stalled=False)
        waiting = tuple(item for item in pump.memory.agenda if item[1] is not Agenda.MOTOR_RECOVERS)
        pump.note(PumpEventKind.RECOVERED, stalled_since=None, agenda=waiting)


def scan(pump: EmulatedPump, *, recovers_after_min: int) -> None:
    """A magnetic resonance scan: the rotor stops, and turns again so many minutes later, by itself."""
    stall(pump)
    at = pump.clock.now() + timedelta(minutes=recovers_after_min)
    pump.keep(
        replace(pump.memory, agenda=tuple(sorted((*pump.memory.agenda, (at, Agenda.MOTOR_RECOVERS, 0)))))
    )


def fill_by_hand(pump: EmulatedPump, volume: Volume) -> None:
    """What a syringe really leaves in the reservoir; the next fill that is told does not change it."""
    _reopen(pump, physical=Fraction(volume.quanta))
    pump.keep(replace(pump.memory, filled_by_hand=volume.quanta))


def press_button(pump: EmulatedPump) -> bool:
    """The patient calls for a bolus; whether the pump gives it. Refused while one runs, in the lockout, or past the
    day's number (counted over the last 24 hours)."""
    pump.catch_up()
    now, memory = pump.clock.now(), pump.memory
    settings = memory.epoch.settings
    allowed = settings.program.patient_activated
    today = tuple(at for at in memory.patient_boluses if now - at < timedelta(hours=24))
    if (
        allowed is None
        or not pump.runs()
        or any(extra.end > now for extra in memory.epoch.extras)
        or len(today) >= allowed.max_per_day
        or (today and now - today[-1] < timedelta(minutes=allowed.lockout_min))
    ):
        pump.note(PumpEventKind.PATIENT_REFUSED)
        return False
    volume = Fraction(allowed.dose.quanta, settings.concentration.quanta)
    extra = Extra(now, allowed.duration_min, volume)
    called = replace(memory, patient_boluses=(*today, now))
    pump.keep(pump.with_bolus(called, extra, PumpEventKind.PATIENT_BOLUS, now))
    return True


def lose_memory(pump: EmulatedPump) -> None:
    """The program is gone: the pump falls back to its minimum rate, or stops, and says that it was reset."""
    _fall_back(pump, Alarm.CRITICAL_MEMORY_ERROR)


def drain_battery(pump: EmulatedPump) -> None:
    """A low-battery reset: as after a lost memory, with an alarm of its own."""
    _fall_back(pump, Alarm.LOW_BATTERY_RESET)


def wear_out(pump: EmulatedPump, *, days_left: int) -> None:
    """Let the battery reach the end of its service in so many days; the replacement indicator goes before it."""
    pump.keep(replace(pump.memory, service_end=pump.clock.now() + timedelta(days=days_left)))


def jump_clock(pump: EmulatedPump, seconds: int) -> None:
    """The clock's face jumps though no time has passed, and nothing is logged."""
    pump.catch_up()
    pump.keep(pump.after_step(pump.memory, seconds, pump.clock.now()))
    pump.clock.advance(timedelta(seconds=seconds))


def _fall_back(pump: EmulatedPump, alarm: Alarm) -> None:
    pump.catch_up()
    now, memory = pump.clock.now(), pump.memory
    delivery = MinimumRate() if pump.model.minimum_rate is not None else Stopped()
    settings = replace(memory.epoch.settings, program=Program(delivery), bridge=None, reservoir=None)
    slots = list(memory.slots)
    slots[memory.active] = Slot.of(memory.slot.revision + 1, encode_settings(settings))
    pump.note(
        PumpEventKind.RESET,
        slots=(slots[0], slots[1]),
        epoch=replace(pump.opened(memory, now), settings=settings, extras=(), running=True),
        agenda=tuple(item for item in memory.agenda if item[1] is Agenda.MOTOR_RECOVERS),
        reset=True,
        latched=tuple({*memory.latched, alarm.value}),
        stopped_since=now if isinstance(delivery, Stopped) else None,
    )
    pump.reboot()


def _reopen(pump: EmulatedPump, **changes: object) -> None:
    """Close the books at this second and open them with ``changes``."""
    pump.catch_up()
    epoch = replace(pump.opened(pump.memory, pump.clock.now()), **changes)  # type: ignore[arg-type]
    pump.keep(replace(pump.memory, epoch=epoch))
