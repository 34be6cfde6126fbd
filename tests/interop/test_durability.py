"""What was acknowledged is there after `kill -9`; what is in the way of a start is said plainly."""

# ruff: noqa: E501 -- a row of a table is a request, how to read it back, and what is read

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard
from tests.interop.lan_clients import LanServer, Said, run
from tests.interop.udp_console import Wire, console
from tests.lan.lan_world import Console

ADMINISTRATOR = "06 3b 04"
OEM_SDR = "00 00 51 c0 08 d9 7e 00 6b 65 65 70 21"


@dataclass(frozen=True)
class Change:
    """A request that changes something; how to read it back, and what is read."""

    name: str
    requests: tuple[str, ...]
    reading: str
    read: str


# fmt: off
CHANGES = (
    Change("event log entry",     ("0a 44 00 00 02 00 00 00 00 21 00 04 01 10 01 59 2a 20",),
                                  "0a 43 00 00 ff ff 00 ff", r"00 ff ff .. .. 02 .. .. .. .. 21 00 04 01 10 01 59 2a 20"),
    Change("sensor record",       ("0a 22", f"0a 24 {OEM_SDR}"),
                                  "0a 23 00 00 ff ff 00 ff", r"00 ff ff .. .. 51 c0 08 d9 7e 00 6b 65 65 70 21"),
    Change("inventory",           ("0a 12 00 80 07 6b 65 70 74",),
                                  "0a 11 00 80 07 04", "00 04 6b 65 70 74"),
    Change("thresholds",          ("04 26 10 10 00 00 00 00 2d 00",),
                                  "04 27 10", "00 1b 05 00 00 26 2d 00"),
    Change("hysteresis",          ("04 24 10 ff 03 04",),
                                  "04 25 10 ff", "00 03 04"),
    Change("event enables",       ("04 28 10 80 00 00 00 00",),
                                  "04 29 10", "00 80.*"),
    Change("LAN address",         ("0c 01 01 03 0a 01 02 03",),
                                  "0c 02 01 03 00 00", "00 11 0a 01 02 03"),
    Change("community",           ("0c 01 01 10 6b 65 70 74 00 00 00 00 00 00 00 00 00 00 00 00 00 00",),
                                  "0c 02 01 10 00 00", "00 11 6b 65 70 74( 00){14}"),
    Change("SOL retries",         ("0c 21 01 04 03 14",),
                                  "0c 22 01 04 00 00", "00 11 03 14"),
    Change("boot flags",          ("00 08 05 e0 04 00 00 00",),
                                  "00 09 05 00 00", "00 01 05 e0 04 00 00 00"),
    Change("power policy",        ("00 06 02",),
                                  "00 01", "00 4[01] .. .. .."),
    Change("user name",           ("06 45 09" + " 6b" * 4 + " 00" * 12,),
                                  "06 46 09", "00" + " 6b" * 4 + " 00" * 12),
    Change("user access",         ("06 43 91 09 03 00",),
                                  "06 44 01 09", "00 10 .. .. .3"),
    Change("channel access",      ("06 40 01 6a 44", "06 40 01 aa 84"),
                                  "06 41 01 40", "00 2a 04"),
    Change("system name",         ("06 58 02 00 00 05 4c 69 6e 75 78 00 00 00 00 00 00 00 00 00",),
                                  "06 59 00 02 00 00", "00 11 00 00 05 4c 69 6e 75 78( 00){9}"),
    Change("power cycle interval", ("00 0b 05",), "00 01", "00 .*"),
)
# fmt: on


def ask(session: Console, request: str) -> str:
    netfn, command, *data = bytes.fromhex(request)
    answer = session.request(netfn, command, bytes(data))
    assert answer is not None, request
    return answer.hex(" ")


LogIn = Callable[..., Console]


@pytest.fixture
def log_in(server: LanServer) -> Iterator[LogIn]:
    """`log_in()` is a session at Administrator level with the process that runs now."""
    wires = []

    def session(user: str = "admin", password: bytes | None = None) -> Console:
        wires.append(Wire(server.host, server.port))
        opened = console(wires[-1], user, password=password).login()
        assert ask(opened, ADMINISTRATOR) == "00 04"
        return opened

    yield session
    for wire in wires:
        wire.close()


