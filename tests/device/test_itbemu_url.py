"""An emulated pump behind a URL is a port like any other: to the program, and to any client of pyserial."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest
import serial
from serial.threaded import Protocol, ReaderThread

from app.device.frames import TO_PROGRAM, TO_PUMP, Frame, bench_key, decode_frame, encode_frame
from app.device.messages import Hello, Hi, decode_message, encode_message
from app.device.protocols.protocol_itbemu import register_pumps
from app.device.server import Do, Fault, PumpServer
from app.device.transports import SerialCable
from app.models.errors import AppError
from app.models.pump import CommandUncertainError, LinkLostError, Resolution
from tests.device.pumps import ANCHOR, SERIAL, TXN, WANTED, make_client, make_server

URL = f"itbemu://{SERIAL}"


class Workshop:
    """Makes pumps, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.made: dict[str, PumpServer] = {}

    def make(self, number: str, options: Mapping[str, str]) -> PumpServer:
        self.asked.append((number, dict(options)))
        self.made[number] = make_server(serial=number)
        return self.made[number]


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    before = list(serial.protocol_handler_packages)
    made = Workshop()
    register_pumps(made.make)
    yield made
    register_pumps(None)
    serial.protocol_handler_packages[:] = before


def hello(number: int) -> bytes:
    """A greeting as it stands on the cable."""
    frame = Frame(Hello.KIND, TO_PUMP, 0, number, encode_message(Hello(bytes(range(16)))))
    return encode_frame(frame, bench_key(SERIAL))


def hi_in(arrived: bytes) -> Hi:
    frame = decode_frame(arrived.strip(b"\0"), bench_key(SERIAL))
    assert frame.direction == TO_PROGRAM
    answer = decode_message(frame.kind, frame.payload)
    assert isinstance(answer, Hi)
    return answer


class TestTheProgram:
    def test_a_program_is_staged_committed_and_found_again(self, workshop: Workshop) -> None:
        client = make_client(lambda: SerialCable(URL))
        base = client.interrogate()
        sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
        assert client.commit(sealed).revision == 2
        assert client.interrogate().settings == WANTED
        assert client.resolve(TXN, SERIAL) is Resolution.COMMITTED
        client.close()

    def test_the_next_opening_finds_the_same_pump(self, workshop: Workshop) -> None:
        first = make_client(lambda: SerialCable(URL))
        base = first.interrogate()
        first.commit(first.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR))
        first.close()
        second = make_client(lambda: SerialCable(URL))
        assert second.interrogate().revision == 2
        second.close()
        assert workshop.asked == [(SERIAL, {})]

    def test_a_lost_answer_is_waited_for_and_leaves_the_result_open(self, workshop: Workshop) -> None:
        client = make_client(lambda: SerialCable(URL))
        sealed = client.stage(txn=TXN, serial=SERIAL, base=client.interrogate(), order=WANTED, anchor=ANCHOR)
        workshop.made[SERIAL].faults.append(Fault(Do.DROP_ANSWER, "Commit"))
        with pytest.raises(CommandUncertainError):
            client.commit(sealed)
        assert client.resolve(TXN, SERIAL) is Resolution.COMMITTED
        client.close()

    def test_a_pump_that_vanishes_is_a_lost_link_until_it_is_opened_again(self, workshop: Workshop) -> None:
        client = make_client(lambda: SerialCable(URL))
        base = client.interrogate()
        workshop.made[SERIAL].faults.append(Fault(Do.DIE_AFTER, "Commit"))
        sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
        with pytest.raises(CommandUncertainError):
            client.commit(sealed)
        assert client.resolve(TXN, SERIAL) is Resolution.COMMITTED
        client.close()

    @pytest.mark.parametrize("url", ["itbemu://", f"{URL}?colour=blue"])
    def test_a_url_that_cannot_be_opened_is_a_lost_link(self, workshop: Workshop, url: str) -> None:
        with pytest.raises(LinkLostError) as lost:
            SerialCable(url)
        assert lost.value.values["port"] == url


class TestAnyClient:
    def test_a_greeting_is_answered(self, workshop: Workshop) -> None:
        with serial.serial_for_url(URL, timeout=0.2) as port:
            assert port.write(hello(1)) == len(hello(1))
            waiting = port.in_waiting
            answer = port.read(4096)
        assert len(answer) == waiting
        assert hi_in(answer).serial == SERIAL

    def test_a_reader_thread_gets_the_answer(self, workshop: Workshop) -> None:
        arrived = threading.Event()
        heard = bytearray()

        class Listener(Protocol):
            def data_received(self, data: bytes) -> None:
                heard.extend(data)
                if heard.count(0) == 2:
                    arrived.set()

        reader = ReaderThread(serial.serial_for_url(URL), Listener)
        with reader:
            reader.write(hello(1))
            assert arrived.wait(5)
        assert hi_in(bytes(heard)).serial == SERIAL

    def test_each_pump_is_its_own(self, workshop: Workshop) -> None:
        with serial.serial_for_url(URL, timeout=0), serial.serial_for_url("itbemu://CIS000043", timeout=0) as other:
            other.write(hello(1))
            assert other.in_waiting
        assert [number for number, _ in workshop.asked] == [SERIAL, "CIS000043"]
        assert workshop.made[SERIAL].heard == []

    def test_options_reach_the_maker_as_text(self, workshop: Workshop) -> None:
        url = f"{URL}?model=synchromed-ii-20&speed=60&state=%2Ftmp%2Fa%20pump.json"
        serial.serial_for_url(url).close()
        assert workshop.asked == [(SERIAL, {"model": "synchromed-ii-20", "speed": "60", "state": "/tmp/a pump.json"})]

    def test_line_settings_are_kept_and_mean_nothing(self, workshop: Workshop) -> None:
        with serial.serial_for_url(URL, baudrate=9600, timeout=0) as port:
            port.baudrate, port.rts, port.dtr = 115_200, False, False
            assert (port.baudrate, port.cts, port.dsr, port.cd, port.ri) == (115_200, True, True, True, False)
            port.write(hello(1))
            port.flush()
            port.reset_output_buffer()
            assert port.in_waiting and not port.out_waiting


