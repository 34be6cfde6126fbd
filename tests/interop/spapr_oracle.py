"""A live QEMU of `-M pseries` as one of the two sides of a partition: what it does is what ours should do.

Theory of operation. The machine never runs: it stands with its processor stopped, and its memory and
registers are ours through the gdb stub. A hypercall is one instruction, `sc 1`, executed by a single step;
the administrator's part is QMP. So a call costs less than a millisecond, a machine a tenth of a second, and
no guest has to be written. Firmware is never reached: at power-on r3 has the address of the tree.

What ends QEMU 7.2 and must not be asked of it: a core given back (its heap is corrupt then), more cores
plugged in than `maxcpus` in one life, a DIMM unplugged of which a part has gone, the same function of a slot
twice, a CAS buffer that is too small, and a guest that wants two kinds of interrupt controller or table.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from baseboard.attach.errors import AttachError
from baseboard.attach.gdb import Gdb
from baseboard.attach.qmp import Qmp
from baseboard.power.qmp import MonitorError
from baseboard.spapr import fdt
from baseboard.spapr.settings import MachineSettings
from baseboard.spapr.tree import Node
from tests.programs import require_program
from tests.spapr.sides import Side

QEMU = "qemu-system-ppc64"
DEADLINE = 20.0
INSTRUCTION = 0x3000
"""Where `sc 1` stands."""
SC_1 = bytes.fromhex("44000022")
REAL_MODE = 1 << 63
"""Of the machine state register: 64 bits, no translation, no interrupts."""
TOLD = {"DEVICE_DELETED", "MEM_UNPLUG_ERROR", "DEVICE_UNPLUG_GUEST_ERROR"}
DIMM_PLACE = {"address": "addr"}
PROCESSOR = "power9_v2.0"
SHARED = (
    "-M",
    "pseries,nvdimm=on",
    "-accel",
    "tcg",
    "-S",
    "-display",
    "none",
    "-nodefaults",
    "-cpu",
    PROCESSOR,
)


class OracleMemory:
    """The guest's real memory, by the gdb stub. Beyond it QEMU reads zeros and drops what is written."""

    def __init__(self, gdb: Gdb) -> None:
        self._gdb = gdb

    def read(self, address: int, length: int) -> bytes:
        return self._gdb.read_memory(address, length)

    def write(self, address: int, data: bytes) -> None:
        self._gdb.write_memory(address, data)


