"""The processors of a BMC machine: one stops before it reaches a device; what it wanted to do there."""

from __future__ import annotations

import struct
from typing import NamedTuple

from baseboard.attach.arm_access import CPSR, PC, THUMB, Access, decode
from baseboard.attach.arm_pages import PAGE, ReadMemory, Translation, virtual_pages
from baseboard.attach.errors import AttachError
from baseboard.attach.gdb import ACCESS_WATCH, Gdb, GdbRefused
from baseboard.attach.trap_devices import TrappedDevice

_GENERAL, _STATUS = struct.Struct("<16I"), struct.Struct("<I")


class _Bank(NamedTuple):
    """Registers by which addresses are translated; each may have one of several names, or not be there."""

    control: tuple[str, ...]
    ttbr0: tuple[str, ...]
    ttbr1: tuple[str, ...]
    ttbcr: tuple[str, ...]


# fmt: off
_BANKS = (  # with TrustZone there are two of each; QEMU 7.2 says SCTLR, 11.1 SCTLR_EL1
    #     SCTLR                       TTBR0                       TTBR1                       TTBCR
    _Bank(("SCTLR", "SCTLR_EL1"),     ("TTBR0", "TTBR0_EL1"),     ("TTBR1", "TTBR1_EL1"),     ("TTBCR",)),
    _Bank(("SCTLR_S", "SCTLR_EL1_S"), ("TTBR0_S", "TTBR0_EL1_S"), ("TTBR1_S", "TTBR1_EL1_S"), ("TTBCR_S",)),
)
# fmt: on


class TrappedProcessors:
    """What a debugger has to do at the stops of a machine; in all methods it has stopped."""

    def __init__(self, gdb: Gdb, device: TrappedDevice, read_memory: ReadMemory) -> None:
        self._gdb = gdb
        self._device = device
        self._read_memory = read_memory
        self._windows: tuple[int, ...] = ()
        """Virtual addresses of the device's registers."""
        self._code: dict[tuple[int, int], Access | None] = {}
        """Instructions by address and state."""

    def look(self) -> bool:
        """Watch the device where the firmware's system has it now; whether it is anywhere that is new.

        As long as it is nowhere, where it was before stays watched, and its physical address. Processors that
        do not translate do not count beside others that do: they are parked, or not awake yet.
        """
        page, offset = self._device.base & ~(PAGE - 1), self._device.base & PAGE - 1
        translations = self._translations()
        found: set[int] = set()
        for translation in {one for one in translations if one.on} or translations:
            found.update(virtual_pages(page, translation, self._read_memory))
        windows = {page + offset for page in found} or {*self._windows, self._device.base}
        new = windows - set(self._windows)
        for window in set(self._windows) - windows:
            self._gdb.clear_point(ACCESS_WATCH, window, self._device.size)
        for window in new:
            self._gdb.set_point(ACCESS_WATCH, window, self._device.size)
        self._windows = tuple(sorted(windows))
        self._code.clear()
        return bool(new)

    def _translations(self) -> set[Translation]:
        """Of all processors."""
        found = set()
        for thread in self._gdb.threads():
            self._gdb.select(thread)
            for bank in _BANKS:
                control, *tables = (self._value(names) for names in bank)
                if control is not None:
                    found.add(Translation(control, *(value or 0 for value in tables)))
        self._gdb.select(self._gdb.stop.thread)
        return found

    def _value(self, names: tuple[str, ...]) -> int | None:
        name = next((name for name in names if name in self._gdb.registers), None)
        return None if name is None else self._gdb.read_register(name)

    def access(self) -> None:
        """Do the access before which it stopped, and put it behind that.  Raises AttachError.

        After a stop the stub means the processor that stopped, without being told.
        """
        block, registers = self._registers()
        access = self._instruction(registers)
        if access is None:
            code = self._gdb.read_memory(registers[PC], 4).hex(" ")
            raise AttachError(
                f"the firmware reaches {self._device.interface} at {registers[PC]:#x} with an instruction "
                f"that cannot be trapped ({code}): it has to use plain loads and stores"
            )
        self._perform(access, block, registers)

    def settle(self) -> None:
        """They were stopped, and not by an access: go past those that were just about to happen.

        As QEMU 7.2: a watchpoint that is hit while somebody else stops the machine is remembered, and
        the next stop then comes behind its access. Any stop of a debugger's makes it forget. As QEMU 11.1:
        the processor that such a stop names is not the one that has hit it.
        """
        for thread in self._gdb.threads():
            self._gdb.select(thread)
            self._settle_selected()

    def _settle_selected(self) -> None:
        hit = False
        while True:
            block, registers = self._registers()
            try:
                access = self._instruction(registers)
            except GdbRefused:
                break  # it is nowhere
            if access is None or self._window(access.address(registers)) is None:
                break
            self._perform(access, block, registers)
            hit = True
        if hit:
            self._gdb.step()

    def _registers(self) -> tuple[bytes, list[int]]:
        """The stub's block, and r0 to r15, CPSR.

        QEMU 7.2 leaves room for registers that it does not have, but CPSR is the last in any version.
        """
        block = self._gdb.read_registers()
        if len(block) < _GENERAL.size + _STATUS.size:
            raise AttachError(f"the debugger's stub has {len(block)} bytes of registers: is it a 32-bit ARM?")
        return block, [*_GENERAL.unpack_from(block), *_STATUS.unpack_from(block, len(block) - _STATUS.size)]

    def _perform(self, access: Access, block: bytes, registers: list[int]) -> None:
        after = access.perform(registers, self._read, self._write)
        head = _GENERAL.pack(*after[:CPSR])
        self._gdb.write_registers(head + block[len(head) : -_STATUS.size] + _STATUS.pack(after[CPSR]))

    def _instruction(self, registers: list[int]) -> Access | None:
        address, status = registers[PC], registers[CPSR]
        key = (address, status & THUMB)
        if key not in self._code:
            self._code[key] = decode(self._gdb.read_memory(address, 4), status)
        return self._code[key]

    def _read(self, address: int, size: int) -> int:
        return self._device.read(address - self._known_window(address), size)

    def _write(self, address: int, size: int, value: int) -> None:
        self._device.write(address - self._known_window(address), size, value)

    def _known_window(self, address: int) -> int:
        window = self._window(address)
        if window is None:
            raise AttachError(f"the firmware reaches {address:#x}, which is beside {self._device.interface}")
        return window

    def _window(self, address: int) -> int | None:
        size = self._device.size
        return next((window for window in self._windows if window <= address < window + size), None)
