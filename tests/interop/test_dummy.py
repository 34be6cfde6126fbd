"""ipmitool at the system interface, without a machine."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.interop.conftest import StartBaseboard
from tests.programs import require_program

pytestmark = pytest.mark.interop


def in_band(path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require_program("ipmitool"), "-I", "dummy", *args],
        env=os.environ | {"IPMI_DUMMY_SOCK": str(path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_ipmitool(baseboard: StartBaseboard, tmp_path: Path) -> None:
    path = tmp_path / "dummy"
    started = baseboard("--dummy", str(path))
    assert started.info["dummy"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # fmt: off
    for words, expected in (
        ("mc info",                "IPMI Version              : 2.0"),
        ("chassis status",         "System Power         : on"),
        ("sdr elist",              "degrees C"),
        ("sel list",               "|"),
        ("fru print",              "Product Name"),
        ("channel info 15",        "System Interface"),
        ("user list 1",            "ADMINISTRATOR"),
        ("raw 6 0x35",             "rsp=0x80"),                  # Read Event Message Buffer: empty
        ("raw 6 0x3b 4",           "rsp=0xd5"),                  # Set Session Privilege Level: no session
    ):
        done = in_band(path, *words.split())
        if "rsp=" in expected:
            assert done.returncode == 1
        assert expected in done.stdout + done.stderr, (words, done)
    # fmt: on
    assert in_band(path, "chassis", "power", "off").returncode == 0
    assert "off" in started.ipmitool("chassis", "power", "status")
    assert started.stop() == 0
    assert not path.exists()


def test_a_password_changed_in_band_is_kept(baseboard: StartBaseboard, tmp_path: Path) -> None:
    path = tmp_path / "dummy"
    first = baseboard("--dummy", str(path))
    assert in_band(path, "user", "set", "name", "3", "eve").returncode == 0
    first.kill()
    baseboard("--dummy", str(path))  # the socket that the dead one left is replaced
    assert "eve" in in_band(path, "user", "list", "1").stdout


def test_whoever_stays_does_not_keep_it_from_ending(baseboard: StartBaseboard, tmp_path: Path) -> None:
    path = tmp_path / "dummy"
    started = baseboard("--dummy", str(path))
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        peer.sendall(b"\x06\x00\x01")
        assert in_band(path, "mc", "info").returncode == 0
        assert started.stop() == 0