def die_and_return(server: LanServer) -> None:
    server.process.kill()
    server.start()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    running = LanServer(tmp_path_factory.mktemp("durability"), suites=(17, 3))
    yield running
    assert not running.process.tail()
    running.close()


@pytest.mark.parametrize("change", CHANGES, ids=[change.name for change in CHANGES])
def test_acknowledged_is_kept(server: LanServer, log_in: LogIn, change: Change) -> None:
    session = log_in()
    for request in change.requests:
        answer = ask(session, request)
        assert answer.startswith("00"), (request, answer)
    server.process.process.kill()
    die_and_return(server)
    assert re.fullmatch(change.read, read := ask(log_in(), change.reading)), read


def test_all_of_it_is_kept(server: LanServer, log_in: LogIn) -> None:
    """Also by those kills that came later, and by an orderly end."""
    for _ in range(2):
        session = log_in()
        for change in CHANGES:
            if change.name not in ("event log entry", "power policy", "power cycle interval"):
                assert re.fullmatch(change.read, read := ask(session, change.reading)), (change, read)
        server.process.stop()
        server.start()


def test_a_password_is_kept(server: LanServer, log_in: LogIn) -> None:
    for password in (b"first-new-password", b"2nd"):
        session = log_in()
        answer = ask(session, f"06 47 85 02 {password.ljust(20, bytes(1)).hex()}")  # user 5, 20 bytes
        assert answer == "00"
        die_and_return(server)
        log_in("twenty", password)
        server.ipmitool("mc", "guid", user="twenty").fails("Unable to establish")
    session = log_in()
    assert ask(session, f"06 47 85 02 {b'twenty-bytes-exactly'.hex()}") == "00"


def test_a_machine_that_was_off_stays_off(server: LanServer, log_in: LogIn) -> None:
    session = log_in()
    assert ask(session, "00 06 01").startswith("00")  # previous
    assert ask(session, "00 02 00") == "00"
    while ask(session, "00 01")[4] == "1":
        pass
    die_and_return(server)
    session = log_in()
    assert ask(session, "00 01").startswith("00 20")
    assert ask(session, "00 02 01") == "00"
    while ask(session, "00 01")[4] == "0":
        pass
    die_and_return(server)
    assert ask(log_in(), "00 01").startswith("00 21")


def test_a_cleared_log_stays_cleared(server: LanServer, log_in: LogIn) -> None:
    session = log_in()
    reservation = ask(session, "0a 42")[3:]
    assert ask(session, f"0a 47 {reservation} 43 4c 52 aa") == "00 01"
    die_and_return(server)
    said = server.ipmitool("sel", "list").shows("^ +1 .*Log area reset/cleared")
    assert "#0x10" not in said.out


def test_every_acknowledged_entry_of_a_burst_is_kept(server: LanServer, log_in: LogIn) -> None:
    session = log_in()
    acknowledged = []
    for number in range(300):
        answer = ask(session, f"0a 44 00 00 c0 00 00 00 00 d9 7e 00 {number:08x} 00 00")
        assert answer.startswith("00")
        acknowledged.append((answer[3:], f"{number.to_bytes(4, 'big').hex(' ')}"))
    server.process.process.kill()
    die_and_return(server)
    session = log_in()
    for record, mark in acknowledged:
        read = ask(session, f"0a 43 00 00 {record} 00 ff")
        assert read[9:14] == record
        assert mark in read, (record, mark, read)


def test_clients_words_for_it(server: LanServer, tmp_path: Path) -> None:
    """The same with ipmitool: killed as soon as it has said that it is done."""
    commands = (
        ("event 1", "sel list last 1", r"Temperature #0x30 \| Upper Critical going high"),
        ("user set name 10 kept", "user list 1", r"^10 +kept "),
        ("user set password 10 kept-password", "user test 10 16 kept-password", "Success"),
        ("chassis bootdev cdrom options=persistent", "chassis bootparam get 5", "Force Boot from CD/DVD"),
        ("lan set 1 netmask 255.255.0.0", "lan print 1", r"^Subnet Mask +: 255\.255\.0\.0$"),
        ("sensor thresh P12V lnc 11.5", "sensor get P12V", r"Lower Non-Critical +: 11\.505"),
        ("chassis policy always-on", "chassis status", "always-on"),
        ("mc setsysinfo system_name kept", "mc getsysinfo system_name", "^kept$"),
    )
    for change, reading, pattern in commands:
        server.ipmitool(*change.split()).shows()
        die_and_return(server)
        server.ipmitool(*reading.split()).shows(pattern)


