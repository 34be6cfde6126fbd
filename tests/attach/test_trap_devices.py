"""Devices that are trapped, without a machine: what firmware finds, and what the host sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.attach.errors import NotAttachable
from baseboard.attach.qtest import Qtest
from baseboard.attach.trap_devices import Ibt, NpcmKcs, TrappedDevice
from baseboard.host.seam import Responder
from baseboard.host.sim import BOOT, HostSim
from baseboard.ipmi.message import Message
from tests.attach.peer import played, script

CR0, CR1, CR2, CTRL = 0x00, 0x04, 0x08, 0x10


def line(device: TrappedDevice) -> bool:
    """The level of its interrupt."""
    return device.line


class Silent(Responder):
    """Firmware that answers nothing."""

    def submit(self, id_: int, message: Message, now: float) -> None: ...

    def abandon(self, id_: int, now: float) -> None: ...


def test_settings_of_ibt_are_found_in_qemu(tmp_path: Path) -> None:
    # As bt-bmc of Linux writes them: E4h, SerIRQ 10, both interrupts.
    memory = script(
        (b"readl 0x1e789140", b"OK 0x00e4a00d\n"),
        (b"readl 0x1e789140", b"OK 0x00e4a00d\n"),
        (b"readl 0x1e789144", b"OK 0x41\n"),
        (b"writel 0x1e789140 0x0", b"OK\n"),
        (b"writel 0x1e789140 0xe4a00d", b"OK\n"),
        (b"writel 0x1e789144 0x41", b"OK\n"),
        (b"writel 0x1e789148 0x0", b"OK\n"),
        (b"writel 0x1e789150 0x0", b"OK\n"),
    )
    with played(tmp_path / "qtest", memory), Qtest.connect(tmp_path / "qtest") as qtest:
        device = Ibt()
        assert device.trace(qtest)
        device.adopt(qtest)
        assert device.chosen == "iBT at E4h, interrupt 10"
        assert line(device)  # firmware that waits for its host looks again
        device.write(CR2, 4, 0x41)
        assert not line(device)
        device.leave(qtest)


def test_attention_of_bt_goes_with_the_next_request() -> None:
    device = Ibt()
    device.write(CR0, 4, 0x00E4A00D)
    driver = device.driver(5.0)
    device.write(CTRL, 4, 0x10)
    assert [device.attention() for _ in range(2)] == [True, True]
    driver.send_request(Message(6, 0, 1), 0.0)
    assert not device.attention()


def test_npcm_channels_are_taken_for_enabled(tmp_path: Path) -> None:
    device = NpcmKcs()
    device.select(2)
    assert device.found()["channel"] is None
    with played(tmp_path / "qtest", script()), Qtest.connect(tmp_path / "qtest") as qtest:
        assert device.trace(qtest) is None
        device.adopt(qtest)
    assert device.chosen == "KCS channel 2"
    assert [channel["enabled"] for channel in device.found()["channels"]] == [True] * 3
    driver = device.driver(5.0)
    driver.send_request(Message(6, 0, 1), 0.0)
    assert driver.step(0.0)
    assert line(device)
    assert device.read(0x1E, 1) == 0x0A  # KCS2ST: IBF, CMD
    assert device.read(0x22, 1) == 0x61  # KCS2DI: WRITE_START
    assert not line(device)
    device.reset()
    assert device.found()["channel"] is None


def test_npcm_has_three_channels() -> None:
    with pytest.raises(NotAttachable, match="and no channel 4"):
        NpcmKcs().select(4)


def test_post_codes_of_a_host_reach_the_firmware() -> None:
    device = NpcmKcs()
    device.write(0x46, 1, 0x88)  # FEN: address 1, interrupt when there is one
    sim = HostSim(Silent())
    sim.posted = device.post
    sim.power_on(0.0)
    assert line(device)
    codes = []
    while device.read(0x48, 1) & 0x80:  # FSTAT: valid
        codes.append(device.read(0x4A, 1))
    assert codes == [step.post_code for step in BOOT[: len(codes)]]
    assert codes == list(sim.post_codes)
    assert not line(device)
