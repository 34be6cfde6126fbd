"""LAN parameters: what `ipmitool lan print` and FreeIPMI's bmc-config read, and what they may write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.handlers import lan_configuration
from baseboard.bmc.lan_configuration import LanSettings
from baseboard.bmc.lan_parameters import PARAMETERS, Access
from baseboard.errors import ConfigError
from baseboard.ipmi import Privilege

MAC = bytes.fromhex("525400123456")
GUID = bytes(range(16))


@pytest.fixture
def talk() -> Conversation:
    settings = Settings(device=DeviceSettings(guid=GUID))
    talk = Conversation(lan_configuration.TABLE, settings=settings)
    bind(talk)
    return talk


def bind(talk: Conversation) -> None:
    talk.bmc.lan_configuration.bound("127.0.0.1", "255.0.0.0", mac=MAC, gateway="127.0.0.254", port=6230)


def read(talk: Conversation, number: int, set_selector: int = 0) -> str:
    answer = talk.ask(f"30 02 01 {number:02x} {set_selector:02x} 00")
    return answer.removeprefix("34 02 00 11 ").removeprefix("34 02 ")


@pytest.mark.parametrize(
    ("number", "data"),
    [
        pytest.param(0, "00", id="set complete"),
        pytest.param(1, "04", id="MD5 can be"),
        pytest.param(2, "04 04 04 04 00", id="MD5 is on"),
        pytest.param(3, "7f 00 00 01", id="address"),
        pytest.param(4, "01", id="static"),
        pytest.param(5, "52 54 00 12 34 56", id="MAC"),
        pytest.param(6, "ff 00 00 00", id="mask"),
        pytest.param(7, "40 40 10", id="IPv4 header"),
        pytest.param(8, "56 18", id="the port that is bound"),
        pytest.param(9, "80", id="no secondary port"),
        pytest.param(10, "02", id="ARP responses"),
        pytest.param(11, "03", id="2 s"),
        pytest.param(12, "7f 00 00 fe", id="gateway"),
        pytest.param(13, "00 00 00 00 00 00", id="gateway MAC"),
        pytest.param(14, "00 00 00 00", id="backup gateway"),
        pytest.param(15, "00 00 00 00 00 00", id="backup gateway MAC"),
        # captures.json, sim-walk-lan
        pytest.param(16, "70 75 62 6c 69 63 00 00 00 00 00 00 00 00 00 00 00 00", id="public"),
        pytest.param(17, "04", id="four destinations"),
        pytest.param(18, "00 00 00 00", id="destination 0"),
        pytest.param(19, "00 00 00 00 00 00 00 00 00 00 00 00 00", id="address of destination 0"),
        pytest.param(20, "00 00", id="no VLAN"),
        pytest.param(21, "00", id="VLAN priority"),
        pytest.param(22, "05", id="five entries"),
        pytest.param(23, "00 00 01 02 03 11 00 00 00 00 00 00 00 00 00 00 00", id="0, 1, 2, 3, 17"),
        pytest.param(24, "00 00 40 04 00 00 00 00 00", id="3 and 17 up to ADMINISTRATOR, the rest unused"),
        pytest.param(25, "00 00 00 00", id="destination VLAN"),
        pytest.param(26, "00 00 00 00 00 00", id="no bad password threshold"),
        pytest.param(27, "80", id="no parameter 27"),
        pytest.param(50, "03", id="IPv6 alone, or both"),
        pytest.param(51, "00", id="IPv4"),
        pytest.param(53, "40", id="hop limit"),
        pytest.param(55, "01 00 00", id="one static address"),
        pytest.param(56, "00 00" + " 00" * 16 + " 00 01", id="it is disabled"),
        pytest.param(58, "80", id="no DHCPv6"),
        pytest.param(73, "00", id="no dynamic routers"),
        pytest.param(192, "80", id="no OEM parameter"),
    ],
)
def test_parameters(talk: Conversation, number: int, data: str) -> None:
    assert read(talk, number) == data


def test_every_parameter_has_the_length_that_clients_check(talk: Conversation) -> None:
    for number in range(256):
        answer = talk.ask(f"30 02 01 {number:02x} 00 00").split()
        row = PARAMETERS.get(number)
        if row is None or row.access is Access.ABSENT:
            assert answer[2:] == ["80"], number
            assert row is None or row.note, f"{number}: an absence has a reason"
        else:
            assert answer[2:4] == ["00", "11"], number
            assert len(answer) == 4 + row.size, number


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("30 02 81 03 00 00", "34 02 00 11", id="revision only"),
        pytest.param("30 02 81 c0 00 00", "34 02 80", id="revision of what is not there"),
        pytest.param("30 02 0e 03 00 00", "34 02 cc", id="the present channel is KCS"),
        pytest.param("30 02 00 03 00 00", "34 02 cc", id="IPMB has no address"),
        pytest.param("30 02 02 03 00 00", "34 02 cc", id="no channel 2"),
        pytest.param("30 02 01 03 00", "34 02 c7", id="get is too short"),
        pytest.param("30 02 01 12 05 00", "34 02 c9", id="no destination 5"),
        pytest.param("30 02 01 38 01 00", "34 02 c9", id="no IPv6 address 1"),
        pytest.param("30 01 01", "34 01 c7", id="set what?"),
        pytest.param("30 01 01 1b 00", "34 01 80", id="set a parameter that is not there"),
        pytest.param("30 01 01 09 6f 02", "34 01 80", id="set the secondary port"),
        pytest.param("30 01 01 01 04", "34 01 82", id="read-only before length"),
        pytest.param("30 01 01 08 6f 02", "34 01 82", id="another port"),
        pytest.param("30 01 01 16 01", "34 01 82", id="count of suites"),
        pytest.param("30 01 01 17", "34 01 82", id="suites"),
        pytest.param("30 01 01 1a 00 03 00 00 00 00", "34 01 82", id="nobody is locked out"),
        pytest.param("30 01 01 1a 00 00 00 00 00 00", "34 01 00", id="nobody is locked out, as before"),
        pytest.param("30 01 01 1a 00 00 00 00 00", "34 01 c7", id="nobody is locked out, in short"),
        pytest.param("30 01 01 08 56 18", "34 01 00", id="the port that is bound"),
        pytest.param("30 01 01 33 01", "34 01 82", id="no IPv6"),
        pytest.param("30 01 01 33 00", "34 01 00", id="no IPv6, as before"),
        pytest.param("30 01 01 38 00 80" + " 00" * 18, "34 01 82", id="no IPv6 address"),
        pytest.param("30 01 01 38 00 00" + " 00" * 18, "34 01 00", id="no IPv6 address, as before"),
        pytest.param("30 01 01 38 01 00" + " 00" * 18, "34 01 c9", id="no second IPv6 address"),
        pytest.param("30 01 01 03 0a 00 00", "34 01 c7", id="three bytes of address"),
        pytest.param("30 01 01 03", "34 01 c7", id="no address"),
        pytest.param("30 01 01 00 02", "34 01 cc", id="no commit"),
        pytest.param("30 01 01 00 03", "34 01 cc", id="set-in-progress 3 is reserved"),
        pytest.param("30 01 01 02 04 04 04 14 00", "34 01 cc", id="straight password is not to be had"),
        pytest.param("30 01 01 04 05", "34 01 cc", id="no address source 5"),
        pytest.param("30 01 01 12 05 00 00 00", "34 01 c9", id="set destination 5"),
        pytest.param("30 01 01 12 01 01 00 00", "34 01 cc", id="no destination type 1"),
        pytest.param("30 01 01 13 01 20" + " 00" * 11, "34 01 cc", id="no address format 2"),
        pytest.param("30 01 01 13 01 10" + " 00" * 11, "34 01 c7", id="an IPv6 address needs 18 bytes"),
        pytest.param("30 01 01 13 01 00" + " 00" * 16, "34 01 c7", id="an IPv4 address needs 13"),
        pytest.param("30 01 01 14 ff 8f", "34 01 cc", id="VLAN FFFh is reserved"),
        pytest.param("30 01 01 18 00 00 60" + " 00" * 6, "34 01 cc", id="no level 6"),
        pytest.param("30 01 01 18 00 04 40" + " 00" * 6, "34 01 cc", id="suite 0 is off by configuration"),
        pytest.param("30 01 01 18 00" + " 43" * 7, "34 01 c7", id="levels of 14 suites"),
        pytest.param("30 01 01 43 81", "34 01 c9", id="no prefix of 129 bits"),
    ],
)
def test_refusals(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


@pytest.mark.parametrize(
    ("request_", "needed"),
    [
        ("30 01 01 00 00", Privilege.ADMINISTRATOR),
        ("30 02 01 00 00 00", Privilege.OPERATOR),
        ("30 03 01 00", Privilege.ADMINISTRATOR),
        ("30 04 01 00", Privilege.USER),
    ],
)
def test_privilege(talk: Conversation, request_: str, needed: Privilege) -> None:
    assert talk.over_lan(request_, Privilege(needed - 1)).split()[2] == "d4"
    assert talk.over_lan(request_, needed).split()[2] == "00"


def test_the_present_channel_over_the_lan(talk: Conversation) -> None:
    assert talk.over_lan("30 02 0e 03 00 00") == "34 02 00 11 7f 00 00 01"


WRITES = [
    pytest.param("03 c0 00 02 07", 3, 0, "c0 00 02 07", id="address"),
    pytest.param("04 04", 4, 0, "04", id="address source"),
    pytest.param("05 02 00 00 00 00 01", 5, 0, "02 00 00 00 00 01", id="MAC"),
    pytest.param("06 ff ff ff 00", 6, 0, "ff ff ff 00", id="mask"),
    pytest.param("0c c0 00 02 01", 12, 0, "c0 00 02 01", id="gateway"),
    pytest.param("0a 03", 10, 0, "03", id="ARP"),
    pytest.param("10" + " 41" * 18, 16, 0, "41" + " 41" * 17, id="community"),
    pytest.param("12 02 80 05 02", 18, 2, "02 80 05 02", id="destination type"),
    pytest.param(
        "13 01 00 00 c0 00 02 63 02 00 00 00 00 07",
        19,
        1,
        "01 00 00 c0 00 02 63 02 00 00 00 00 07",
        id="destination address",
    ),
    pytest.param("13 04 10" + " fd" * 16, 19, 4, "04 10" + " fd" * 16, id="IPv6 destination address"),
    pytest.param("14 64 80", 20, 0, "64 80", id="VLAN 100"),
    pytest.param("15 ff", 21, 0, "07", id="reserved bits are dropped"),
    pytest.param("02 04 00 04 04 00", 2, 0, "04 00 04 04 00", id="authentication types"),
    pytest.param("18 00 00 30" + " 00" * 6, 24, 0, "00 00 30" + " 00" * 6, id="3 OPERATOR, 17 off"),
    pytest.param(
        "18 00 00 30 54" + " 55" * 5, 24, 0, "00 00 30 04" + " 00" * 5, id="levels of no suite are dropped"
    ),
]


@pytest.mark.parametrize(("request_", "number", "set_selector", "data"), WRITES)
def test_what_is_written_is_read_and_kept(
    talk: Conversation, request_: str, number: int, set_selector: int, data: str
) -> None:
    assert talk.ask(f"30 01 01 {request_}") == "34 01 00"
    assert read(talk, number, set_selector) == data
    talk.restart()
    bind(talk)
    assert read(talk, number, set_selector) == data


def test_destination_0_is_volatile(talk: Conversation) -> None:
    talk.ask("30 01 01 12 00 86 01 01")
    assert read(talk, 18, 0) == "00 86 01 01"
    talk.bmc.reset(cold=True, now=0.0)
    assert read(talk, 18, 0) == "00 00 00 00"


def test_with_dhcp_the_bound_address_is_read_and_none_is_written(talk: Conversation) -> None:
    talk.ask("30 01 01 03 c0 00 02 07")
    talk.ask("30 01 01 04 02")
    assert read(talk, 3) == "7f 00 00 01"
    assert talk.ask("30 01 01 03 c0 00 02 08") == "34 01 d5"
    assert talk.ask("30 01 01 03 7f 00 00 01") == "34 01 00"
    talk.ask("30 01 01 04 01")
    assert read(talk, 3) == "c0 00 02 07"


def test_set_in_progress(talk: Conversation) -> None:
    assert talk.ask("30 01 01 00 01") == "34 01 00"
    assert talk.ask("30 01 01 00 01") == "34 01 81"
    assert read(talk, 0) == "01"
    assert talk.ask("30 01 01 00 00") == "34 01 00"
    talk.ask("30 01 01 00 01")
    talk.bmc.reset(cold=True, now=0.0)
    assert read(talk, 0) == "00"
    talk.ask("30 01 01 00 01")
    talk.restart()
    assert read(talk, 0) == "00"


def test_off_loopback_there_is_no_ipmi_15(talk: Conversation) -> None:
    talk.bmc.lan_configuration.bound("192.0.2.7")
    assert [read(talk, n) for n in (1, 2, 3, 6)] == ["00", "00 00 00 00 00", "c0 00 02 07", "ff ff ff 00"]
    assert talk.ask("30 01 01 02 04 04 04 04 04") == "34 01 cc"


def test_an_ipv6_address(talk: Conversation) -> None:
    talk.bmc.lan_configuration.bound("2001:db8::7", "64")
    assert [read(talk, n) for n in (3, 51)] == ["00 00 00 00", "01"]
    assert read(talk, 56) == "00 80 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 07 40 00"


def test_a_mac_is_made_up_from_the_guid(talk: Conversation) -> None:
    talk.bmc.lan_configuration.bound("127.0.0.1")
    assert read(talk, 5) == "02 0f 0e 0d 0c 0b"


def test_every_suite_stands_where_its_number_is() -> None:
    suites = (17, 16, 15, 12, 11, 8, 7, 6, 3, 2, 1, 0)
    lan = LanSettings(cipher_suites=suites, insecure_cipher_zero=True)
    talk = Conversation(lan_configuration.TABLE, settings=Settings(lan=lan))
    assert read(talk, 22) == "10"
    assert read(talk, 23) == "00 00 01 02 03 11 10 06 07 08 09 0a 0b 0c 0d 0e 0f"
    assert read(talk, 24) == "00 44 44 44 44 04 40 04 40"
    assert talk.bmc.authority.cipher_suites(1) == suites


def test_suite_8_besides() -> None:
    talk = Conversation(lan_configuration.TABLE, settings=Settings(lan=LanSettings(cipher_suites=(17, 3, 8))))
    assert read(talk, 23) == "00 00 01 02 03 11 10 06 07 08" + " 00" * 7
    assert read(talk, 24) == "00 00 40 04 00 04" + " 00" * 3


@pytest.mark.parametrize(("suites", "text"), [((3, 4), "suite 4"), ((17, 0), "insecure_cipher_zero")])
def test_suites_that_are_refused(suites: tuple[int, ...], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Conversation(settings=Settings(lan=LanSettings(cipher_suites=suites)))


def test_arps_are_suspended_until_a_reset(talk: Conversation) -> None:
    assert talk.ask("30 03 01 00") == "34 03 00 02"
    assert talk.ask("30 03 01 02") == "34 03 00 00"
    talk.ask("30 01 01 0a 03")
    assert talk.ask("30 03 01 01") == "34 03 00 02"
    talk.bmc.reset(cold=False, now=0.0)
    assert not talk.bmc.lan_configuration.gratuitous_arps_suspended


def test_statistics_stop_at_their_maximum(talk: Conversation) -> None:
    statistics = talk.bmc.lan_configuration.statistics
    statistics.udp_received, statistics.udp_transmitted, statistics.rmcp_received = 70000, 3, 2
    rest = "00 00 00 00 00 00 03 00 ff ff 02 00 00 00 00 00"
    assert talk.ask("30 04 01 00") == f"34 04 00 ff ff {rest}"
    assert talk.ask("30 04 01 01") == "34 04 00" + " 00" * 18


def snapshot(talk: Conversation) -> list[str]:
    return [
        talk.ask(f"30 02 01 {number:02x} {selector:02x} 00")
        for number in PARAMETERS
        if number
        for selector in range(6)
        if not (selector == 0 and number in (18, 19, 25))  # destination 0 is volatile
    ]


@given(st.lists(st.tuples(st.integers(0, 80), st.binary(max_size=20)), max_size=20))
def test_whatever_is_written_the_same_is_read_after_a_restart(writes: list[tuple[int, bytes]]) -> None:
    talk = Conversation(lan_configuration.TABLE)
    for number, data in writes:
        talk.ask(f"30 01 01 {number:02x} {data.hex()}")
    before = snapshot(talk)
    assert all(len(answer.split()) > 4 for answer in before if answer.split()[2] == "00")
    talk.restart()
    assert snapshot(talk) == before
