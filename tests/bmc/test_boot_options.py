"""Boot options: every client's own bytes are read back; what makes them count and no longer count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.boot_options import ROOM, BootChoice, BootDevice, BootOptions
from baseboard.bmc.changes import Changes
from baseboard.bmc.events import RestartCause
from baseboard.bmc.handlers import chassis as handlers
from baseboard.ipmi import Context, Message, Privilege

CONTROL = RestartCause.CHASSIS_CONTROL


class Bench:
    def __init__(self) -> None:
        self.bmc = Bmc(Settings())
        self.options = self.bmc.boot_options
        self.core = Core(self.bmc, (handlers.TABLE,))
        self.now = 0.0

    def send(self, text: str, privilege: int = Privilege.SYSTEM) -> str:
        netfn_lun, command, *data = bytes.fromhex(text)
        context = Context(privilege=privilege, now=self.now)
        return self.core.handle(Message(netfn_lun >> 2, 0, command, bytes(data)), context).hex(" ")


# The conversations of real clients, and what each expects to read back.
IPMITOOL_BOOTDEV = [
    "00 08 00 01",
    "00 08 04 01 01",
    "00 08 05 80 04 00 00 00",
    "00 08 04 01 01",
    "00 08 00 00",
]


@pytest.mark.parametrize(
    ("requests", "flags"),
    [
        pytest.param(IPMITOOL_BOOTDEV, "80 04 00 00 00", id="ipmitool chassis bootdev pxe"),
        pytest.param(["00 08 03 08", "00 08 05 a0 04 00 00 00"], "a0 04 00 00 00", id="Ironic: UEFI, once"),
        pytest.param(["00 08 03 08", "00 08 05 e0 08 00 00 00"], "e0 08 00 00 00", id="Ironic: UEFI, always"),
        pytest.param(["00 08 05 80 14 00 00 00"], "80 14 00 00 00", id="pyghmi: cd"),
        pytest.param(["00 08 05 80 3c 02 00 00"], "80 3c 02 00 00", id="floppy, console redirection"),
        pytest.param(["00 08 05 c0 18 e3 0f 1f"], "c0 18 e3 0f 1f", id="every other bit"),
    ],
)
def test_flags_are_read_back_as_written(requests: list[str], flags: str) -> None:
    bench = Bench()
    assert [bench.send(request) for request in requests] == ["00"] * len(requests)
    assert bench.send("00 09 05 00 00") == f"00 01 05 {flags}"


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("00 09 00 00 00", "00 01 00 00", id="set in progress"),
        pytest.param("00 09 01 00 00", "00 01 01 00", id="service partition selector"),
        pytest.param("00 09 02 00 00", "00 01 02 00", id="service partition scan"),
        pytest.param("00 09 03 00 00", "00 01 03 00", id="valid bit clearing"),
        pytest.param("00 09 04 00 00", "00 01 04 00 00", id="boot info acknowledge"),
        pytest.param("00 09 05 00 00", "00 01 05 00 00 00 00 00", id="boot flags"),
        pytest.param("00 09 06 00 00", "00 01 06 00 00 00 00 00 00 00 00 00", id="initiator info"),
        pytest.param("00 09 07 04 00", "00 01 07 04" + 16 * " 00", id="mailbox"),
        pytest.param("00 09 07 05 00", "c9", id="mailbox block too high"),
        pytest.param("00 09 08 00 00", "80", id="get unknown parameter"),
        pytest.param("00 09 05 00", "c7", id="get too short"),
        pytest.param("00 08", "c7", id="set without a parameter"),
        pytest.param("00 08 60 00", "80", id="set unknown parameter"),
        pytest.param("00 08 05 80 04 00 00", "c7", id="flags too short"),
        pytest.param("00 08 05 80 04 00 00 00 00", "c7", id="flags too long"),
        pytest.param("00 08 05 80 28 00 00 00", "cc", id="reserved device Ah"),
        pytest.param("00 08 00 02", "cc", id="nothing to commit"),
        pytest.param("00 08 00 03", "cc", id="reserved set in progress"),
        pytest.param("00 08 07 05" + 16 * " 11", "c9", id="set mailbox block too high"),
    ],
)
def test_parameters(request_: str, response: str) -> None:
    assert Bench().send(request_) == response


def test_set_in_progress() -> None:
    bench = Bench()
    assert [bench.send("00 08 00 01"), bench.send("00 08 00 01")] == ["00", "81"]
    assert bench.send("00 09 00 00 00") == "00 01 00 01"
    assert bench.send("00 08 05 80 04 00 00 00") == "00", "it is a courtesy, not a lock"
    assert [bench.send("00 08 00 00"), bench.send("00 08 00 01")] == ["00", "00"]
    bench.bmc.chassis.power_changed(True, 0.0, CONTROL)
    assert bench.send("00 09 00 00 00") == "00 01 00 00"


def test_acknowledge_is_written_through_its_mask() -> None:
    bench = Bench()
    bench.send("00 08 04 ff ff")
    assert bench.send("00 09 04 00 00") == "00 01 04 00 ff"
    bench.send("00 08 04 01 00")
    assert bench.send("00 09 04 00 00") == "00 01 04 00 fe"


def test_mark_changes_without_data() -> None:
    bench = Bench()
    bench.send("00 08 05 80 04 00 00 00")
    assert bench.send("00 08 85") == "00"
    assert bench.send("00 09 05 00 00") == "00 01 85 80 04 00 00 00"
    assert bench.options.choice is None
    assert bench.send("00 08 05") == "00"
    assert bench.send("00 09 05 00 00") == "00 01 05 80 04 00 00 00"
    assert bench.options.choice == BootChoice(BootDevice.PXE)


def test_password_bypass_takes_an_administrator() -> None:
    bench = Bench()
    assert bench.send("00 08 05 80 04 08 00 00", Privilege.OPERATOR) == "d4"
    assert bench.send("00 08 05 80 04 00 00 00", Privilege.OPERATOR) == "00"
    assert bench.send("00 08 05 80 04 08 00 00", Privilege.ADMINISTRATOR) == "00"


def test_flags_for_one_start_are_used_up() -> None:
    bench = Bench()
    bench.send("00 08 05 a0 04 00 00 00")
    assert bench.options.take(CONTROL) == BootChoice(BootDevice.PXE, efi=True)
    assert bench.options.take(CONTROL) is None
    assert bench.send("00 09 05 00 00") == "00 01 05 00 00 00 00 00"
    assert bench.options.next_deadline() is None


def test_persistent_flags_stay() -> None:
    bench = Bench()
    bench.send("00 08 05 c0 08 00 00 00")
    assert bench.options.next_deadline() is None
    for cause in RestartCause:
        assert bench.options.take(cause) == BootChoice(BootDevice.DISK, persistent=True)
    assert bench.send("00 09 05 00 00") == "00 01 05 c0 08 00 00 00"


def test_valid_bit_times_out() -> None:
    bench = Bench()
    bench.now = 100.0
    bench.send("00 08 05 80 04 00 00 00")
    assert bench.options.next_deadline() == 160.0
    bench.now = 150.0
    bench.send("00 02 01")
    assert bench.options.next_deadline() == 210.0, "Chassis Control begins it anew"
    bench.options.handle_deadline(210.0)
    assert bench.send("00 09 05 00 00") == "00 01 05 00 04 00 00 00"
    assert bench.options.take(CONTROL) is None


@pytest.mark.parametrize(
    "order", [("00 08 03 08", "00 08 05 80 04 00 00 00"), ("00 08 05 80 04 00 00 00", "00 08 03 08")]
)
def test_parameter_3_stops_the_time_out(order: tuple[str, str]) -> None:
    bench = Bench()
    for request in order:
        bench.send(request)
    assert bench.options.next_deadline() is None
    bench.send("00 08 03 00")
    assert bench.options.next_deadline() == 60.0


@pytest.mark.parametrize(
    ("cause", "keep"),
    [
        (RestartCause.PEF_RESET, 0x10),
        (RestartCause.PEF_POWER_CYCLE, 0x10),
        (RestartCause.WATCHDOG, 0x04),
        (RestartCause.RESET_BUTTON, 0x02),
        (RestartCause.SOFT_RESET, 0x02),
        (RestartCause.POWER_BUTTON, 0x01),
        (RestartCause.RTC_WAKEUP, 0x01),
    ],
)
def test_a_restart_that_nobody_commanded_clears_the_valid_bit(cause: RestartCause, keep: int) -> None:
    bench = Bench()
    bench.send(f"00 08 03 {0x1F & ~keep:02x}")
    bench.send("00 08 05 80 04 00 00 00")
    assert bench.options.take(cause) is None
    assert bench.send("00 09 05 00 00") == "00 01 05 00 04 00 00 00"
    bench.send(f"00 08 03 {keep:02x}")
    bench.send("00 08 05 80 04 00 00 00")
    assert bench.options.take(cause) == BootChoice(BootDevice.PXE)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 127), st.binary(max_size=18), st.booleans(), st.sampled_from(list(RestartCause))
        )
    )
)
def test_what_is_kept_is_what_is_read(steps: list[tuple[int, bytes, bool, RestartCause]]) -> None:
    bench = Bench()
    for number, (parameter, data, invalid, cause) in enumerate(steps):
        bench.send(bytes((0x00, 0x08, parameter | invalid << 7)).hex() + data.hex())
        if number % 5 == 4:
            bench.options.take(cause)
    _, rows = bench.bmc.changes.take()
    again = BootOptions(Changes(), 1000.0)
    again.restore({key: value for (room, key), value in rows.items() if room == ROOM})
    for parameter in range(1, 8):
        assert again.get(parameter, 0) == bench.options.get(parameter, 0)
    assert again.choice == bench.options.choice
    if bench.options.next_deadline() is not None:
        assert again.next_deadline() == 1060.0


def test_a_reset_of_the_controller_ends_the_set_in_progress() -> None:
    bench = Bench()
    bench.send("00 08 00 01")
    bench.send("00 08 05 80 04 00 00 00")
    bench.options.reset(True, 0.0)
    assert bench.send("00 08 00 01") == "00"
    assert bench.send("00 09 05 00 00") == "00 01 05 80 04 00 00 00"
