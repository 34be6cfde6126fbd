"""QEMU of Debian's newer suites, unpacked beside this machine's own and run without installing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.interop.unpacked import unpacked

LIBRARIES = "usr/lib/x86_64-linux-gnu"
SYSTEM_PACKAGES = (
    "qemu-system-x86",
    "qemu-system-arm",
    "qemu-system-ppc",
)  # they share libraries and firmware


@dataclass(frozen=True)
class Program:
    """What comes before the program's own arguments, and what its environment needs besides ours."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def newer_qemu(target: str = "x86_64") -> Program:
    """QEMU 11.1 or later for `x86_64`, `aarch64`, `arm` or `ppc64`, with its own C library and firmware."""
    root = unpacked(*SYSTEM_PACKAGES, suite="trixie-backports", architecture="amd64", closure=True)
    return Program(
        (
            *(f"{root}/usr/lib64/ld-linux-x86-64.so.2", "--library-path", f"{root}/{LIBRARIES}"),
            f"{root}/usr/bin/qemu-system-{target}",
            *("-L", f"{root}/usr/share/qemu", "-L", f"{root}/usr/share/seabios"),
        ),
        {"QEMU_MODULE_DIR": f"{root}/{LIBRARIES}/qemu"},  # the host's modules are of another version
    )


def qemu_user(target: str = "ppc64le") -> Program:
    """QEMU 10 or later that runs one Linux program of another architecture; it is linked statically."""
    name = f"usr/bin/qemu-{target}"
    return Program((str(unpacked("qemu-user", suite="trixie", architecture="amd64", only=name) / name),))
