"""Every cipher suite where it is configured, none where it is not; K_G; IPMI 1.5 on and off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.lan_clients import ALL_SUITES, LAN_15, LANPLUS, LanServer

IPMITOOL_SUITES = tuple(suite for suite in sorted(ALL_SUITES) if suite not in (11, 12))
"""ipmitool 1.8.19 aborts on 11 and 12."""
KEY = "0102030405060708090a0b0c0d0e0f1011121314"


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    """All suites but 0."""
    running = LanServer(tmp_path_factory.mktemp("every"))
    yield running
    assert not running.process.tail()
    running.close()


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    """17 and 3, as without a configuration; the address is not loopback's, as far as that goes here."""
    running = LanServer(tmp_path_factory.mktemp("default"), "--lan", "0.0.0.0:0", suites=(17, 3))
    yield running
    assert not running.process.tail()
    running.close()


@pytest.mark.parametrize("user", ["admin", "operator", "viewer", "twenty"])
@pytest.mark.parametrize("suite", IPMITOOL_SUITES)
def test_ipmitool(every: LanServer, suite: int, user: str) -> None:
    how = (*LANPLUS, "-C", str(suite))
    every.ipmitool("sdr", "list", user=user, how=how).shows("^Inlet Temp")
    every.ipmitool("mc", "guid", user=user, password="wrong", how=how).fails("Unable to establish")


@pytest.mark.parametrize("user", ["admin", "operator", "viewer", "twenty"])
@pytest.mark.parametrize("suite", sorted(ALL_SUITES))
def test_freeipmi(every: LanServer, suite: int, user: str) -> None:
    every.freeipmi("ipmi-raw", "-I", str(suite), "0", "6", "1", user=user).shows(
        "^rcvd: 01 00 20 01 00 01 02"
    )
    every.freeipmi("ipmi-raw", "-I", str(suite), "0", "6", "1", user=user, password="wrong").fails(
        "password invalid"
    )


def test_all_are_listed(every: LanServer) -> None:
    said = every.ipmitool("channel", "getciphers", "ipmi", "1").shows()
    listed = {int(line.split()[0]) for line in said.out.splitlines()[1:]}
    assert listed == set(ALL_SUITES)


@pytest.mark.parametrize("suite", [suite for suite in (0, *IPMITOOL_SUITES) if suite not in (3, 17)])
def test_ipmitool_is_refused(default: LanServer, suite: int) -> None:
    said = default.ipmitool("mc", "guid", how=(*LANPLUS, "-C", str(suite)))
    said.fails("Error in open session response message : no matching cipher suite")


@pytest.mark.parametrize("suite", [suite for suite in (0, *ALL_SUITES) if suite not in (3, 17)])
def test_freeipmi_is_refused(default: LanServer, suite: int) -> None:
    said = default.freeipmi("ipmi-raw", "-I", str(suite), "0", "6", "1")
    said.fails("cipher suite id unavailable")


def test_best_suite_is_ipmitools_choice(every: LanServer, default: LanServer) -> None:
    for server in every, default:
        server.ipmitool("-v", "mc", "guid").shows("Using best available cipher suite 17")


@pytest.mark.parametrize("user", ["admin", "", "nobody"])
def test_suite_0_is_refused_where_every_other_is_on(every: LanServer, user: str) -> None:
    how = (*LANPLUS, "-C", "0")
    every.ipmitool("mc", "guid", user=user, password="", level="ADMINISTRATOR", how=how).fails(
        "no matching cipher suite"
    )


def test_suite_0_takes_both_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    suites = (17, 3, 0)
    honest = pytest.raises(RuntimeError, match="insecure_cipher_zero")
    with honest:
        LanServer(tmp_path_factory.mktemp("zero"), suites=suites)
    server = LanServer(tmp_path_factory.mktemp("zero"), suites=suites, lan="insecure_cipher_zero = true")
    try:
        # The name is still needed, and anybody's word is taken for it.
        server.ipmitool("mc", "guid", password="anything", how=(*LANPLUS, "-C", "0")).shows("System GUID")
        server.ipmitool("mc", "guid", user="nobody", password="", how=(*LANPLUS, "-C", "0")).fails()
        server.ipmitool("mc", "guid", password="anything", how=(*LANPLUS, "-C", "3")).fails()
    finally:
        server.close()


