"""[pef] and [[alert]]: what they make of the settings."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from baseboard.bmc.lan_configuration import AlertDestination
from baseboard.errors import ConfigError
from baseboard.fleet.configured import configured
from baseboard.fleet.options import Options


def configure(tmp_path: Path, text: str) -> Options:
    path = tmp_path / "b.toml"
    path.write_text(text)
    return configured(Options(state=tmp_path), path)


def test_nobody_is_told_without_an_alert(tmp_path: Path) -> None:
    settings = configure(tmp_path, "").settings
    assert settings.lan.destinations == ()
    assert not settings.channels.lan_pef_alerting
    assert settings.pef.enabled


def test_alerts(tmp_path: Path) -> None:
    settings = configure(
        tmp_path,
        '[pef]\ncommunity = "lab"\ntrap_port = 1162\n[[alert]]\naddress = "192.0.2.7"\n'
        '[[alert]]\naddress = "2001:db8::7"\nacknowledged = true\ntimeout = 256\nretries = 7\n',
    ).settings
    assert settings.lan.community == b"lab"
    assert settings.lan.destinations == (
        AlertDestination(address=ip_address("192.0.2.7")),
        AlertDestination(address=ip_address("2001:db8::7"), acknowledged=True, timeout=256, retries=7),
    )
    assert settings.channels.lan_pef_alerting
    assert (settings.pef.destinations, settings.pef.trap_port) == (2, 1162)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param(
            '[[alert]]\naddress = "nms.example"',
            'b.toml:2: alert[1].address: found "nms.example"; allowed: a numeric IPv4 or IPv6 address',
            id="a name",
        ),
        pytest.param(
            '[[alert]]\naddress = "192.0.2.7"\n' * 5,
            "b.toml:9: alert[5]: found 5 of them; allowed: 4",
            id="too many",
        ),
        pytest.param('[pef]\ncommunity = ""', "allowed: 1 to 18 characters of ASCII", id="no community"),
        pytest.param(
            '[pef]\ncommunity = "nineteen characters"', "allowed: 1 to 18 characters of ASCII", id="long"
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configure(tmp_path, text)
    assert mistake in str(caught.value)
