"""Our LAN before firmware: what is ours, what is asked of it, and that its answers come when they come."""

from __future__ import annotations

import pytest
from tests.lan.lan_world import Console, Console15, lan_message, make_server

from baseboard.bmc import Bmc, Settings
from baseboard.bmc.commands import assemble
from baseboard.errors import LocalProtocolError
from baseboard.fleet.bridge import DEFERRED, FirmwareBridge
from baseboard.host.seam import Answered, FirmwareFound, FirmwareLost
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.server import LanServer


class Firmware:
    """Keeps what it is asked, and answers when it is told to."""

    tells_orders = False

    def __init__(self) -> None:
        self.asked: dict[int, Message] = {}

    async def start(self, deliver: object) -> None:
        raise LocalProtocolError("nobody starts it here")

    async def close(self) -> None:
        pass

    def submit(self, id_: int, message: Message, now: float) -> None:
        self.asked[id_] = message

    def abandon(self, id_: int, now: float) -> None:
        pass

    def found(self) -> dict[str, object]:
        return {}

    def counters(self) -> dict[str, int]:
        return {}


class World:
    """A LAN with one console, a bridge, and a firmware."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.flushed = 0
        self.firmware = Firmware()
        bmc = Bmc(Settings())
        self.bridge = FirmwareBridge(self.firmware, assemble(bmc), self.said.append)
        self.server: LanServer = make_server()
        toy = self.server.handler

        def handle(message: Message, context: Context) -> bytes:
            """Logging in is the toy's, as elsewhere; everything else the bridge's."""
            ours = message.netfn == 0x06 and message.command in (0x37, 0x3B, 0x3C)
            return toy(message, context) if ours else self.bridge.handle(message, context)

        self.server.handler = handle
        self.bridge.attach(self.server, self._flush)
        self.console = Console(self.server).login()

    def _flush(self) -> None:
        self.flushed += 1

    def answers(self) -> list[bytes]:
        """What has gone to the console meanwhile."""
        return [self.console.unseal(datagram)[2] for datagram, _ in self.server.datagrams_to_send()]


def test_an_answer_comes_when_it_comes() -> None:
    world = World()
    assert world.console.request(0x06, 0x01) is None
    assert list(world.firmware.asked.values()) == [Message(0x06, 0, 0x01)]
    assert world.answers() == []
    (id_,) = world.firmware.asked
    world.bridge.deliver(Answered(id_, bytes.fromhex("00 20 01")))
    (answer,) = world.answers()
    assert answer[6:-1] == bytes.fromhex("00 20 01")
    assert answer[5] == 0x01
    assert answer[4] == world.console.request_sequence << 2
    assert world.flushed == 1
    world.bridge.deliver(Answered(id_, b"\0"))  # and once more
    assert world.answers() == []


def test_a_console_that_asks_again_is_asked_for_once() -> None:
    world = World()
    message = lan_message(0x06, 0x01, b"", 9)
    for _ in range(3):
        assert world.console.send(world.console.seal(message)) is None
    assert len(world.firmware.asked) == 1
    world.bridge.deliver(Answered(1, b"\0"))
    assert len(world.answers()) == 1
    world.console.send(world.console.seal(message))
    assert len(world.firmware.asked) == 2


def test_more_than_can_be_open_are_busy() -> None:
    world = World()
    for number in range(65):
        world.console.send(world.console.seal(lan_message(0x06, 0x01, bytes((number,)), number & 0x3F)))
    assert len(world.firmware.asked) == 64
    (answer,) = world.answers()
    assert answer[6] == 0xC0


def test_an_answer_for_a_session_that_is_gone() -> None:
    world = World()
    world.console.request(0x06, 0x01)
    world.server.close_all()
    world.bridge.deliver(Answered(1, b"\0"))
    assert world.server.datagrams_to_send() == []


def test_ipmi_15() -> None:
    world = World()
    console = Console15(world.server).login()
    assert console.request(0x06, 0x01) is None
    world.bridge.deliver(Answered(1, bytes(300)))
    ((datagram, _),) = world.server.datagrams_to_send()
    assert datagram[-2] == 0xCA  # more than a packet of IPMI 1.5 holds: cannot return so many bytes


# fmt: off
SORTS = [
    # netfn, command, data    privilege             answered
    (0x06,   0x38, "0e 04",   Privilege.USER,           "here"),      # Get Channel Auth. Capabilities
    (0x06,   0x44, "01 01",   Privilege.OPERATOR,       "here"),      # Get User Access
    (0x0C,   0x02, "01 03 00 00", Privilege.OPERATOR,   "here"),      # Get LAN Configuration Parameters
    (0x06,   0x01, "",        Privilege.USER,           "firmware"),  # Get Device ID
    (0x00,   0x02, "00",      Privilege.USER,           "d4"),        # Chassis Control needs Operator
    (0x00,   0x02, "00",      Privilege.OPERATOR,       "firmware"),
    (0x0A,   0x43, "",        Privilege.USER,           "firmware"),  # Get SEL Entry; its length is not ours
    (0x2C,   0x01, "dc",      Privilege.USER,           "firmware"),  # Get DCMI Capabilities
    (0x2C,   0x7F, "dc",      Privilege.OPERATOR,       "d4"),
    (0x2C,   0x01, "",        Privilege.OPERATOR,       "d4"),
    (0x30,   0x01, "",        Privilege.OPERATOR,       "d4"),        # an OEM command needs Administrator
    (0x30,   0x01, "",        Privilege.ADMINISTRATOR,  "firmware"),
]
# fmt: on


@pytest.mark.parametrize(("netfn", "command", "data", "privilege", "answered"), SORTS)
def test_who_answers(netfn: int, command: int, data: str, privilege: Privilege, answered: str) -> None:
    world = World()
    (session,) = world.server.active()
    message = Message(netfn, 0, command, bytes.fromhex(data))
    answer = world.bridge.handle(message, Context(1, privilege, session=session))
    if answered == "firmware":
        assert answer == DEFERRED
    elif answered == "here":
        assert answer != DEFERRED
        assert answer[0] != 0xD4
    else:
        assert answer.hex() == answered


def test_without_a_session_nothing_reaches_the_firmware() -> None:
    world = World()
    assert world.bridge.handle(Message(0x06, 0, 0x01), Context(1, Privilege.NONE)) == b"\xd4"
    assert world.firmware.asked == {}


def test_what_becomes_of_the_firmware_is_told() -> None:
    world = World()
    world.bridge.deliver(FirmwareFound("channel 3"))
    world.bridge.deliver(FirmwareLost("the BMC was reset"))
    assert world.said == [
        "the firmware answers on channel 3",
        "the firmware does not answer: the BMC was reset",
    ]
