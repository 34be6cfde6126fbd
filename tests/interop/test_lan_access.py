"""Who gets in over the LAN, and who is refused what: ipmitool at every level, and strangers."""

# ruff: noqa: E501 -- a row of a table is a command and what it shows

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from tests.interop.lan_clients import DISABLED, LAN_15, LANPLUS, LOGINS, LanServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    running = LanServer(tmp_path_factory.mktemp("access"), suites=(17, 3))
    running.ipmitool("user", "disable", "6").shows()
    yield running
    assert running.process.alive
    assert not running.process.tail()
    running.close()


# fmt: off
FORBIDDEN = (
    # user        command
    ("viewer",    "power off"),
    ("viewer",    "power on"),
    ("viewer",    "chassis identify"),
    ("viewer",    "chassis bootdev pxe"),
    ("viewer",    "chassis policy always-off"),
    ("viewer",    "sel clear"),
    ("viewer",    "sel delete 1"),
    ("viewer",    "sel time set now"),
    ("viewer",    "sensor thresh 'CPU1 Temp' ucr 50"),
    ("viewer",    "user list 1"),
    ("viewer",    "user set name 9 nick"),
    ("viewer",    "lan set 1 ipaddr 1.2.3.4"),
    ("viewer",    "raw 0x06 0x52 0x03 0xa0 0x01 0x00"),
    ("operator",  "user set name 9 nick"),
    ("operator",  "user set password 2 mine"),
    ("operator",  "user priv 3 4 1"),
    ("operator",  "user enable 6"),
    ("operator",  "lan set 1 ipaddr 1.2.3.4"),
    ("operator",  "sol set enabled false 1"),
    ("operator",  "raw 0x06 0x40 0x01 0x80 0x80"),
)
# fmt: on


@pytest.mark.parametrize("how", [LOGINS["lanplus"], LOGINS["lan"]], ids=["lanplus", "lan"])
@pytest.mark.parametrize(("user", "command"), FORBIDDEN, ids=[" ".join(row) for row in FORBIDDEN])
def test_insufficient_privilege(server: LanServer, how: tuple[str, ...], user: str, command: str) -> None:
    said = server.ipmitool(*shlex.split(command), user=user, how=how)
    said.says(r"(?i)insufficient privilege|0xd4|\(d4\)|Unable to|failed|Cannot Set|^Setting LAN IP")
    assert said.code != 0 or command == "chassis bootdev pxe", said  # ipmitool 1.8.19 forgets that one


@pytest.mark.parametrize("user", ["viewer", "operator"])
def test_refused_means_not_done(server: LanServer, user: str) -> None:
    """The same commands by number: each is answered D4h, and nothing changed."""
    before = [
        server.ipmitool(*command.split()).out for command in ("user list 1", "sol info 1", "lan print 1")
    ]
    for command in ("0x06 0x45 0x09 0x78 0x78 0x78 0 0 0 0 0 0 0 0 0 0 0 0 0", "0x0c 0x01 0x01 0x00 0x00",
                    "0x06 0x02", "0x06 0x47 0x02 0x00", "0x0c 0x21 0x01 0x01 0x00"):  # fmt: skip
        server.ipmitool("raw", *command.split(), user=user).fails("rsp=0xd4")
    assert before == [
        server.ipmitool(*command.split()).out for command in ("user list 1", "sol info 1", "lan print 1")
    ]
    server.ipmitool("power", "status").shows("is on")


@pytest.mark.parametrize("command", ["sdr elist", "sensor list", "sel elist", "fru print", "mc info", "power status",
                                     "chassis status", "mc watchdog get", "sdr info", "sel info"])  # fmt: skip
@pytest.mark.parametrize("user", ["viewer", "operator"])
def test_reading_takes_no_more_than_user(server: LanServer, user: str, command: str) -> None:
    said = server.ipmitool(*command.split(), user=user)
    said.shows()
    assert "rivilege" not in said.text