def test_identity_is_kept(server: LanServer) -> None:
    guid = server.ipmitool("mc", "guid").shows("System GUID").out
    die_and_return(server)
    assert server.ipmitool("mc", "guid").shows().out == guid


# -- what is in the way of a start --------------------------------------------------------------------


def start_fails(*args: str, state: Path) -> Said:
    command = [sys.executable, "-m", "baseboard", "run", "--state", str(state), "--json", *args]
    if "--lan" not in args:
        command += ["--lan", "127.0.0.1:0"]
    said = run(command, timeout=20)
    assert said.out == ""
    assert "Traceback" not in said.err
    return said


def test_state_directory_in_use(baseboard: StartBaseboard, tmp_path: Path) -> None:
    first = baseboard()
    said = start_fails(state=first.state)
    assert said.code == 2
    said.says(
        f"state directory .* is in use by process {first.info['pid']}: stop that instance, or name another"
    )
    assert first.alive
    first.kill()
    assert Baseboard(state=first.state).stop() == 0  # no leftover is in the way


def test_port_in_use(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        said = start_fails("--lan", f"127.0.0.1:{port}", state=tmp_path / "state")
    assert said.code == 2
    said.says(f"cannot bind 127.0.0.1:{port}: another program answers there; choose another port, or 0")


# fmt: off
IN_THE_WAY = (
    # arguments                                        what is said
    (("--lan", "192.0.2.1:0"),                         "cannot bind 192.0.2.1:0: the host has no such address"),
    (("--lan", "nonsense"),                            "'nonsense' is not HOST:PORT"),
    (("--config", "/no/such.toml"),                    "No such file or directory; `baseboard init"),
    (("--password-file", "/no/such"),                  "password file /no/such: No such file or directory"),
    (("--user", "a-name-of-17-byte"),                  "is not a name of 1 to 16 bytes"),
    (("--console", "nonsense"),                        "'nonsense' is not unix:PATH, tcp:HOST:PORT or pty"),
    (("--vm", "nonsense"),                             "'nonsense' is not connect:unix:PATH"),
    (("--power", "qemu"),                              "needs the QEMU to run"),
    (("--", "no-such-qemu", "-m", "16"),               "no-such-qemu: no such program; install QEMU"),
)
# fmt: on


@pytest.mark.parametrize(("args", "message"), IN_THE_WAY, ids=[" ".join(args) for args, _ in IN_THE_WAY])
def test_what_is_in_the_way(args: tuple[str, ...], message: str, tmp_path: Path) -> None:
    options = ("--lan", "127.0.0.1:0") if "--lan" not in args else ()
    command = [sys.executable, "-m", "baseboard", "run", "--state", str(tmp_path / "state"), *options, *args]
    said = run(command, timeout=20)
    assert said.code == 2
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == 1
    said.says(re.escape(message))


def test_every_mistake_of_a_configuration_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[lan]\nprot = 1\ncipher_suites = [17, 4]\n\n[power]\nkind = "steam"\n[users]\n')
    said = start_fails("--config", str(file), state=tmp_path / "state")
    assert said.code == 2
    found = [re.match(r"(.*):(\d+): ", line) for line in said.err.splitlines()]
    assert [(match.group(1), match.group(2)) for match in found if match] == [
        (str(file), line) for line in "2367"
    ]
    said.says("did you mean port", "found 4; allowed: a list of 0, 1, 2, 3", "steam", "did you mean user")


def test_without_an_instance(tmp_path: Path) -> None:
    for command in (["status"], ["sel", "list"], ["sensor", "list"], ["power", "status"]):
        said = run([sys.executable, "-m", "baseboard", *command, "--state", str(tmp_path)], timeout=20)
        assert said.code == 1
        said.says(f"no instance is running in {tmp_path}: start one with")


def test_ends_as_it_is_told(tmp_path: Path) -> None:
    process = Baseboard(state=tmp_path / "state")
    assert process.stop() == 0
    assert not (tmp_path / "state" / "control.sock").exists()