def test_privilege_of_a_suite(every: LanServer) -> None:
    """Suite 3 may no more than its level; "X" switches it off; back again."""
    positions = every.ipmitool("lan", "print", "1").shows().out
    listed = positions.split("RMCP+ Cipher Suites     : ")[1].splitlines()[0].split(",")
    at = listed.index("3")
    allowed = positions.split("Cipher Suite Priv Max   : ")[1].splitlines()[0]

    def with_3(letter: str) -> str:
        return allowed[:at] + letter + allowed[at + 1 :]

    three = (*LANPLUS, "-C", "3")
    try:
        every.ipmitool("lan", "set", "1", "cipher_privs", with_3("u")).shows()
        every.ipmitool("power", "status", user="viewer", how=three).shows()
        every.ipmitool("power", "status", how=three).fails()
        every.ipmitool("lan", "set", "1", "cipher_privs", with_3("X")).shows()
        every.ipmitool("power", "status", user="viewer", how=three).fails("no matching cipher suite")
        every.ipmitool("power", "status", how=(*LANPLUS, "-C", "17")).shows()
    finally:
        every.ipmitool("lan", "set", "1", "cipher_privs", allowed, how=(*LANPLUS, "-C", "17")).shows()
    every.ipmitool("power", "status", how=three).shows()


def test_two_key_log_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    """K_G is set over IPMI; from then on both keys are needed, also after a restart."""
    server = LanServer(tmp_path_factory.mktemp("kg"), suites=ALL_SUITES)
    try:
        key = [f"0x{byte:02x}" for byte in bytes.fromhex(KEY)]
        server.ipmitool("raw", "0x06", "0x56", "0x01", "0x01", "0x01", *key).shows()
        server.ipmitool("channel", "authcap", "1", "4", how=LAN_15).shows("^KG status +: non-zero")
        for _ in range(2):
            for suite in IPMITOOL_SUITES:
                how = (*LANPLUS, "-C", str(suite))
                server.ipmitool("mc", "guid", how=(*how, "-y", KEY)).shows("System GUID")
                server.ipmitool("mc", "guid", how=(*how, "-y", KEY[::-1])).says("Unable to establish")
                server.ipmitool("mc", "guid", how=how).says("Unable to establish")
            for suite in ALL_SUITES:
                server.freeipmi("ipmi-raw", "-I", str(suite), "-k", f"0x{KEY}", "0", "6", "1").shows(
                    "^rcvd: "
                )
                server.freeipmi("ipmi-raw", "-I", str(suite), "0", "6", "1").fails(
                    "k_g invalid|password invalid"
                )
            server.process.kill()
            server.start()
    finally:
        server.close()


# -- IPMI 1.5 -----------------------------------------------------------------------------------------


def test_ipmi_15_is_off_where_others_can_listen(default: LanServer) -> None:
    quickly = ("-R", "1", "-N", "1")
    default.ipmitool("mc", "guid", how=(*LAN_15, *quickly)).fails("Unable to establish LAN session")
    for kind in ("MD5", "PASSWORD", "NONE"):
        default.ipmitool("mc", "guid", how=(*LAN_15, "-A", kind, *quickly)).fails("not supported|Unable to")
    default.freeipmi("ipmi-raw", "0", "6", "1", driver="LAN").fails(
        "authentication type unavailable|ipmi 1.5 unavailable|not supported"
    )
    default.ipmitool("channel", "authcap", "1", "4").shows(
        "^IPMI v1.5  auth types +: *$", "supports IPMI v2.0 : yes"
    )
    default.ipmitool("mc", "guid").shows("System GUID")


def test_ipmi_15_where_it_is_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = LanServer(
        tmp_path_factory.mktemp("off_loopback"),
        "--lan",
        "0.0.0.0:0",
        suites=(17,),
        lan='ipmi15_off_loopback = true\nipmi15 = ["md5", "password", "none"]',
    )
    try:
        for kind in ("MD5", "PASSWORD", "NONE"):
            server.ipmitool("mc", "guid", how=(*LAN_15, "-A", kind)).shows("System GUID")
        for kind in ("MD5", "STRAIGHT_PASSWORD_KEY", "NONE"):
            server.freeipmi("ipmi-raw", "-a", kind, "0", "6", "1", driver="LAN").shows("^rcvd: ")
    finally:
        server.close()


def test_no_ipmi_15_at_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = LanServer(tmp_path_factory.mktemp("no15"), suites=(17, 3), lan="ipmi15 = []")
    try:
        server.ipmitool("mc", "guid", how=(*LAN_15, "-R", "1", "-N", "1")).fails("Unable to establish LAN")
        server.ipmitool("mc", "guid").shows("System GUID")
    finally:
        server.close()


def test_md2_cannot_be_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(RuntimeError, match='found "md2"; allowed: a list of "none", "md5", "password"'):
        LanServer(tmp_path_factory.mktemp("md2"), suites=(17,), lan='ipmi15 = ["md2"]')
