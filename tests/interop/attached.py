"""A guest whose BMC is baseboard: the pair that the guest tests work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.interop.baseboard import Baseboard
from tests.interop.guest import Guest, Result


@dataclass(frozen=True)
class Interface:
    """A system interface as QEMU offers it, and the drivers that find it."""

    name: str
    machine: str
    device: str
    modules: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


# fmt: off
INTERFACES = (
    #         name    machine  device                      modules
    Interface("kcs",  "pc",    "isa-ipmi-kcs",             ("ipmi_si",)),
    Interface("bt",   "pc",    "isa-ipmi-bt",              ("ipmi_si",)),
    Interface("ssif", "q35",   "smbus-ipmi,address=0x10",  ("i2c_i801", "i2c_dev", "ipmi_ssif")),
)
# fmt: on

WITH_INTERRUPT = tuple(
    interface for interface in INTERFACES if interface.name != "ssif"
)  # QEMU: no SMBus alert

STALE_ANSWERS = "dmesg | grep -c 'BMC returned incorrect response'"


class Attached:
    """One baseboard for the whole session, and one guest at a time: a new one when the last is gone."""

    def __init__(self, interface: Interface, directory: Path) -> None:
        self.interface = interface
        self._vm = directory / "vm.sock"
        self.baseboard = Baseboard(
            "--vm", f"connect:unix:{self._vm}", "--power", "vm", state=directory / "state"
        )
        self._guest: Guest | None = None
        self._booted: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    def guest(self, *, modules: Sequence[str] = (), kernel_args: Sequence[str] = ()) -> Guest:
        """A running guest that was booted in this way; `modules` are loaded after those of the interface."""
        wanted = (tuple(modules), tuple(kernel_args))
        guest = self._guest
        if guest is not None and guest.alive and not guest.lost and self._booted == wanted:
            guest.qmp.take_events()
            return guest
        self.drop_guest()
        self._guest = Guest(
            [
                "-chardev", f"socket,id=ipmi0,path={self._vm},server=on,wait=off",
                "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi0",
                "-device", f"{self.interface.device},bmc=bmc0",
            ],
            machine=self.interface.machine,
            modules=(*self.interface.modules, "ipmi_devintf", "button", "evdev", *modules),
            kernel_args=kernel_args,
            wait_for=["ipmi0"],
        )  # fmt: skip
        self._booted = wanted
        return self._guest

    def run(self, command: str, timeout: float = 30) -> Result:
        """Runs a command in the guest as the last `guest()` booted it, or in a new one.

        QEMU's SMBus device gives the previous answer until there is a new one, and `ipmi_ssif` reads 5 ms
        after it has asked: on a busy machine that is too soon. The driver notices and says so; then the
        command is run again.
        """
        guest = self._guest
        if guest is None or not guest.alive or guest.lost:
            guest = self.guest()
        for _ in range(4):
            before = guest.run(STALE_ANSWERS).stdout if self.interface.name == "ssif" else ""
            result = guest.run(command, timeout)
            if self.interface.name != "ssif" or guest.run(STALE_ANSWERS).stdout == before:
                return result
        raise AssertionError(f"over SSIF, answers come too late each time: {command}\n{result}")

    def drop_guest(self) -> None:
        """The machine is gone; the BMC stays."""
        if self._guest is not None:
            self._guest.kill()
            self._guest = None

    def tail(self) -> str:
        """What both said last."""
        guest = self._guest.tail() if self._guest is not None else "no guest"
        return f"{guest}\n--- baseboard\n{self.baseboard.tail()}"

    def close(self) -> None:
        self.drop_guest()
        self.baseboard.stop()
