"""Packets of Basic Mode and lines of Terminal Mode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.serial.basic import LONGEST, PacketReader, messages, packet
from baseboard.serial.commands import parse
from baseboard.serial.terminal import (
    LineReader,
    TerminalSettings,
    between_brackets,
    decode_hexadecimal,
    encode_hexadecimal,
)

EDITING = TerminalSettings.decode(b"\x26\x11")
"""Line editing, erase, echo; CR-LF out, CR in."""


# fmt: off
PACKETS = [
    # as ipmitool 1.8.19 -I serial-basic sends Get Device ID
    pytest.param("20 18 c8 81 04 01 7a",   "a0 20 18 c8 81 04 01 7a a5",               id="get device id"),
    pytest.param("a0 a5 a6 aa 1b b0 ba",   "a0 aa b0 aa b5 aa b6 aa ba aa 3b b0 ba a5", id="escapes"),
]
# fmt: on


@pytest.mark.parametrize(("message", "characters"), PACKETS)
@pytest.mark.parametrize("size", [1, 100])
def test_packets(message: str, characters: str, size: int) -> None:
    data = bytes.fromhex(characters)
    assert packet(bytes.fromhex(message)) == data
    reader = PacketReader()
    found = [one for at in range(0, len(data), size) for one in messages(data[at : at + size], reader)]
    assert found == [bytes.fromhex(message)]


def test_what_is_no_packet_is_dropped() -> None:
    reader = PacketReader()
    broken = b"\xa0\x20\xaa\x01\x05\xa5" + b"\xa0\x01\xa6\xa5" + b"\xa0" + bytes(LONGEST + 1) + b"\xa5"
    assert list(messages(broken + b"\xa0\x01\xa0\x02\xa5", reader)) == [b"\x02"]
    assert reader.faults == 3


@given(st.binary(max_size=255))
def test_any_message_comes_through(message: bytes) -> None:
    assert list(messages(b"noise" + packet(message) + b"\xa6", PacketReader())) == [message]


@given(st.binary())
def test_any_characters_are_survived(data: bytes) -> None:
    packets, lines = PacketReader(), LineReader()
    for character in data:
        packets.take(character)
        line = lines.take(character, EDITING)
        if line is not None and (inside := between_brackets(line)) is not None:
            decode_hexadecimal(inside)


def typed(text: bytes, settings: TerminalSettings = EDITING) -> tuple[list[bytes], bytes]:
    reader = LineReader()
    lines = [line for character in text if (line := reader.take(character, settings)) is not None]
    return lines, bytes(reader.echo)


# fmt: off
TYPED = [
    pytest.param(b"[18 00 01]\r\n",   [b"[18 00 01]"], b"[18 00 01]\r\n",            id="line feed"),
    pytest.param(b"[19\x088 00\r",    [b"[18 00"],     b"[19\x08 \x088 00\r\n",      id="backspace"),
    pytest.param(b"[19\x7f8 00\r",    [b"[18 00"],     b"[19\x08 \x088 00\r\n",      id="delete"),
    pytest.param(b"\x08a\r",          [b"a"],          b"a\r\n",                     id="nothing to delete"),
    pytest.param(b"[18\x1b[06\r",     [b"[06"],        b"[18[06\r\n",                id="escape forgets"),
    pytest.param(b"[18 \\\r00]\r",    [b"[18 00]"],    b"[18 \\\r\n00]\r\n",         id="continued"),
    pytest.param(b"\r\r",             [],              b"\r\n\r\n",                  id="empty"),
    pytest.param(b"x" * 300 + b"\r",  [b""],           b"x" * 300 + b"\r\n",         id="too long"),
    pytest.param(b"[SYS PWD -N a]\r", [b"[SYS PWD -N a]"], b"[SYS PWD\r\n",          id="secret"),
]
# fmt: on


@pytest.mark.parametrize(("text", "lines", "echo"), TYPED)
def test_lines(text: bytes, lines: list[bytes], echo: bytes) -> None:
    assert typed(text) == (lines, echo)


def test_a_program_wants_no_echo() -> None:
    plain = TerminalSettings.decode(b"\x00\x32")
    assert (plain.output_newline, plain.handshake) == (b"\r", False)
    assert typed(b"[18\x08 00]\0", plain) == ([b"[18 00]"], b"")


@pytest.mark.parametrize(("text", "message"), [("18 00 01", "180001"), ("180001", "180001"), ("1 8", "18")])
def test_hexadecimal(text: str, message: str) -> None:
    assert decode_hexadecimal(text) == bytes.fromhex(message)
    assert encode_hexadecimal(bytes.fromhex("1c0001c1")) == b"[1C 00 01 C1]"


@pytest.mark.parametrize("text", ["1", "18 0", "1g", "ⅷⅷ"])
def test_what_is_no_hexadecimal(text: str) -> None:
    assert decode_hexadecimal(text) is None


WORDS = ["PWD", "-U", "-N", "-X", "SET", "BOOT", "BOOTOPT", "GET", "TCFG", "05"]


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text())))
def test_any_words_are_a_step_or_refused(words: list[str]) -> None:
    try:
        parse(words)
    except DecodeError:
        pass
