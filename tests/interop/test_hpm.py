"""HPM.1 as `ipmitool hpm` uses it; and that nobody notices it who does not ask for it."""

from __future__ import annotations

import re
import struct
import subprocess
import time
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard

FIRMWARE = b"version: 2.05 01020304\n" + bytes(i * 7 & 0xFF for i in range(5000))
VERSION = bytes.fromhex("020501020304")
MANUFACTURER, PRODUCT = 32473, 1

UPLOAD, BACKUP, PREPARE = 2, 0, 1


def with_checksum(data: bytes) -> bytes:
    """Followed by the byte that makes the sum 0."""
    return data + bytes((-sum(data) & 0xFF,))


def hpm_image(firmware: bytes, version: bytes) -> bytes:
    """An upgrade image with one component.  [HPM.1 4]"""
    header = struct.pack("<8sBB", b"PICMGFWU", 0, 0x20)
    header += MANUFACTURER.to_bytes(3, "little") + PRODUCT.to_bytes(2, "little")
    header += struct.pack("<IBBBBB", 1_700_000_000, 0x01, 0x01, 0, 0, 0)  # time, self test, component 0
    header += bytes((0, 0)) + version + bytes(2)  # compatible with every version; no OEM data
    image = with_checksum(header)
    image += with_checksum(bytes((PREPARE, 0x01)))
    image += with_checksum(bytes((UPLOAD, 0x01)))
    image += version + b"BMC firmware".ljust(21, b"\0") + len(firmware).to_bytes(4, "little") + firmware
    return image + md5(image, usedforsecurity=False).digest()


@pytest.fixture(scope="module")
def bmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baseboard]:
    process = Baseboard(state=tmp_path_factory.mktemp("hpm") / "state")
    yield process
    process.kill()


def said(bmc: Baseboard, *args: str) -> str:
    """All that ipmitool says; its notices are on standard error."""
    done = subprocess.run(
        bmc.ipmitool_command(*args),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def version_shown(bmc: Baseboard) -> str:
    found = re.search(r"Firmware Revision +: (\S+)", bmc.ipmitool("mc", "info"))
    assert found
    return found[1]


def test_check(bmc: Baseboard) -> None:
    text = said(bmc, "hpm", "check")
    assert re.search(r"Device Id +: 0x20", text)
    assert re.search(
        r"\|  ?\^? 0\|BMC +\| +0\.01 00000000 \| +---\.-- -------- \| +---\.-- -------- \|", text
    )


def test_target_capabilities(bmc: Baseboard) -> None:
    text = said(bmc, "-v", "hpm", "targetcap")
    assert re.search(r"Component 0 presence\.+\[y\]", text)
    assert re.search(r"Component 1 presence\.+\[n\]", text)


def test_an_upgrade(baseboard: StartBaseboard, tmp_path: Path) -> None:
    bmc = baseboard()
    path = tmp_path / "image.hpm"
    path.write_bytes(hpm_image(FIRMWARE, VERSION))
    assert "2.05" in said(bmc, "hpm", "check", str(path))
    before = version_shown(bmc)
    assert before == "0.01"
    text = said(bmc, "hpm", "upgrade", str(path), "force")
    assert "Firmware upgrade procedure successful" in text
    assert "100%" in text
    kept = bmc.state / "firmware" / "component-0-2.05.bin"
    assert kept.read_bytes() == FIRMWARE
    assert version_shown(bmc) == before  # it waits to be activated
    assert "2.05 01020304" in said(bmc, "hpm", "check")
    said(bmc, "hpm", "activate")
    assert version_shown(bmc) == "2.05"
    assert "Comparison passed" in said(bmc, "hpm", "compare", str(path))
    path.write_bytes(hpm_image(FIRMWARE + b"!", VERSION))
    assert "doesn't match" in said(bmc, "hpm", "compare", str(path))
    bmc.kill()
    bmc = baseboard()
    assert version_shown(bmc) == "2.05"
    said(bmc, "hpm", "rollback")
    assert version_shown(bmc) == "0.01"


def test_upgrade_and_activate_at_once(baseboard: StartBaseboard, tmp_path: Path) -> None:
    bmc = baseboard()
    path = tmp_path / "image.hpm"
    path.write_bytes(hpm_image(FIRMWARE, VERSION))
    text = said(bmc, "hpm", "upgrade", str(path), "activate")
    assert "Firmware upgrade procedure successful" in text
    assert version_shown(bmc) == "2.05"


@pytest.mark.parametrize(
    "command", [("mc", "info"), ("sdr", "elist"), ("fru", "print"), ("chassis", "status")]
)
def test_nobody_else_notices(bmc: Baseboard, command: tuple[str, ...]) -> None:
    start = time.monotonic()
    done = subprocess.run(
        bmc.ipmitool_command(*command), capture_output=True, text=True, timeout=30, check=False
    )
    assert time.monotonic() - start < 4  # no request of its start was left to time out
    assert (done.returncode, done.stderr) == (0, "")
    assert not re.search(r"PICMG|ATCA|VITA", done.stdout)


def test_a_verbose_ipmitool_sees_no_shelf(bmc: Baseboard) -> None:
    done = subprocess.run(
        bmc.ipmitool_command("-vv", "mc", "info"), capture_output=True, text=True, timeout=30, check=False
    )
    said = done.stdout + done.stderr
    assert "PICMG Extension" not in said
    assert "Discovered IPMB address 0x0" in said
    assert "Discovered PICMG" not in said
