"""Firmware that misbehaves, behind the registers of a KCS or BT whose BMC's end it drives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baseboard.host.registers import RegisterResponder
from baseboard.host.seam import Answered, ResponderEvent
from baseboard.interface.bt import Bt
from baseboard.interface.bt.driver import BtDriver
from baseboard.interface.bt.registers import SMS_ATN as BT_ATTENTION
from baseboard.interface.driver import Direct
from baseboard.interface.kcs import Kcs, KcsDriver, on_port
from baseboard.interface.kcs.registers import SMS_ATN
from baseboard.interface.seam import RequestReceived
from baseboard.ipmi.message import Message

GET_DEVICE_ID = Message(0x06, 0, 0x01)

Answer = Callable[[RequestReceived], bytes | None]


class Bench:
    """Responder and firmware, and a clock that somebody turns."""

    def __init__(self, interface: str = "kcs", **options: Any) -> None:
        self.device: Any = Kcs() if interface == "kcs" else Bt()
        registers = Direct(self.device.registers)
        driver = KcsDriver(registers, retries=0) if interface == "kcs" else BtDriver(registers, retries=0)
        attention = SMS_ATN if interface == "kcs" else BT_ATTENTION
        status = 1 if interface == "kcs" else 0
        self.responder = RegisterResponder(
            driver, lambda: bool(registers.read(status) & attention), **options
        )
        self.now = 100.0
        self.events: list[ResponderEvent] = []
        self.asked: list[RequestReceived] = []
        self.answer: Answer = lambda request: b"\0" + bytes((request.message.command,)) + request.message.data
        self.device.engine.wake = lambda: None

    def submit(self, id_: int, message: Message = GET_DEVICE_ID) -> None:
        self.responder.submit(id_, message, self.now)

    def firmware(self) -> bool:
        """The firmware's turn."""
        event = self.device.engine.next_event()
        if isinstance(event, RequestReceived):
            self.asked.append(event)
            data = self.answer(event)
            if data is not None:
                self.device.engine.respond(event.id, data)
        return event is not None

    def turn(self) -> None:
        """Everything that can happen now."""
        for _ in range(20_000):
            progress = self.responder.step(self.now)
            progress |= self.firmware()
            while (event := self.responder.next_event()) is not None:
                self.events.append(event)
            if not progress:
                return
        raise AssertionError("it never comes to rest")

    def rest(self, seconds: float = 60.0) -> None:
        """Until nothing is under way, with time passing whenever nothing else happens."""
        end = self.now + seconds
        self.turn()
        while self.now < end and not self.responder.idle:
            self.now += 0.25
            self.turn()

    def answers(self) -> dict[int, str]:
        """What was answered so far, by id; each id once."""
        found: dict[int, str] = {}
        for event in self.events:
            if isinstance(event, Answered):
                assert event.id not in found, f"{event.id} was answered twice"
                found[event.id] = event.data.hex(" ")
        return found


class RawKcs:
    """A KCS port whose BMC follows the flow chart and answers any bytes at all.  [IPMI 9.15]

    `answer` is given the whole request and returns the whole answer, network function and command first; None
    is the error state. It shares nothing with our engine.
    """

    IDLE, READ, WRITE, ERROR = 0x00, 0x40, 0x80, 0xC0

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self.answer = answer
        self.state = self.IDLE
        self.output: int | None = None
        self.request = bytearray()
        self.left = b""
        self.last = self.aborting = False

    def read_status(self) -> int:
        return self.state | (self.output is not None)

    def read_data(self) -> int:
        value, self.output = self.output, None
        return value or 0

    def write_command(self, value: int) -> None:
        self.output = 0
        if value == 0x61:
            self.state, self.last, self.aborting = self.WRITE, False, False
            self.request.clear()
        elif value == 0x62 and self.state == self.WRITE:
            self.last = True
        elif value == 0x60:
            self.state, self.aborting = self.WRITE, True
        else:
            self.state = self.ERROR

    def write_data(self, value: int) -> None:
        if self.aborting and self.state == self.WRITE:
            self.state, self.output, self.left = self.READ, 1, b""
        elif self.state == self.WRITE:
            self.request.append(value)
            self.output = 0
            if self.last:
                answer = self.answer(bytes(self.request))
                self.state = self.ERROR if answer is None else self.READ
                self.left = answer or b""
                self.output = None
                self._next()
        elif self.state == self.READ and value == 0x68:
            self._next()
        else:
            self.state = self.ERROR

    def _next(self) -> None:
        if self.state == self.READ and self.left:
            self.output, self.left = self.left[0], self.left[1:]
        elif self.state == self.READ:
            self.state, self.output = self.IDLE, 0


def raw(answer: Callable[[bytes], bytes | None]) -> tuple[RegisterResponder, list[bytes], list[str]]:
    """What comes of one Get Device ID: the responder, the requests that arrived, the answers."""
    arrived: list[bytes] = []

    def keep(request: bytes) -> bytes | None:
        arrived.append(request)
        return answer(request)

    driver = KcsDriver(on_port(RawKcs(keep)), retries=0)
    responder = RegisterResponder(driver, lambda: False)
    responder.submit(1, GET_DEVICE_ID, 0.0)
    answers: list[str] = []
    now = 0.0
    while not answers:
        for _ in range(5000):
            if not responder.step(now):
                break
        while (event := responder.next_event()) is not None:
            assert isinstance(event, Answered)
            answers.append(event.data.hex(" "))
        now += 0.5
        assert now < 20.0
    return responder, arrived, answers