class Oracle(Side):
    """A QEMU. `settings` are those of our machine, with its `cards`; `options` are QEMU's own.

    Raises `AttachError` when QEMU ends: a step that it does not survive.
    """

    def __init__(self, settings: dict[str, Any], *options: str) -> None:
        self._directory = TemporaryDirectory(prefix="oracle-")
        self._place = Path(self._directory.name)
        self.command = [*SHARED, *arguments(settings), *options]
        self._told: list[list[str]] = []
        self._backends = 0
        self._buses = {(0, 0): "pci.0"}
        """Their names, by host bridge and chassis."""
        sockets = ["-qmp", f"unix:{self._place / 'qmp'},server=on,wait=off"]
        sockets += ["-gdb", f"unix:{self._place / 'gdb'},server=on,wait=off"]
        with (self._place / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [require_program(QEMU), *self.command, *sockets],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, AttachError):
            error.add_note((self._place / "log").read_text(errors="replace"))
        self.close()

    def _connect(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while not (self._place / "gdb").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AttachError((self._place / "log").read_text(errors="replace"))
            time.sleep(0.005)
        self.qmp = Qmp(self._place / "qmp", DEADLINE)
        self._gdb = Gdb.connect(f"unix:{self._place / 'gdb'}", "big", DEADLINE)
        self._gdb.physical_memory(True)
        self.memory = OracleMemory(self._gdb)
        self._prepare()

    def _prepare(self) -> None:
        """As after a reset."""
        self._tree = self._gdb.read_register("r3")
        self._gdb.write_register("msr", REAL_MODE)
        self._gdb.write_memory(INSTRUCTION, SC_1)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for connection in (getattr(self, "qmp", None), getattr(self, "memory", None) and self._gdb):
            if connection is not None:
                connection.close() if isinstance(connection, Qmp) else connection.detach()
        self._directory.cleanup()

    @property
    def version(self) -> str:
        return str(self.qmp.execute("query-version")["package"])

    # The guest's part.

    def call(self, number: int, *arguments: int) -> tuple[int, int]:
        self._gdb.write_register("pc", INSTRUCTION)
        for place, value in enumerate((number, *arguments), 3):
            self._gdb.write_register(f"r{place}", value)
        self._gdb.step(DEADLINE)
        self._drain()
        assert self._gdb.read_register("pc") == INSTRUCTION + len(SC_1), "an exception came of it"
        status = self._gdb.read_register("r3")
        return status - (status >> 63 << 64), self._gdb.read_register("r4")

    def boot_tree(self) -> Node:
        """What firmware would start with; only before the guest's memory is written to."""
        size = int.from_bytes(self.memory.read(self._tree + 4, 4), "big")
        return fdt.parse(self.memory.read(self._tree, size))

    # The administrator's.

    def _try(self, command: str, **arguments: Any) -> str | None:
        try:
            self.qmp.execute(command, **arguments)
        except MonitorError as refused:
            return str(refused).removeprefix(f"{command}: ")
        finally:
            self._drain()
        return None

    def _with_backend(self, size: int, **device: Any) -> str | None:
        self._backends += 1
        backend = f"memory{self._backends}"
        self.qmp.execute("object-add", id=backend, size=size, **{"qom-type": "memory-backend-ram"})
        refused = self._try("device_add", memdev=backend, **device)
        if refused is not None:
            self.qmp.execute("object-del", id=backend)
        return refused

    def plug_core(self, name: str, core: int) -> str | None:
        return self._try("device_add", driver=f"{PROCESSOR}-spapr-cpu-core", id=name, **{"core-id": core})

    def plug_at(self, name: str, size: int, place: dict[str, int]) -> str | None:
        named = {DIMM_PLACE.get(key, key): value for key, value in place.items()}
        return self._with_backend(size, driver="pc-dimm", id=name, **named)

    def plug_nvdimm(self, name: str, size: int, label_size: int, uuid: str) -> str | None:
        label = {"label-size": label_size}
        return self._with_backend(size + label_size, driver="nvdimm", id=name, uuid=uuid, **label)

    def plug_pci(
        self, name: str, model: str, slot: int, function: int, phb: int, chassis: int, bridge: int
    ) -> str | None:
        more: dict[str, Any] = {
            "multifunction": True,
            "romfile": "",
        }  # which images are installed is no matter
        if bridge:
            more = {"chassis_nr": bridge}
        place = {"bus": self._buses[phb, chassis], "addr": f"{slot:x}.{function:x}"}
        refused = self._try("device_add", driver=model, id=name, **place, **more)
        if refused is None and bridge:
            self._buses[phb, bridge] = name
        return refused

    def plug_phb(self, name: str, index: int) -> str | None:
        refused = self._try("device_add", driver="spapr-pci-host-bridge", id=name, index=index)
        if refused is None:
            self._buses[index, 0] = f"{name}.0"
        return refused

    def unplug(self, name: str) -> str | None:
        return self._try("device_del", id=name)

    def power_down(self) -> None:
        self._wait_for("POWERDOWN", "system_powerdown")

    def reset(self) -> None:
        self._wait_for("RESET", "system_reset")
        self._prepare()

    def _wait_for(self, event: str, command: str) -> None:
        """Runs a command that QEMU's main loop carries out a little later."""
        self._drain()
        self.qmp.execute(command)
        deadline = time.monotonic() + DEADLINE
        while self._next(max(0.0, deadline - time.monotonic())) != event:
            if time.monotonic() > deadline:
                raise AttachError(f"no {event} within {DEADLINE:g} s of {command}")

    # What it tells.

    def told(self) -> list[list[str]]:
        self._drain()
        return sorted(self._told)

    def told_like(self, expected: list[list[str]]) -> list[list[str]]:
        """The same, waiting a while for what is expected: devices are freed by a thread of their own."""
        deadline = time.monotonic() + DEADLINE
        while (told := self.told()) != expected and len(told) < len(expected) and time.monotonic() < deadline:
            self._next(0.05)
        return told

    def _drain(self) -> None:
        while self._next(0.0):
            pass

    def _next(self, timeout: float) -> str:
        happened = self.qmp.wait_event(timeout)
        if happened is None:
            return ""
        if happened.name in TOLD and "device" in happened.data:
            self._told.append([happened.name, happened.data["device"]])
        return happened.name


def arguments(settings: dict[str, Any]) -> list[str]:
    """QEMU's command line of a machine with these settings."""
    named = dict(settings)
    cards = named.pop("cards", ())
    machine = MachineSettings(**named)
    memory = f"{machine.ram >> 20}M"
    if machine.slots:
        memory += f",slots={machine.slots},maxmem={machine.largest_ram >> 20}M"
    threads = machine.possible_cores * machine.threads
    words = ["-m", memory]
    words += ["-smp", f"{machine.cores * machine.threads},threads={machine.threads},maxcpus={threads}"]
    for node, size in enumerate(machine.numa):
        cores = "".join(f",cpus={core}" for core in range(node, threads, machine.nodes))
        words += ["-object", f"memory-backend-ram,id=node{node},size={size}"]
        words += ["-numa", f"node,memdev=node{node}{cores}"]
    for index in machine.phbs:
        if index:
            words += ["-device", f"spapr-pci-host-bridge,index={index}"]
    if machine.uuid is not None:
        words += ["-uuid", machine.uuid]
    for name, model, slot in cards:
        words += ["-device", json.dumps({"driver": model, "id": name, "bus": "pci.0", "addr": f"{slot:x}"})]
    return words
