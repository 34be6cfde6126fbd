"""Programs of other suites and architectures run here without being installed."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.interop.newer import Program, newer_qemu, qemu_user
from tests.interop.unpacked import archives, unpacked


def said(program: Program, *arguments: str) -> str:
    done = subprocess.run(
        (*program.command, *arguments),
        env={**os.environ, **program.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done
    return done.stdout


@pytest.mark.parametrize("target", ["x86_64", "aarch64", "arm", "ppc64"])
def test_a_newer_qemu(target: str) -> None:
    found = re.match(r"QEMU emulator version (\d+)\.(\d+)", said(newer_qemu(target), "--version"))
    assert found is not None
    assert (int(found[1]), int(found[2])) >= (11, 1)


def test_a_newer_qemu_has_vfio_user() -> None:
    devices = said(newer_qemu(), "-machine", "none", "-device", "vfio-user-pci,help")
    assert "socket=<SocketAddress>" in devices


def test_a_program_of_another_architecture() -> None:
    """qemu-user runs ppc64el's own C library, which prints what it is."""
    root = unpacked("libc6", suite="trixie", architecture="ppc64el")
    banner = said(
        qemu_user("ppc64le"), "-L", str(root), str(root / "usr/lib/powerpc64le-linux-gnu/libc.so.6")
    )
    assert banner.startswith("GNU C Library (Debian GLIBC 2.41")


def test_versions_are_kept_apart_from_this_machines() -> None:
    """The same package of two suites: neither replaces the other."""
    own, newer = archives("busybox-static"), archives("busybox-static", suite="trixie", architecture="arm64")
    assert own[0].name.endswith("_amd64.deb")
    assert newer[0].name.endswith("_arm64.deb")
    assert own[0].exists()
