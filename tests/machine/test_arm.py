"""The firmware's images, as they are compiled, under our host drivers: every chip, in one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.firmware import firmware

from baseboard.errors import ConfigError
from baseboard.interface.bt.driver import BtDriver
from baseboard.interface.driver import Driver, DriverEvent, ResponseReceived, TransferFailed, transact
from baseboard.interface.kcs import KcsDriver
from baseboard.ipmi.message import Message
from baseboard.machine import BOARDS, ArmMachine, Elf, GuestFault, Stop
from baseboard.responder import AST2400, AST2500, AspeedLpc, Npcm7xxKcs

GET_DEVICE_ID = Message(0x06, 0, 0x01)
ECHO, SET_ATTENTION, MISBEHAVE, GET_COUNTERS = (Message(0x30, 0, command) for command in (1, 2, 3, 4))


class World:
    """Firmware in a machine, and a host before it; time passes when neither does anything."""

    def __init__(self, image: str, board: str, block: Any, host: Callable[[Any], Driver]) -> None:
        self.now = 0.0
        self.block = block
        self.machine = ArmMachine(BOARDS[board], block)
        self.image = Elf.from_file(firmware(image))
        self.polls = "polled" in image
        self.start()
        self.driver = host(block)

    def start(self) -> None:
        """From the first instruction, everything as after a reset."""
        self.machine.reset(self.image)
        assert self.machine.run(5000) is (Stop.LIMIT if self.polls else Stop.IDLE)

    def ask(self, message: Message, data: bytes = b"") -> DriverEvent:
        return transact(self.driver, message._replace(data=data), now=lambda: self.now, wait=self.wait)

    def wait(self, deadline: float | None) -> None:
        self.machine.wait()
        self.now += 0.01

    def answer(self, message: Message, data: bytes = b"") -> bytes:
        event = self.ask(message, data)
        assert isinstance(event, ResponseReceived), event
        assert event[:3] == (message.netfn | 1, message.lun, message.command)
        return event.data


# fmt: off
WORLDS: dict[str, Callable[[], World]] = {
    "npcm750, channel 1":  lambda: World("npcm750-interrupt", "npcm750-evb",  Npcm7xxKcs(),       npcm7xx(1)),
    "npcm750, channel 2":  lambda: World("npcm750-interrupt", "npcm750-evb",  Npcm7xxKcs(),       npcm7xx(2)),
    "npcm750, polled":     lambda: World("npcm750-polled",    "npcm750-evb",  Npcm7xxKcs(),       npcm7xx(3)),
    "ast2600, channel 3":  lambda: World("ast2600-interrupt", "ast2600-evb",  AspeedLpc(),        aspeed(3)),
    "ast2600, channel 4":  lambda: World("ast2600-interrupt", "ast2600-evb",  AspeedLpc(),        aspeed(4)),
    "ast2600, iBT":        lambda: World("ast2600-interrupt", "ast2600-evb",  AspeedLpc(),        ibt),
    "ast2600, polled":     lambda: World("ast2600-polled",    "ast2600-evb",  AspeedLpc(),        aspeed(4)),
    "ast2500, polled":     lambda: World("ast2500-polled",    "romulus-bmc",  AspeedLpc(AST2500), aspeed(3)),
    "ast2400, polled":     lambda: World("ast2400-polled",    "palmetto-bmc", AspeedLpc(AST2400), aspeed(3)),
}
# fmt: on
PRODUCT = {"ast2600": 0x2600, "ast2500": 0x2500, "ast2400": 0x2400, "npcm750": 0x0750}
EACH_KIND = ["npcm750, channel 1", "ast2600, channel 3", "ast2400, polled"]


def npcm7xx(channel: int) -> Callable[[Any], Driver]:
    return lambda block: KcsDriver(block.host(channel))


def aspeed(channel: int) -> Callable[[Any], Driver]:
    return lambda block: KcsDriver(block.kcs.host(channel))


def ibt(block: Any) -> Driver:
    return BtDriver(block.ibt.host(), retries=0)


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]()


@pytest.fixture
def product(request: pytest.FixtureRequest) -> int:
    name = request.node.callspec.params["world"]
    return PRODUCT[name.split(",")[0]]


def test_get_device_id(world: World, product: int) -> None:
    expected = bytes.fromhex("00 20 01 01 00 02 84 000000") + product.to_bytes(2, "little") + bytes(4)
    assert world.answer(GET_DEVICE_ID) == expected


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param("06 04", "00 55 00", id="self test"),
        pytest.param("06 04 00", "c7", id="wrong length"),
        pytest.param("06 99", "c1", id="unknown"),
        pytest.param("0a 40", "00 51 03 00 ffff 30000000 ffffffff 02", id="SEL info"),
        pytest.param(
            "0a 43 0000 0000 00 ff",
            "00 0200 0100 02 10000000 2000 04 12 01 6f 01ffff",
            id="first SEL entry",
        ),
        pytest.param("0a 43 0000 0300 05 04", "c5", id="part of an entry without reservation"),
        pytest.param("0a 43 0000 0900 00 ff", "cb", id="no such entry"),
        pytest.param("00 01", "00 01 00 00", id="chassis status"),
        pytest.param("00 02 09", "cc", id="chassis control"),
    ],
)
def test_commands(world: World, request_: str, answer: str) -> None:
    netfn, command, *data = bytes.fromhex(request_)
    assert world.answer(Message(netfn, 0, command), bytes(data)) == bytes.fromhex(answer)


@pytest.mark.parametrize("length", [0, 1, 200, 250])
def test_echo(world: World, length: int) -> None:
    data = bytes(value & 0xFF for value in range(length))
    assert world.answer(ECHO, data) == b"\x00" + data


def test_attention(world: World) -> None:
    """SMS_ATN, and what the event is when it is asked for."""
    flags, event = Message(6, 0, 0x31), Message(6, 0, 0x35)
    driver = world.driver
    assert isinstance(driver, KcsDriver | BtDriver)
    assert not driver.attention()
    assert world.answer(event) == b"\x80"
    assert world.answer(SET_ATTENTION, b"\x01") == b"\x00"
    assert driver.attention()
    assert world.answer(flags) == b"\x00\x02"
    assert world.answer(event)[:4] == bytes.fromhex("00 0200 02")
    assert not driver.attention()
    assert world.answer(flags) == b"\x00\x00"


def test_chassis_control_is_left_in_the_mailbox(world: World) -> None:
    """Down, and then nothing but up; and what the host says of its power."""
    control, status = Message(0, 0, 2), Message(0, 0, 1)
    assert world.answer(control, b"\x00") == b"\x00"
    assert world.answer(control, b"\x03") == b"\xd5"
    assert world.answer(status) == bytes(4)
    assert world.answer(Message(0x30, 0, 5)) == b"\x00\x00\x01"
    block = world.block
    if isinstance(block, AspeedLpc):
        mailbox = block.kcs.chip.mailbox
        assert [block.read(mailbox + offset, 4) for offset in (0, 4)] == [0, 1]
        block.write(mailbox + 8, 4, 2)
        assert world.answer(status) == b"\x00\x01\x00\x00"


# fmt: off
FAULTS = [
    #            fault on KCS on BT
    pytest.param(1,    False, False, id="silent"),
    pytest.param(3,    False, False, id="wrong sequence or command"),
    pytest.param(4,    True,  True,  id="too long"),
    pytest.param(5,    False, False, id="too short"),
    pytest.param(6,    False, False, id="stuck"),
    pytest.param(7,    True,  True,  id="twice"),
]
# fmt: on


@pytest.mark.parametrize(("fault", "on_kcs", "on_bt"), FAULTS)
@pytest.mark.parametrize("name", [*EACH_KIND, "ast2600, iBT"])
def test_misbehaviour(name: str, fault: int, on_kcs: bool, on_bt: bool) -> None:
    """What our drivers make of it, and that they go on with the next request unless BT is stuck for good."""
    world = WORLDS[name]()
    over_bt = "iBT" in name
    assert world.answer(MISBEHAVE, bytes((fault, 20))) == b"\x00"
    event = world.ask(ECHO, b"abc")
    assert isinstance(event, ResponseReceived if (on_bt if over_bt else on_kcs) else TransferFailed), event
    if over_bt and fault == 6:
        world.start()
    assert world.answer(MISBEHAVE, b"\x00\x00") == b"\x00"
    assert world.answer(GET_DEVICE_ID)[0] == 0


@pytest.mark.parametrize("name", EACH_KIND)
def test_abort_is_counted(name: str) -> None:
    world = WORLDS[name]()
    world.answer(MISBEHAVE, b"\x01\x01")
    world.driver.send_request(ECHO, world.now)
    for _ in range(40):
        if not world.driver.step(world.now):
            world.wait(None)
    world.driver.abort(world.now)
    while (event := world.driver.next_event()) is None:
        if not world.driver.step(world.now):
            world.wait(None)
    assert event == TransferFailed(1, "aborted")
    assert world.answer(GET_COUNTERS) == bytes.fromhex("00 03 01 00 00")


@pytest.mark.parametrize("name", EACH_KIND)
@pytest.mark.parametrize("steps", [1, 5, 9, 14, 25])
def test_reset_in_mid_transfer(name: str, steps: int) -> None:
    world = WORLDS[name]()
    world.driver.send_request(GET_DEVICE_ID, world.now)
    for _ in range(steps):
        if not world.driver.step(world.now):
            world.wait(None)
    assert world.driver.next_event() is None
    world.start()
    while (event := world.driver.next_event()) is None:
        if not world.driver.step(world.now):
            world.wait(None)
    assert isinstance(event, ResponseReceived)
    assert event.data[:2] == b"\x00\x20"


def test_a_machine_has_nothing_else() -> None:
    """Firmware of another chip touches what is not there."""
    machine = ArmMachine(BOARDS["npcm750-evb"], Npcm7xxKcs())
    machine.load(bytes.fromhex("0002a0e3 001090e5"), 0)  # mov r0, #0; ldr r1, [r0]: RAM, and then on
    machine.set_register("pc", 4)
    machine.set_register("r0", 0x1E789000)
    with pytest.raises(GuestFault, match=r"ARM: .* at 0x1e789000; pc=0x4"):
        machine.run(10)


def test_a_program_for_another_processor() -> None:
    machine = ArmMachine(BOARDS["romulus-bmc"], AspeedLpc(AST2500))
    with pytest.raises(ConfigError, match="RAM"):
        machine.load(Elf.from_file(firmware("ast2400-polled")))
