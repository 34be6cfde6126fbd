"""Master Write-Read, against what sits on the private buses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.fru import FruSettings
from baseboard.bmc.handlers import fru, i2c
from baseboard.ipmi import Channel, Privilege
from baseboard.ipmi.app_i2c import BusFault


@pytest.fixture
def talk() -> Conversation:
    return Conversation(i2c.TABLE, fru.TABLE)


def of_size(size: int, writable: bool = True) -> Conversation:
    """A server with one inventory: the bytes 0, 1, 2 ... over and over."""
    image = bytes(i & 0xFF for i in range(size))
    device = FruSettings(size=size, image=image, writable=writable)
    return Conversation(i2c.TABLE, fru.TABLE, settings=Settings(fru=(device,)))


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        # A FRU image begins with version 01h.  [FRU 8]
        pytest.param("18 52 01 a0 01 00", "1c 52 00 01", id="bus 0: the server's inventory"),
        pytest.param("18 52 03 a0 01 00", "1c 52 00 01", id="bus 1: a power supply's"),
        pytest.param("18 52 05 a0 01 00", "1c 52 00 01", id="bus 2: the other's"),
        pytest.param("18 52 01 a0 00 00", "1c 52 00", id="only write"),
        pytest.param("18 52 01 ae 00", "1c 52 00", id="is there anybody? the last block of 2 KiB"),
        pytest.param("18 52 03 a4 00", "1c 52 83", id="512 bytes have two addresses"),
        pytest.param("18 52 07 a0 01 00", "1c 52 83", id="bus 3 is empty"),
        pytest.param("18 52 01 20 01 00", "1c 52 83", id="nobody at 20h"),
        pytest.param("18 52 03 90 02 00", "1c 52 83", id="the thermometer is on bus 0"),
        pytest.param("18 52 01 90 02 02", "1c 52 00 4b 00", id="LM75: hysteresis at power-on is 75 degrees"),
        pytest.param("18 52 01 90 02 03", "1c 52 00 50 00", id="LM75: limit at power-on is 80 degrees"),
        pytest.param(
            "18 52 01 90 04 03", "1c 52 00 50 00 50 00", id="LM75: a register is read again and again"
        ),
        pytest.param("18 52 01 90 01 01", "1c 52 00 00", id="LM75: configuration"),
        pytest.param("18 52 00 72 01 00", "1c 52 83", id="IPMB: nobody but us"),
        pytest.param("18 52 00 20 01 00", "1c 52 83", id="IPMB: nor do we answer ourselves"),
        pytest.param("18 52 02 72 01 00", "1c 52 cc", id="channel 0 has one bus"),
        pytest.param("18 52 70 72 01 00", "1c 52 cc", id="no channel 7"),
        pytest.param("18 52 10 72 01 00", "1c 52 cc", id="the LAN is no I2C bus"),
        pytest.param("18 52 01 a0 ff 00", "1c 52 ca", id="more than fits"),
        pytest.param("18 52 01 a0", "1c 52 c7", id="how many?"),
    ],
)
def test_conversation(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def test_over_ipmb_less_fits(talk: Conversation) -> None:
    assert talk.ask("18 52 01 a0 17 00", channel=Channel.PRIMARY_IPMB) == "1c 52 ca"
    assert len(talk.ask("18 52 01 a0 16 00", channel=Channel.PRIMARY_IPMB).split()) == 3 + 22


def test_it_takes_an_operator(talk: Conversation) -> None:
    assert talk.over_lan("18 52 01 a0 01 00", Privilege.USER) == "1c 52 d4"
    assert talk.over_lan("18 52 01 a0 01 00", Privilege.OPERATOR) == "1c 52 00 01"


def test_a_memory_counts_on_from_its_address() -> None:
    talk = of_size(2048)
    assert talk.ask("18 52 01 a0 02 fe") == "1c 52 00 fe ff"
    assert talk.ask("18 52 01 a0 02") == "1c 52 00 00 01"  # in the next block
    assert talk.ask("18 52 01 ae 03 fe") == "1c 52 00 fe ff 00"  # after the last byte, the first
    assert talk.ask("18 52 01 a0 01") == "1c 52 00 01"


@pytest.mark.parametrize(
    ("size", "request_", "changed"),
    [
        pytest.param(256, "18 52 01 a0 00 06 aa bb cc", {6: "aa", 7: "bb", 0: "cc"}, id="24C02: pages of 8"),
        pytest.param(512, "18 52 01 a0 00 0e aa bb cc", {14: "aa", 15: "bb", 0: "cc"}, id="24C04: of 16"),
        pytest.param(2048, "18 52 01 a2 00 10 aa", {0x110: "aa"}, id="24C16: the second block"),
        pytest.param(
            4096, "18 52 01 a0 00 01 1f aa bb", {0x11F: "aa", 0x100: "bb"}, id="24C32: two bytes of address"
        ),
    ],
)
def test_what_is_written_is_the_inventory(size: int, request_: str, changed: dict[int, str]) -> None:
    talk = of_size(size)
    assert talk.ask(request_) == "1c 52 00"
    talk.restart()
    content = bytearray(i & 0xFF for i in range(size))
    for offset, byte in changed.items():
        content[offset] = int(byte, 16)
    read = [talk.ask(f"28 11 00 {i & 0xFF:02x} {i >> 8:02x} 80")[12:] for i in range(0, size, 0x80)]
    assert " ".join(read) == content.hex(" ")


def test_a_protected_memory_forgets() -> None:
    talk = of_size(256, writable=False)
    assert talk.ask("18 52 01 a0 00 00 aa") == "1c 52 00"
    assert talk.ask("18 52 01 a0 01 00") == "1c 52 00 00"


def test_the_thermometer_measures_the_inlet(talk: Conversation) -> None:
    inlet = talk.bmc.simulation.quantities["inlet_temperature"]
    assert inlet is not None
    register = bytes.fromhex(talk.ask("18 52 01 90 02 00")[9:])
    assert int.from_bytes(register, "big", signed=True) / 256 == pytest.approx(inlet, abs=0.25)
    talk.bmc.simulation.hold(talk.bmc.sensors["Inlet Temp"], 0.0, value=-3)
    assert talk.ask("18 52 01 90 02 00") == "1c 52 00 fd 00"


def test_the_thermometer_keeps_a_new_limit(talk: Conversation) -> None:
    assert talk.ask("18 52 01 90 00 03 28 00") == "1c 52 00"
    assert talk.ask("18 52 01 90 02") == "1c 52 00 28 00"


@pytest.mark.parametrize(
    ("fault", "response"),
    [
        (BusFault.LOST_ARBITRATION, "1c 52 81"),
        (BusFault.BUS_ERROR, "1c 52 82"),
        (BusFault.TRUNCATED_READ, "1c 52 84 01 00"),  # the bytes read so far follow
    ],
)
def test_a_bus_that_does_not_work(talk: Conversation, fault: BusFault, response: str) -> None:
    talk.bmc.i2c.faults[0] = fault
    assert talk.ask("18 52 01 a0 04 00") == response
    assert talk.ask("18 52 03 a0 01 00") == "1c 52 00 01"


@given(st.binary(max_size=40))
def test_any_bytes_are_answered(data: bytes) -> None:
    assert Conversation(i2c.TABLE).ask(f"18 52 {data.hex()}").startswith("1c 52")
