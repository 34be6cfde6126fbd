"""The qtest client against a QEMU that answers, that refuses, and that is none; lines as QEMU 7.2.22's."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from baseboard.attach.errors import AttachError
from baseboard.attach.qtest import LineChanged, Qtest
from tests.attach.peer import played, script


def test_registers_blocks_and_lines(tmp_path: Path) -> None:
    conversation = script(
        (b"readl 0x1e789044", b"OK 0x00000000000000c1\n"),
        (b"readb 0x10", b"OK 0x0000000000000012\n"),
        (b"readw 0x10", b"OK 0x0000000000003412\n"),
        (b"writel 0x1e789044 0xc9", b"OK\n"),
        (b"writeb 0x10 0x1", b"OK\n"),
        (b"writew 0x10 0x201", b"OK\n"),
        (b"b64read 0x80000000 0x3", b"OK AQID\n"),
        (b"set_irq_in /machine/soc/a7mpcore unnamed-gpio-in 140 1", b"OK\n"),
        (b"irq_intercept_in /machine/soc/a7mpcore", b"IRQ raise 140\nOK\n"),
        (b"readl 0x0", b"IRQ lower 140\nOK 0x0000000000000000\nIRQ raise 5\n"),
    )
    with played(tmp_path / "qtest", conversation) as path, Qtest.connect(path) as qtest:
        assert qtest.readl(0x1E789044) == 0xC1
        assert qtest.readb(0x10) == 0x12
        assert qtest.readw(0x10) == 0x3412
        qtest.writel(0x1E789044, 0xC9)
        qtest.writeb(0x10, 1)
        qtest.writew(0x10, 0x201)
        assert qtest.b64read(0x80000000, 3) == b"\1\2\3"
        qtest.set_irq_in("/machine/soc/a7mpcore", "unnamed-gpio-in", 140, 1)
        qtest.irq_intercept_in("/machine/soc/a7mpcore")
        assert qtest.readl(0) == 0
        changes = [qtest.next_change(), qtest.next_change()]
        assert changes == [LineChanged(140, True), LineChanged(140, False)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"FAIL Unknown command 'readl'\n", "Unknown command", id="refused"),
        pytest.param(b"OK soup\n", "no number", id="no number"),
        pytest.param(b"OK\n", "no number", id="no value"),
        pytest.param(b"\n", "readl 0x0", id="an empty line"),
        pytest.param(b"IRQ up\nOK 0\n", "no interrupt line", id="half a change"),
        pytest.param(b"\xff\xfe\n", "readl 0x0", id="no text"),
        pytest.param(b"x" * (17 << 20), "a line of more than", id="a line without end"),
    ],
)
def test_nonsense_is_an_error_in_words(answer: bytes, reason: str, tmp_path: Path) -> None:
    conversation = script((b"readl 0x0", answer))
    with (
        played(tmp_path / "qtest", conversation) as path,
        Qtest.connect(path) as qtest,
        pytest.raises(AttachError, match=reason),
    ):
        qtest.readl(0)


@pytest.mark.parametrize("text", [b"OK AQ\n", b"OK AQIDBA==\n", b"OK\n"])
def test_a_block_of_another_size(text: bytes, tmp_path: Path) -> None:
    conversation = script((b"b64read 0x0 0x3", text))
    with (
        played(tmp_path / "qtest", conversation) as path,
        Qtest.connect(path) as qtest,
        pytest.raises(AttachError, match="3 bytes were asked for"),
    ):
        qtest.b64read(0, 3)


def test_silence_and_a_hang_up(tmp_path: Path) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(100)
        connection.recv(100)

    with (
        played(tmp_path / "silent", silent) as path,
        Qtest.connect(path, timeout=0.05) as qtest,
        pytest.raises(AttachError, match="does not answer"),
    ):
        qtest.readl(0)
    with (
        played(tmp_path / "gone", lambda connection: None) as path,
        Qtest.connect(path) as qtest,
        pytest.raises(AttachError, match="hung up"),
    ):
        qtest.readl(0)
    with pytest.raises(AttachError, match="cannot connect: No such file"):
        Qtest.connect(tmp_path / "nothing")
    with pytest.raises(AttachError, match="path too long"):
        Qtest.connect(tmp_path / ("x" * 200))