class TestReading:
    @pytest.fixture
    def port(self, workshop: Workshop) -> Iterator[serial.SerialBase]:
        with serial.serial_for_url(URL, timeout=0) as port:
            yield port

    def test_timeout_0_returns_at_once_what_there_is(self, port: serial.SerialBase) -> None:
        assert port.read(10) == b""
        port.write(hello(1))
        everything = port.in_waiting
        assert len(port.read(10)) == 10
        assert len(port.read(4096)) == everything - 10

    def test_a_timeout_is_waited_for_and_then_gives_the_part_that_came(self, port: serial.SerialBase) -> None:
        port.write(hello(1))
        everything, port.timeout = port.in_waiting, 0.15
        began = time.monotonic()
        assert len(port.read(everything + 1)) == everything
        assert time.monotonic() - began >= 0.15

    def test_nothing_is_waited_for_once_enough_is_there(self, port: serial.SerialBase) -> None:
        port.timeout = 60
        port.write(hello(1))
        assert len(port.read(5)) == 5

    def test_without_a_timeout_it_waits_until_another_thread_has_written(self, port: serial.SerialBase) -> None:
        port.timeout = None
        writer = threading.Timer(0.1, port.write, (hello(1),))
        writer.start()
        assert len(port.read(20)) == 20
        writer.join()

    @pytest.mark.parametrize("end", [serial.SerialBase.__exit__, lambda port: port.cancel_read()])
    def test_a_waiting_read_ends_when_the_port_is_closed_or_the_read_cancelled(
        self, port: serial.SerialBase, end: Callable[[serial.SerialBase], object]
    ) -> None:
        port.timeout = None
        ender = threading.Timer(0.1, end, (port,))
        ender.start()
        assert port.read(1) == b""
        ender.join()

    def test_a_cancelled_read_is_forgotten_by_the_next(self, port: serial.SerialBase) -> None:
        port.timeout = None
        port.cancel_read()
        assert port.read(1) == b""
        writer = threading.Timer(0.1, port.write, (hello(1),))
        writer.start()
        assert len(port.read(20)) == 20
        writer.join()

    def test_a_reset_forgets_what_has_arrived(self, port: serial.SerialBase) -> None:
        port.write(hello(1))
        port.reset_input_buffer()
        assert port.in_waiting == 0 and port.read(1) == b""

    def test_a_pump_that_vanishes_is_an_error_after_its_last_byte(
        self, port: serial.SerialBase, workshop: Workshop
    ) -> None:
        workshop.made[SERIAL].faults.append(Fault(Do.DIE_BEFORE, "Hello", 2))
        port.write(hello(1))
        port.write(hello(2))
        assert hi_in(port.read(4096)).session == 1
        for attempt in (lambda: port.read(1), lambda: port.write(b"x"), lambda: port.in_waiting):
            with pytest.raises(serial.SerialException, match="the pump is gone"):
                attempt()
        port.close()
        port.open()
        port.write(hello(3))
        assert hi_in(port.read(4096)).session == 2


