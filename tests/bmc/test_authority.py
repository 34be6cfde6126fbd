"""Who may log in, as `lan/` asks it."""

from __future__ import annotations

import pytest

from baseboard.bmc import Bmc, Settings
from baseboard.bmc.channels import ChannelAccess
from baseboard.bmc.lan_configuration import LanSettings
from baseboard.ipmi import Channel, Privilege
from baseboard.ipmi.app_channels import AccessMode, Setting
from baseboard.lan.authority import Account, Authority, LoginStatus

LAN = Channel.LAN


@pytest.fixture
def bmc() -> Bmc:
    bmc = Bmc(Settings())
    bmc.users.provision(2, b"admin", b"secret")
    bmc.users.provision(3, b"oper", b"twenty bytes is long", Privilege.OPERATOR)
    bmc.users.provision(4, b"admin", b"other", Privilege.USER)
    return bmc


def authority(bmc: Bmc) -> Authority:
    return bmc.authority  # and the type checker says that it is one


@pytest.mark.parametrize(
    ("name", "privilege", "user_id"),
    [
        pytest.param(b"admin", None, 2, id="by name: the first"),
        pytest.param(b"admin", Privilege.ADMINISTRATOR, 2, id="by name and limit"),
        pytest.param(b"admin", Privilege.USER, 4, id="by name and limit: the second"),
        pytest.param(b"admin", Privilege.OPERATOR, None, id="nobody has exactly this limit"),
        pytest.param(b"oper", None, 3, id="another name"),
        pytest.param(b"Admin", None, None, id="case counts"),
        pytest.param(b"adm", None, None, id="the whole name counts"),
        pytest.param(b"", None, None, id="the null user is off, and ids without name are none"),
    ],
)
def test_look_up(bmc: Bmc, name: bytes, privilege: Privilege | None, user_id: int | None) -> None:
    account = authority(bmc).account(LAN, name, privilege)
    assert (account and account.user_id) == user_id


def test_an_account(bmc: Bmc) -> None:
    account = bmc.authority.account(LAN, b"oper", None)
    assert account == Account(3, b"oper", b"twenty bytes is long", Privilege.OPERATOR, fits_ipmi15=False)
    assert "twenty" not in repr(account)
    first = bmc.authority.account(LAN, b"admin", None)
    assert first is not None
    assert first.fits_ipmi15


def test_who_may_not(bmc: Bmc) -> None:
    assert bmc.authority.account(Channel.SYSTEM_INTERFACE, b"admin", None) is None
    bmc.users.set_enabled(2, False)
    account = bmc.authority.account(LAN, b"admin", None)
    assert account is not None
    assert account.user_id == 4
    bmc.users.set_access(4, LAN, Privilege.NO_ACCESS)
    assert bmc.authority.account(LAN, b"admin", None) is None
    bmc.users.set_access(3, LAN, Privilege.OPERATOR, rights=(False, False, False))
    assert bmc.authority.account(LAN, b"oper", None) is None


def test_the_channel_limits_the_user(bmc: Bmc) -> None:
    channel = bmc.channels.get(LAN)
    assert channel is not None
    bmc.channels.set_access(channel, Setting.VOLATILE, ChannelAccess(limit=Privilege.OPERATOR))
    account = bmc.authority.account(LAN, b"admin", None)
    assert account is not None
    assert account.limit is Privilege.OPERATOR
    assert bmc.authority.policy(LAN).limit is Privilege.OPERATOR


def test_policy(bmc: Bmc) -> None:
    channel = bmc.channels.get(LAN)
    assert channel is not None
    assert bmc.authority.policy(LAN).enabled
    assert not bmc.authority.policy(Channel.SYSTEM_INTERFACE).enabled
    assert not bmc.authority.policy(9).enabled
    access = ChannelAccess(AccessMode.DISABLED, user_level_authentication=False)
    bmc.channels.set_access(channel, Setting.VOLATILE, access)
    policy = bmc.authority.policy(LAN)
    assert (policy.enabled, policy.per_message_authentication, policy.user_level_authentication) == (
        False,
        True,
        False,
    )


def test_ipmi_15_is_md5_and_only_where_nobody_else_listens(bmc: Bmc) -> None:
    assert bmc.authority.policy(LAN).authentication_types == (0, 0, 0, 0, 0), "nobody told the address yet"
    for address, types in [
        ("127.0.0.1", (4, 4, 4, 4, 0)),
        ("127.0.1.7", (4, 4, 4, 4, 0)),
        ("::1", (4, 4, 4, 4, 0)),
        ("0.0.0.0", (0, 0, 0, 0, 0)),
        ("192.0.2.1", (0, 0, 0, 0, 0)),
        ("::", (0, 0, 0, 0, 0)),
        ("2001:db8::1", (0, 0, 0, 0, 0)),
    ]:
        bmc.lan_configuration.bound(address)
        assert bmc.authority.policy(LAN).authentication_types == types, address


def test_ipmi_15_everywhere_only_when_asked() -> None:
    bmc = Bmc(Settings(lan=LanSettings(ipmi15_off_loopback=True)))
    bmc.lan_configuration.bound("192.0.2.1")
    assert bmc.authority.policy(LAN).authentication_types == (4, 4, 4, 4, 0)


def test_cipher_suites(bmc: Bmc) -> None:
    assert bmc.authority.cipher_suites(LAN) == (17, 3)
    assert bmc.authority.cipher_suite_limit(LAN, 17) is Privilege.ADMINISTRATOR
    assert bmc.authority.cipher_suite_limit(LAN, 0) is Privilege.NO_ACCESS
    # parameter 24, in the order of parameter 23: suite 3 off, suite 17 OPERATOR
    bmc.lan_configuration.set(24, bytes.fromhex("00 00 00 03 00 00 00 00 00"))
    assert bmc.authority.cipher_suites(LAN) == (17,)
    assert bmc.authority.cipher_suite_limit(LAN, 3) is Privilege.NO_ACCESS
    assert bmc.authority.cipher_suite_limit(LAN, 17) is Privilege.OPERATOR


def test_the_session_limit(bmc: Bmc) -> None:
    assert not bmc.authority.session_limit_reached(2, LAN, 40)
    bmc.users.set_access(2, LAN, Privilege.ADMINISTRATOR, session_limit=2)
    assert not bmc.authority.session_limit_reached(2, LAN, 1)
    assert bmc.authority.session_limit_reached(2, LAN, 2)


def test_login_status(bmc: Bmc) -> None:
    status = bmc.authority.login_status
    assert status(LAN) == LoginStatus(anonymous=False, null_names=False, other_names=True)
    bmc.users.set_access(1, LAN, Privilege.USER, rights=(True, False, False))
    bmc.users.set_enabled(1, True)
    assert status(LAN) == LoginStatus(anonymous=True, null_names=False, other_names=True)
    assert bmc.authority.account(LAN, b"", None) is not None
    bmc.users.set_password(1, b"anonpw".ljust(16, b"\0"))
    assert status(LAN) == LoginStatus(anonymous=False, null_names=True, other_names=True)
    for user_id in (2, 3, 4):
        bmc.users.set_enabled(user_id, False)
    assert status(LAN) == LoginStatus(anonymous=False, null_names=True, other_names=False)
    assert status(Channel.SYSTEM_INTERFACE) == LoginStatus(False, False, False)