# fmt: off
STRANGERS = (
    # user        password            level             what is said
    ("admin",     "wrong",            "ADMINISTRATOR",  "RAKP 2 HMAC is invalid"),
    ("admin",     "",                 "ADMINISTRATOR",  "RAKP 2 HMAC is invalid"),
    ("twenty",    "twenty-bytes-exac", "ADMINISTRATOR", "RAKP 2 HMAC is invalid"),
    ("nobody",    "wrong",            "ADMINISTRATOR",  "unauthorized name"),
    ("",          "",                 "ADMINISTRATOR",  "unauthorized name"),
    ("adm",       "Adm1n-Passw0rd",   "ADMINISTRATOR",  "unauthorized name"),
    ("ADMIN",     "Adm1n-Passw0rd",   "ADMINISTRATOR",  "unauthorized name"),
    (DISABLED,    "never-let-in",     "ADMINISTRATOR",  "unauthorized name"),
    ("operator",  "0perator-pass",    "ADMINISTRATOR",  "Set Session Privilege Level to ADMINISTRATOR failed"),
    ("viewer",    "viewer-passwd",    "OPERATOR",       "Set Session Privilege Level to OPERATOR failed"),
)
# fmt: on


@pytest.mark.parametrize("suite", ["17", "3"])
@pytest.mark.parametrize(("user", "password", "level", "message"), STRANGERS)
def test_log_in_fails_at_once(
    server: LanServer, user: str, password: str, level: str, message: str, suite: str
) -> None:
    said = server.ipmitool(
        "mc", "guid", user=user, password=password, level=level, how=(*LANPLUS, "-C", suite, "-vv")
    )
    said.fails(message, "Unable to establish IPMI v2 / RMCP. session")
    assert said.text.count("SENDING AN OPEN SESSION REQUEST") == 1


# fmt: off
STRANGERS_15 = (
    # user        password            level             what is said
    ("nobody",    "wrong",            "ADMINISTRATOR",  "Invalid user name"),
    ("",          "",                 "ADMINISTRATOR",  "NULL user|Invalid user name"),
    (DISABLED,    "never-let-in",     "ADMINISTRATOR",  "Invalid user name"),
    ("operator",  "0perator-pass",    "ADMINISTRATOR",  "exceeds limit|rivilege"),
)
# fmt: on


@pytest.mark.parametrize(("user", "password", "level", "message"), STRANGERS_15)
def test_log_in_to_ipmi_15_fails_at_once(
    server: LanServer, user: str, password: str, level: str, message: str
) -> None:
    said = server.ipmitool("mc", "guid", user=user, password=password, level=level, how=LAN_15)
    said.fails(message)


@pytest.mark.parametrize("kind", ["NONE", "PASSWORD", "MD2"])
def test_ipmi_15_has_md5_alone(server: LanServer, kind: str) -> None:
    server.ipmitool("mc", "guid", how=(*LAN_15, "-A", kind)).fails(
        f"Authentication type {kind} not supported"
    )


def test_wrong_password_of_ipmi_15_stays_without_an_answer(server: LanServer) -> None:
    how = (*LAN_15, "-R", "1", "-N", "1")
    server.ipmitool("mc", "guid", password="wrong", how=how).fails("Unable to establish LAN session")
    server.ipmitool("mc", "guid", how=LAN_15).shows("System GUID")


def test_a_changed_password_is_the_one_that_counts(server: LanServer) -> None:
    server.ipmitool("user", "set", "password", "5", "another-password", "20").shows()
    server.ipmitool("mc", "guid", user="twenty").fails("Unable to establish")
    server.ipmitool("mc", "guid", user="twenty", password="another-password").shows("System GUID")
    server.ipmitool("user", "set", "password", "5", "twenty-bytes-exactly", "20").shows()
    server.ipmitool("mc", "guid", user="twenty").shows("System GUID")