class TestOpeningAndClosing:
    def test_a_port_has_one_user_at_a_time(self, workshop: Workshop) -> None:
        first = serial.serial_for_url(URL)
        with pytest.raises(serial.SerialException, match="in use"):
            serial.serial_for_url(URL)
        with pytest.raises(serial.SerialException, match="already open"):
            first.open()
        first.close()
        serial.serial_for_url(URL).close()

    def test_a_port_that_is_closed_twice_is_taken_from_nobody(self, workshop: Workshop) -> None:
        first = serial.serial_for_url(URL)
        first.close()
        second = serial.serial_for_url(URL)
        first.close()
        with pytest.raises(serial.SerialException, match="in use"):
            first.open()
        second.close()

    def test_a_port_that_nobody_holds_any_more_is_free(self, workshop: Workshop) -> None:
        port = serial.serial_for_url(URL)
        del port
        gc.collect()
        serial.serial_for_url(URL).close()

    def test_half_a_frame_is_noise_once_the_port_is_closed(self, workshop: Workshop) -> None:
        with serial.serial_for_url(URL, timeout=0) as port:
            port.write(hello(1)[:20])
        with serial.serial_for_url(URL, timeout=0) as port:
            port.write(hello(1)[20:])
            assert port.in_waiting == 0
            port.write(hello(2))
            assert hi_in(port.read(4096)).session == 1
        assert workshop.made[SERIAL].heard == ["Hello"]

    def test_what_was_not_read_is_gone_with_the_opening(self, workshop: Workshop) -> None:
        port = serial.serial_for_url(URL, timeout=0)
        port.write(hello(1))
        port.close()
        port.open()
        assert port.read(1) == b""
        port.close()

    def test_an_answer_that_comes_after_the_port_was_closed_reaches_nobody(self) -> None:
        class Slow(PumpServer):
            def feed(self, arrived: bytes) -> bytes:
                answer = super().feed(arrived)
                port.close()
                port.open()
                return answer

        register_pumps(lambda number, _options: Slow(make_server().pump, bench_key(number)))
        port = serial.serial_for_url(URL, timeout=0)
        port.write(hello(1))
        assert port.read(1) == b""
        port.close()
        register_pumps(None)

    @pytest.mark.parametrize(
        "use",
        [
            lambda port: port.read(1), lambda port: port.write(b"x"), lambda port: port.in_waiting,
            lambda port: port.flush(), lambda port: port.reset_input_buffer(), lambda port: port.out_waiting,
        ],
    )  # fmt: skip
    def test_a_closed_port_can_do_nothing(
        self, workshop: Workshop, use: Callable[[serial.SerialBase], object]
    ) -> None:
        port = serial.serial_for_url(URL, do_not_open=True)
        assert workshop.asked == []
        with pytest.raises(serial.PortNotOpenError):
            use(port)

    def test_a_later_opening_may_leave_options_out_but_not_contradict(self, workshop: Workshop) -> None:
        serial.serial_for_url(f"{URL}?speed=60").close()
        serial.serial_for_url(URL).close()
        serial.serial_for_url(f"{URL}?speed=60").close()
        for other in ("speed=61", "model=synchromed-ii-40"):
            with pytest.raises(serial.SerialException, match=r"here already, with another (speed|model)"):
                serial.serial_for_url(f"{URL}?{other}")
        assert len(workshop.asked) == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("url", "words"),
        [
            (f"{URL}?colour=blue", "there is no option 'colour'"),
            (f"{URL}?speed=60&speed=61", "the option 'speed' stands there twice"),
            (f"{URL}?speed=fast", "speed must be a whole number up to 100000, not 'fast'"),
            (f"{URL}?speed=100001", "speed must be a whole number"),
            (f"{URL}?speed=-1", "speed must be a whole number"),
            (f"{URL}?speed=", "speed must be a whole number"),
            (f"{URL}?speed", "bad query field"),
            (f"{URL}/a", "'a' has no meaning here"),
            (f"{URL}#a", "'a' has no meaning here"),
            ("itbemu://", "there is no serial number"),
            ("itbemu://[", "expected itbemu://SERIAL"),
        ],
    )
    def test_a_url_that_is_not_of_that_form_says_why(self, workshop: Workshop, url: str, words: str) -> None:
        with pytest.raises(serial.SerialException) as refused:
            serial.serial_for_url(url)
        assert words in str(refused.value) and url in str(refused.value)
        assert workshop.asked == []

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (type("NoSuchPumpError", (AppError,), {})(serial=SERIAL), "NoSuchPumpError"),
            (ValueError("no model of that name"), "no model of that name"),
            (PermissionError(13, "Permission denied"), "Permission denied"),
        ],
    )
    def test_a_pump_that_cannot_be_made_says_why_and_is_tried_anew(self, error: Exception, words: str) -> None:
        errors = [error]

        def make(number: str, _options: Mapping[str, str]) -> PumpServer:
            if errors:
                raise errors.pop()
            return make_server(serial=number)

        register_pumps(make)
        try:
            with pytest.raises(serial.SerialException) as refused:
                serial.serial_for_url(URL)
            serial.serial_for_url(URL).close()
        finally:
            register_pumps(None)
        assert words in str(refused.value)

    def test_without_a_maker_there_is_no_pump(self, workshop: Workshop) -> None:
        register_pumps(None)
        with pytest.raises(serial.SerialException, match="no emulated pumps are registered in this process"):
            serial.serial_for_url(URL)

    def test_registering_anew_starts_without_pumps_and_disturbs_no_open_port(self, workshop: Workshop) -> None:
        old = serial.serial_for_url(URL, timeout=0)
        again = Workshop()
        register_pumps(again.make)
        with serial.serial_for_url(URL, timeout=0) as new:
            old.write(hello(1))
            assert old.in_waiting and not new.in_waiting
            old.close()
            with pytest.raises(serial.SerialException, match="in use"):
                serial.serial_for_url(URL)

    def test_pyserial_is_told_of_the_scheme_once(self, workshop: Workshop) -> None:
        register_pumps(workshop.make)
        assert serial.protocol_handler_packages.count("app.device.protocols") == 1
