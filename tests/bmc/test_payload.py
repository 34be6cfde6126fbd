"""Payload commands in bytes.

The requests are those of ipmitool 1.8.19 (aux C6h), FreeIPMI 1.6.10 (C2h) and pyghmi 1.6.19 (C0h), as
recorded; the answers follow the tables of the specification and what the three accept.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.events import SolChanged
from baseboard.bmc.handlers import payload, sol
from baseboard.bmc.sol_configuration import SolSettings
from baseboard.ipmi import Channel, Context, Message, Privilege
from baseboard.ipmi.message import NoSessions

ACTIVATED = "1c 48 00 00 00 00 00 ff 00 03 01 56 18 ff ff"
"""No test mode; 255 bytes in, 259 out; port 6230; no VLAN."""
ACTIVATE = "18 48 01 01 c6 00 00 00"
DEACTIVATE = "18 49 01 01 00 00 00 00"


@dataclass
class ASession:
    """A session as handlers see it."""

    id: int
    user_id: int = 2
    handle: int = 1
    privilege: Privilege = Privilege.ADMINISTRATOR
    maximum_privilege: Privilege = Privilege.ADMINISTRATOR
    rmcp_plus: bool = True
    encrypted: bool = True
    authenticated: bool = True
    channel: int = Channel.LAN
    console_ip: bytes = bytes(4)
    console_mac: bytes = bytes(6)
    console_port: int = 0


class Table:
    """A controller and those who talk to it."""

    def __init__(self, settings: SolSettings | None = None) -> None:
        self.bmc = Bmc(Settings(sol=settings or SolSettings()))
        self.bmc.sol.port = 6230
        self.core = Core(self.bmc, (payload.TABLE, sol.TABLE))
        self.mine = ASession(0x1001)
        self.other = ASession(0x2002, user_id=3)

    def ask(self, text: str, session: ASession | None = None, level: Privilege | None = None) -> str:
        """From a session, by default our own."""
        session = session or self.mine
        privilege = session.privilege if level is None else level
        return self._ask(text, Context(channel=Channel.LAN, privilege=privilege, session=session))

    def ask_in_band(self, text: str) -> str:
        """From the machine, over the system interface."""
        return self._ask(text, Context())

    def _ask(self, text: str, context: Context) -> str:
        netfn_lun, command, *data = bytes.fromhex(text)
        answer = self.core.handle(Message(netfn_lun >> 2, netfn_lun & 3, command, bytes(data)), context)
        return bytes((netfn_lun | 4, command, *answer)).hex(" ")

    def told(self) -> list[str]:
        """What the engine has to send."""
        return [p.data.hex() for p in self.bmc.sol.payloads_to_send()]


@pytest.fixture
def table() -> Table:
    return Table()


def test_ipmitool_activates_and_deactivates(table: Table) -> None:
    assert table.ask(ACTIVATE) == ACTIVATED
    assert table.bmc.sol.session_id == 0x1001
    assert table.bmc.sol.encrypted
    assert table.bmc.next_event() == SolChanged(0x1001)
    assert table.ask(DEACTIVATE) == "1c 49 00"
    assert table.bmc.next_event() == SolChanged(None)
    assert table.ask(DEACTIVATE) == "1c 49 80"
    assert table.told() == []


def test_freeipmi_asks_first(table: Table) -> None:
    assert table.ask("18 4e 0e") == "1c 4e 00 03 00 3f 00 00 00 00 00"
    assert table.ask("18 4a 01") == "1c 4a 00 01 00 00"
    assert table.ask("18 48 01 01 c2 00 00 00") == ACTIVATED
    assert table.ask("18 4a 01") == "1c 4a 00 01 01 00"
    assert table.ask("18 4f 0e 00") == "1c 4f 00 10"


def test_pyghmi_looks_whether_it_still_has_it(table: Table) -> None:
    assert table.ask("18 4b 01 01") == "1c 4b 00" + " 00" * 12
    assert table.ask("18 48 01 01 c0 00 00 00") == ACTIVATED
    assert table.ask("18 4b 01 01") == "1c 4b 00 01 10 00 00 01" + " 00" * 7


def test_a_repeated_activation_is_answered_again(table: Table) -> None:
    assert table.ask(ACTIVATE) == ACTIVATED
    assert table.ask(ACTIVATE) == ACTIVATED
    assert [table.bmc.next_event(), table.bmc.next_event()] == [SolChanged(0x1001), None]


def test_another_session_is_refused_and_may_take_it(table: Table) -> None:
    assert table.ask(ACTIVATE) == ACTIVATED
    assert table.ask(ACTIVATE, table.other) == "1c 48 80"
    assert table.ask(DEACTIVATE, table.other) == "1c 49 00"
    assert table.told() == ["00000010"]
    assert table.ask(ACTIVATE, table.other) == ACTIVATED
    assert table.bmc.sol.session_id == 0x2002


def test_the_machine_may_end_it_but_not_have_it(table: Table) -> None:
    assert table.ask_in_band(ACTIVATE) == "1c 48 d5"
    table.ask(ACTIVATE)
    assert table.ask_in_band("18 4a 01") == "1c 4a 00 01 01 00"
    assert table.ask_in_band(DEACTIVATE) == "1c 49 00"
    assert table.told() == ["00000010"]


def test_an_ipmi_15_session_carries_no_payload(table: Table) -> None:
    table.mine.rmcp_plus = False
    assert table.ask(ACTIVATE) == "1c 48 d5"


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("18 48 00 01 00 00 00 00", "1c 48 cc", id="IPMI messages are not activated"),
        pytest.param("18 48 01 02 00 00 00 00", "1c 48 cc", id="no second instance"),
        pytest.param("18 48 01 01", "1c 48 c7", id="short"),
        pytest.param("18 49 02 01 00 00 00 00", "1c 49 cc", id="no OEM payload"),
        pytest.param("18 4a 00", "1c 4a cc", id="status of IPMI messages"),
        pytest.param("18 4b 01 02", "1c 4b cc", id="information on a second instance"),
        pytest.param("18 4f 0e 01", "1c 4f 00 10", id="version of SOL"),
        pytest.param("18 4f 01 15", "1c 4f 00 10", id="version of RAKP message 4"),
        pytest.param("18 4f 0e 02", "1c 4f 80", id="version of nothing"),
        pytest.param("18 4f 07 01", "1c 4f cc", id="version on no channel"),
        pytest.param("18 4e 0f", "1c 4e 00 01 00 00 00 00 00 00 00", id="system interface"),
        pytest.param("18 4f 0f 01", "1c 4f 80", id="no SOL on the system interface"),
        pytest.param("18 50 0e 20 57 01 00 00 00", "1c 50 80", id="no OEM payload information"),
        pytest.param("18 55 01 01 00", "1c 55 83", id="suspend what is not active"),
        pytest.param("18 55 00 01 00", "1c 55 80", id="suspend IPMI messages"),
    ],
)
def test_single_requests(table: Table, request_: str, response: str) -> None:
    assert table.ask(request_) == response


@pytest.mark.parametrize(
    ("settings", "session", "aux", "code", "encrypted"),
    [
        pytest.param(SolSettings(), (True, True), "c0", "00", True, id="asked and offered"),
        pytest.param(SolSettings(), (True, True), "40", "00", False, id="not asked"),
        pytest.param(SolSettings(), (False, True), "c0", "00", False, id="not offered: ipmitool asks always"),
        pytest.param(SolSettings(force_encryption=True), (True, True), "40", "00", True, id="forced on"),
        pytest.param(SolSettings(force_encryption=True), (False, True), "c0", "84", False, id="impossible"),
        pytest.param(SolSettings(force_authentication=True), (False, True), "00", "00", False, id="as it is"),
        pytest.param(SolSettings(force_authentication=True), (False, False), "c0", "84", False, id="bare"),
        pytest.param(SolSettings(enabled=False), (True, True), "c0", "81", False, id="disabled"),
        pytest.param(
            SolSettings(privilege=Privilege.OEM), (True, True), "c0", "d4", False, id="above administrators"
        ),
    ],
)
def test_what_parameters_1_and_2_demand(
    settings: SolSettings, session: tuple[bool, bool], aux: str, code: str, encrypted: bool
) -> None:
    table = Table(settings)
    table.mine.encrypted, table.mine.authenticated = session
    assert table.ask(f"18 48 01 01 {aux} 00 00 00").startswith(f"1c 48 {code}")
    assert table.bmc.sol.encrypted is encrypted


def test_levels(table: Table) -> None:
    assert table.ask(ACTIVATE, level=Privilege.USER) == "1c 48 d4"
    assert table.ask(ACTIVATE, level=Privilege.OPERATOR) == ACTIVATED
    assert table.ask(DEACTIVATE, level=Privilege.USER) == "1c 49 d4"
    assert table.ask("18 4c 01 02 02 00 00 00", level=Privilege.OPERATOR) == "1c 4c d4"
    assert table.ask("18 4d 01 02", level=Privilege.USER) == "1c 4d d4"


def test_disabling_sol_ends_it(table: Table) -> None:
    table.ask(ACTIVATE)
    assert table.ask("30 21 01 01 00", table.other) == "34 21 00"
    assert table.told() == ["00000010"]
    assert table.ask(DEACTIVATE) == "1c 49 81"


def test_user_payload_access(table: Table) -> None:
    assert table.ask("18 4d 01 02") == "1c 4d 00 02 00 00 00"
    assert table.ask("18 4c 01 42 02 00 00 00") == "1c 4c 00"  # disable SOL for user 2
    assert table.ask("18 4d 0e 02") == "1c 4d 00 00 00 00 00"
    assert table.ask("18 4d 01 03") == "1c 4d 00 02 00 00 00"
    assert table.ask(ACTIVATE) == "1c 48 81"
    assert table.ask("18 4c 01 02 fe ff ff ff") == "1c 4c 00"  # enable everything: there is only SOL
    assert table.ask("18 4d 01 02") == "1c 4d 00 02 00 00 00"
    assert table.ask(ACTIVATE) == ACTIVATED
    assert table.ask("18 4c 01 82 02 00 00 00") == "1c 4c cc"
    assert table.ask("18 4c 0f 02 02 00 00 00") == "1c 4c cc"
    assert table.ask("18 4c 01 3f 02 00 00 00") == "1c 4c c9"


def test_user_payload_access_survives(table: Table) -> None:
    table.ask("18 4c 01 42 02 00 00 00")
    _, rows = table.bmc.changes.take()
    again = Table()
    again.bmc.restore({"payload_access": {key: value for (_, key), value in rows.items()}})
    assert again.ask("18 4d 01 02") == "1c 4d 00 00 00 00 00"


def test_encryption_is_suspended_and_resumed(table: Table) -> None:
    table.ask(ACTIVATE)
    assert table.ask("18 55 01 01 00", table.other) == "1c 55 83"
    assert table.ask("18 55 01 01 00") == "1c 55 00"
    assert not table.bmc.sol.encrypted
    assert table.ask("18 55 01 01 01") == "1c 55 00"
    assert table.bmc.sol.encrypted
    assert table.ask("18 55 01 01 02") == "1c 55 80"
    table.ask("30 21 01 02 83")
    assert table.ask("18 55 01 01 00") == "1c 55 81"
    table.mine.encrypted = False
    assert table.ask("18 55 01 01 00") == "1c 55 82"


@given(st.integers(0x48, 0x55), st.binary(max_size=10))
def test_any_request_is_answered(command: int, data: bytes) -> None:
    table = Table()
    assert table.ask(f"18 {command:02x} {data.hex(' ')}").startswith(f"1c {command:02x} ")


class Open(NoSessions):
    """Open sessions."""

    def __init__(self, *sessions: ASession) -> None:
        self.sessions = {session.id: session for session in sessions}

    def find(self, session_id: int) -> ASession | None:
        return self.sessions.get(session_id)


def test_who_loses_the_right_loses_the_console(table: Table) -> None:
    table.bmc.sessions = Open(table.mine, table.other)
    assert table.ask(ACTIVATE) == ACTIVATED
    table.told()
    assert table.ask("18 4c 01 43 02 00 00 00", table.other) == "1c 4c 00"  # user 3 has not got it
    assert table.bmc.sol.session_id == table.mine.id
    assert table.ask("18 4c 01 42 02 00 00 00", table.other) == "1c 4c 00"
    assert table.bmc.sol.session_id is None
    assert table.told() == ["00000010"]
    assert list(iter(table.bmc.next_event, None))[-1] == SolChanged(None)
