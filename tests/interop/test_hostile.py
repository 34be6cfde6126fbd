"""Bytes that nobody should send, floods and half-open log-ins against a running baseboard.

Seeded, so that what fails once fails again. After each, the process lives, has said nothing on standard
error, has not grown, and serves a real client at once.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from baseboard.vm.framing import frame_message
from tests.interop.lan_clients import LAN_15, LANPLUS, LanServer
from tests.interop.udp_console import Wire, console, console_15
from tests.lan.lan_world import lan_message, plus

VECTORS = Path(__file__).parent.parent / "data" / "rakp-vectors.json"
MUTATIONS = 4_000
GROWTH_KB = 2_048


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    directory = tmp_path_factory.mktemp("hostile")
    running = LanServer(
        directory,
        "--vm",
        f"listen:unix:{directory / 'vm.sock'}",
        "--power",
        "simulated",
        lan='ipmi15 = ["md5", "password", "none"]',
    )
    yield running
    assert running.process.stop() == 0
    running.close()


def resident_kb(server: LanServer) -> int:
    status = Path(f"/proc/{server.process.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def is_well(server: LanServer) -> None:
    """Alive, silent, and of use."""
    assert server.process.alive, server.process.tail()
    assert server.process.tail() == ""
    for how in LANPLUS, LAN_15:
        server.ipmitool("mc", "info", how=how).shows("^Device ID +: 32$")


def twice(server: LanServer, round_: Callable[[], None], warm_up: int = 1) -> None:
    """The same again costs no more memory."""
    for _ in range(warm_up):
        round_()
    is_well(server)
    before = resident_kb(server)
    round_()
    is_well(server)
    growth = resident_kb(server) - before
    assert growth < GROWTH_KB, f"{growth} kB more"


def mutated(numbers: random.Random, packet: bytes) -> bytes:
    """A packet with one to three faults of the kinds that break parsers."""
    data = bytearray(packet)
    for _ in range(numbers.randint(1, 3)):
        kind = numbers.randrange(7)
        at = numbers.randrange(len(data) + 1) if data else 0
        if kind == 0 and at < len(data):
            data[at] ^= 1 << numbers.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = numbers.choice((0, 1, 0x7F, 0x80, 0xFF, numbers.randrange(256)))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data += numbers.randbytes(numbers.choice((1, 2, 16, 300, 1500)))
        elif kind == 4 and len(data) > 20:
            struct.pack_into("<H", data, 14, numbers.choice((0, 1, 0xFF, 0x7FFF, 0xFFFF)))
        elif kind == 5:
            data[at:at] = numbers.randbytes(numbers.randrange(8))
        else:
            del data[at : at + numbers.randrange(8)]
    return bytes(data)


# -- the LAN ------------------------------------------------------------------------------------------


def recorded() -> list[bytes]:
    """Every packet of every recorded session, of consoles and of servers."""
    packets = set()
    for session in json.loads(VECTORS.read_text())["sessions"]:
        for packet in session["packets"]:
            packets.add(bytes.fromhex(packet[1] if isinstance(packet, list) else packet["data"]))
    return sorted(packets)


def pour(wire: Wire, packets: list[bytes]) -> None:
    for number, packet in enumerate(packets):
        wire.send(packet)
        if number % 16 == 15:
            wire.drain()
            time.sleep(0.001)  # the kernel drops what comes faster
    wire.drain()


def test_recorded_packets_as_they_are_and_mutated(server: LanServer) -> None:
    packets = recorded()
    assert len(packets) > 300

    def round_() -> None:
        numbers = random.Random(7)
        wire = Wire(server.host, server.port)
        pour(wire, packets)
        pour(wire, [mutated(numbers, numbers.choice(packets)) for _ in range(MUTATIONS)])
        wire.close()

    twice(server, round_)


def test_any_bytes_on_the_lan(server: LanServer) -> None:
    def round_() -> None:
        numbers = random.Random(8)
        heads = (
            b"",
            b"\x06",
            b"\x06\0\xff\x07",
            b"\x06\0\xff\x06",
            b"\x06\0\xff\x07\x06\x10",
            b"\x06\0\xff\x87",
        )
        wire = Wire(server.host, server.port)
        lengths = (0, 1, 3, 20, 50, 200, 1400, 9000, 65_000)
        pour(wire, [numbers.choice(heads) + numbers.randbytes(numbers.choice(lengths)) for _ in range(1500)])
        wire.close()

    twice(server, round_)


@pytest.mark.parametrize("suite", [17, 3, 12, 2, 1])
def test_a_user_who_is_hostile(server: LanServer, suite: int) -> None:
    """Every command with nonsense behind it, inside a session with every right."""
    sparing = {(0x06, command) for command in (0x02, 0x03, 0x3C, 0x40, 0x43, 0x45, 0x47, 0x4C, 0x56)}
    sparing.add((0x0C, 0x01))

    def round_() -> None:
        numbers = random.Random(suite)
        wire = Wire(server.host, server.port, patience=0.5)
        user = console(wire, suite=suite).login()
        assert user.request(0x06, 0x3B, b"\x04") == b"\0\x04"
        for netfn in (0x00, 0x04, 0x06, 0x08, 0x0A, 0x0C, 0x2C, 0x2E, 0x30, 0x3E):
            for command in range(0x80):
                if (netfn, command) in sparing:
                    continue
                answer = user.request(
                    netfn, command, numbers.randbytes(numbers.choice((0, 1, 2, 5, 9, 17, 60)))
                )
                assert answer, (netfn, command)
        user.sequence += 1
        for _ in range(300):
            packet = user.seal(lan_message(0x0A, 0x43, numbers.randbytes(6)), sequence=user.sequence)
            wire.send(mutated(numbers, packet))
        time.sleep(0.1)
        wire.drain()
        if suite in (17, 3, 12):  # no packet that is not the user's own did anything to the session
            assert user.request(0x06, 0x01)
            assert user.request(0x06, 0x3C, user.id_c) == b"\0"
        wire.close()

    twice(server, round_)
    server.ipmitool("power", "on").shows()


def test_half_open_flood(server: LanServer) -> None:
    """Log-ins that stop after each step, in thousands: a real one comes through all the while."""

    def round_() -> None:
        wire, deaf = Wire(server.host, server.port), Wire(server.host, server.port)
        for number in range(2000):
            stranger = console(wire if number % 3 == 0 else deaf, suite=17)
            if number % 3:
                deaf.send(plus(0x10, stranger.open_request()))
            else:
                assert stranger.open() == 0
                if number % 2:
                    assert stranger.rakp1() == 0
            name = b"\x02" + b"admin".ljust(16, b"\0")
            deaf.send(console_15(deaf).seal(lan_message(0x06, 0x39, name), 0, 0, 0))
            if number % 400 == 399:
                deaf.drain()
                server.ipmitool("mc", "guid").shows("System GUID")
                server.ipmitool("mc", "guid", how=LAN_15).shows("System GUID")
        wire.close()
        deaf.close()

    twice(server, round_)


def test_a_thousand_sessions(server: LanServer) -> None:
    """Clients that log in and go away without a word: the next one waits for 3 s at most."""

    def round_() -> None:
        wire = Wire(server.host, server.port)
        opened = refused = 0
        for _ in range(1000):
            user = console(wire, suite=3)
            if (status := user.open()) == 0:
                assert user.rakp1() == 0
                assert user.rakp3() == 0
                opened += 1
            else:
                assert status == 0x01
                refused += 1
        assert opened + refused == 1000
        assert opened > 40
        time.sleep(3.1)
        server.ipmitool("session", "info", "active").shows("^slot count +: 63$", "^active sessions +: 63$")
        wire.close()

    twice(server, round_)


def test_guessing_passwords(server: LanServer) -> None:
    def round_() -> None:
        wire = Wire(server.host, server.port)
        for number in range(500):
            stranger = console(wire, password=b"guess %d" % number)
            assert stranger.open() == 0
            assert stranger.rakp1() == 0
            assert stranger.rakp3() == 0x0F
        wire.close()

    twice(server, round_)


# -- the VM wire --------------------------------------------------------------------------------------


def unix_socket(path: object) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(3)
        line.connect(str(path))
    except OSError:
        line.close()
        raise
    return line


def vm_socket(server: LanServer) -> socket.socket:
    return unix_socket(server.directory / "vm.sock")


def vm_is_served(server: LanServer) -> None:
    """As soon as it has seen that the last one is gone: there is one machine at a time."""
    end = time.monotonic() + 3
    while True:
        with suppress(ConnectionError), vm_socket(server) as line:
            line.sendall(frame_message(bytes.fromhex("21 18 01")))
            received = b""
            while data := line.recv(4096):
                received += data  # commands, and an answer to nothing, before it
                if bytes.fromhex("21 1c 01 00") in received:
                    return
        assert time.monotonic() < end


def test_any_bytes_on_the_vm_wire(server: LanServer) -> None:
    whole = [
        frame_message(bytes.fromhex("01 18 01")),
        frame_message(bytes.fromhex("02 28 43 00 00 00 00 00 ff")),
        frame_message(bytes.fromhex("03 18 33")),
        bytes.fromhex("ff 01 a1"),
        bytes.fromhex("08 3f a1"),
        bytes.fromhex("04 a1"),
        bytes.fromhex("00 a1 00 a0 aa a0"),
    ]

    def round_() -> None:
        numbers = random.Random(9)
        for connection in range(120):
            with vm_socket(server) as line, suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(40):
                    line.sendall(mutated(numbers, numbers.choice(whole)))
                if connection % 4 == 0:
                    line.sendall(numbers.randbytes(20_000))
        vm_is_served(server)

    twice(server, round_)


def test_a_machine_that_never_reads(server: LanServer) -> None:
    """Requests without end whose answers nobody takes."""

    def round_() -> None:
        with vm_socket(server) as line:
            line.settimeout(0.3)
            request = frame_message(bytes.fromhex("01 18 01")) * 500
            with suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                for _ in range(200):
                    line.sendall(request)
            server.ipmitool("mc", "guid").shows("System GUID")
        vm_is_served(server)

    twice(server, round_)


# -- the control socket -------------------------------------------------------------------------------


def control_socket(server: LanServer) -> socket.socket:
    return unix_socket(server.process.info["control"])


def ask(line: socket.socket, request: bytes) -> dict[str, object]:
    line.sendall(request + b"\n")
    received = b""
    while not received.endswith(b"\n"):
        data = line.recv(65536)
        assert data, received
        received += data
    answer: dict[str, object] = json.loads(received.splitlines()[-1])
    return answer


def test_any_bytes_on_the_control_socket(server: LanServer) -> None:
    whole = [
        b'{"id": 1, "method": "status", "params": {}}\n',
        b'{"id": 2, "method": "sensor.list", "params": {}}\n',
        b'{"id": 3, "method": "sensor.set", "params": {"sensor": "CPU1 Temp", "value": 50}}\n',
        b'{"id": 4, "method": "sel.list", "params": {"last": 3}}\n',
        b'{"id": 5, "method": "power.status", "params": {}}\n',
        b'{"id": 6, "method": "no such"}\n',
        b'{"id": 7, "method": "status", "params": [1]}\n',
        b'{"id": 8, "method": "sensor.set", "params": {"sensor": {"a": [1]}, "value": 1e999}}\n',
        b"[" * 20_000 + b"\n",
        b'{"id": "\\ud800", "method": "status"}\n',
        b"null\n",
        b"\xff\xfe\x00\n",
    ]

    def round_() -> None:
        numbers = random.Random(10)
        for connection in range(120):
            with control_socket(server) as line, suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(30):
                    line.sendall(mutated(numbers, numbers.choice(whole)))
                if connection % 10 == 0:
                    line.sendall(b"x" * 200_000)
        with control_socket(server) as line:
            assert "result" in ask(line, b'{"id": 1, "method": "status", "params": {}}')

    twice(server, round_)
    server.ipmitool("power", "on").shows()


def test_many_clients_of_the_control_socket(server: LanServer) -> None:
    def round_() -> None:
        with ExitStack() as lines, suppress(OSError):
            for _ in range(200):
                lines.enter_context(control_socket(server))
        end = time.monotonic() + 3
        while True:  # they are gone as soon as it has seen so
            with suppress(AssertionError, OSError), control_socket(server) as line:
                if "result" in ask(line, b'{"id": 1, "method": "status", "params": {}}'):
                    return
            assert time.monotonic() < end

    twice(server, round_)
