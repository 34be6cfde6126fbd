"""Runs an unmodified ppc64le program (drmgr, lsslot, ...) against a platform of ours, without root.

Three of its system calls are answered here: sys_rtas by the platform, writes to `ofdt` by the folder's tree,
and the question who the user is, because the library behind the tools refuses everybody but root.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from baseboard.attach.errors import AttachError
from baseboard.attach.gdb import GdbRefused
from baseboard.attach.linux_files import LinuxFiles
from baseboard.attach.user_program import Answer, UserProgram
from baseboard.errors import ConfigError, DecodeError
from baseboard.spapr.linux.files import OFDT, SLOTS
from baseboard.spapr.linux.ofdt import LONGEST

WRITE, GETEUID, RTAS = 4, 49, 255
"""Numbers of system calls.  [Linux, powerpc]"""
_MOST_CELLS = 16
_PROGRAM_PLACES = ("usr/sbin", "usr/bin", "sbin", "bin")

QEMU = "qemu-ppc64le"
SYSROOT = "/usr/powerpc64le-linux-gnu"

Call = Callable[[int, tuple[int, ...], int], Sequence[int]]
"""An RTAS call: token, arguments, number of results; the results."""


class HotplugTools:
    """The programs of one system (`sysroot`), before one folder of files, on one platform."""

    def __init__(self, files: LinuxFiles, call: Call, qemu: str, sysroot: Path) -> None:
        """Raises ConfigError, which names the packages that are missing."""
        self._files = files
        self._call = call
        self._qemu = _find_qemu(qemu)
        self._sysroot = sysroot
        if not (sysroot / "lib64").exists():
            raise ConfigError(
                f"{sysroot} is no ppc64el system: unpack powerpc-ibm-utils, librtas2, libnuma1, zlib1g and "
                "libc6 of Debian's ppc64el there (apt-get download, dpkg -x), and name it with --sysroot DIR"
            )
        files.link(sysroot)
        self._ofdt = (files.root / OFDT).resolve()
        self._slots = (files.root / SLOTS).resolve()

    def run(self, command: Sequence[str]) -> int:
        """Run one; its exit status.  Raises ConfigError and AttachError."""
        program = self._find(command[0])
        answers: dict[int, Answer] = {RTAS: self._rtas, WRITE: self._write}
        if os.geteuid() != 0:
            answers[GETEUID] = lambda _program, _arguments: 0
        try:
            with UserProgram(
                (self._qemu, "-0", command[0]), self._files.root, (str(program), *command[1:])
            ) as running:
                return running.run(answers)
        except DecodeError as error:
            raise AttachError(str(error)) from None

    def _find(self, name: str) -> Path:
        if "/" in name:
            place = self._sysroot / name.lstrip("/")
            places = [place if place.exists() else Path(name)]
        else:
            places = [self._sysroot / place / name for place in _PROGRAM_PLACES]
        for place in places:
            if place.exists():
                return place
        raise ConfigError(f"{name} is not in {self._sysroot}: drmgr and lsslot are in powerpc-ibm-utils")

    def _rtas(self, program: UserProgram, arguments: Sequence[int]) -> int:
        """sys_rtas: an argument block in the program's memory, big-endian on every host."""
        block = arguments[0]
        try:
            token, count, results = struct.unpack(">3I", program.gdb.read_memory(block, 12))
            if count >= _MOST_CELLS or results > _MOST_CELLS - count:
                return -errno.EINVAL
            cells = struct.unpack(f">{count}I", program.gdb.read_memory(block + 12, 4 * count))
            answer = self._call(token, cells, results)
            packed = struct.pack(f">{len(answer)}I", *(cell & 0xFFFF_FFFF for cell in answer))
            program.gdb.write_memory(block + 12 + 4 * count, packed)
        except GdbRefused:
            return -errno.EFAULT
        return 0

    def _write(self, program: UserProgram, arguments: Sequence[int]) -> int | None:
        descriptor, address, length = arguments[:3]
        file = program.file_of(descriptor)
        if file != self._ofdt and not file.is_relative_to(self._slots):
            return None
        try:
            data = program.gdb.read_memory(address, min(length, LONGEST + 1))
            if file != self._ofdt:
                self._files.slot_written(file, data)
                return None
            self._files.ofdt(data)
        except GdbRefused:
            return -errno.EFAULT
        except DecodeError:
            return -errno.EINVAL
        return length


def _find_qemu(qemu: str) -> str:
    found = shutil.which(qemu)
    if found is None:
        raise ConfigError(
            f"{qemu} is not installed: it is in Debian's package qemu-user, of version 9 or newer (trixie); "
            "name one with --qemu PROGRAM"
        )
    return found
