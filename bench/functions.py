"""Get Device ID per second from inside a Linux guest, over our registers in an unpatched QEMU.

QEMU's own in-process simulator, an external controller behind QEMU's registers (ipmi-bmc-extern), our
registers over vfio-user, and there a server whose own work is as good as nothing (`bench.floor`): in the same
QEMU and the same guest, one after the other, each as the scheduler places its threads and then with QEMU and
baseboard on one processor. All answer as many bytes: the simulator has no auxiliary revision.

    .venv/bin/python -m bench.functions [--rounds N] [--requests N] [--servers NAME,NAME]

Needs gcc, and what the guest tests need (scripts/packages); a newer QEMU is unpacked at the first run.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.interop.baseboard import Baseboard
from tests.interop.guest import Guest
from tests.interop.newer import newer_qemu
from tests.interop.test_pci_functions import vfio_options

from bench.guest import program

LOOPS = 3
"""In each boot and placement: the median counts."""
SIMULATOR = "ipmi-bmc-sim"
FASTER = 15
"""How many times the requests the simulator is asked, so that its loop takes as long as the others'."""

Options = list[str]


@contextmanager
def baseboard(*flags: str) -> Iterator[int]:
    """One baseboard; its process."""
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory) / "baseboard.toml"
        configuration.write_text('[identity]\nauxiliary_firmware_revision = ""\n')
        process = Baseboard("--config", str(configuration), *flags, state=Path(directory) / "state")
        try:
            yield process.process.pid
        finally:
            process.kill()


def simulator(interface: str, directory: Path, stack: ExitStack) -> tuple[Options, list[int]]:
    """QEMU alone: what it is given, and the processes beside it."""
    return ["-device", "ipmi-bmc-sim,id=bmc0", "-device", f"isa-ipmi-{interface},bmc=bmc0"], []


def extern(interface: str, directory: Path, stack: ExitStack) -> tuple[Options, list[int]]:
    """Messages to us, registers in QEMU."""
    wire = directory / "wire"
    process = stack.enter_context(baseboard("--vm", f"connect:unix:{wire}"))
    return [
        "-chardev", f"socket,id=ipmi0,path={wire},server=on,wait=off",
        "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi0", "-device", f"isa-ipmi-{interface},bmc=bmc0",
    ], [process]  # fmt: skip


def vfio(settings: str) -> Callable[[str, Path, ExitStack], tuple[Options, list[int]]]:
    """Registers to us."""

    def options(interface: str, directory: Path, stack: ExitStack) -> tuple[Options, list[int]]:
        path = directory / "vfio"
        process = stack.enter_context(baseboard("--vfio-user", f"{path},interface={interface}{settings}"))
        return list(vfio_options(path, 8)), [process]

    return options


def floor(interface: str, directory: Path, stack: ExitStack) -> tuple[Options, list[int]]:
    """Registers in C that always give the same answers."""
    path = directory / "floor"
    process = subprocess.Popen((sys.executable, "-m", "bench.floor", str(path), interface))
    stack.callback(process.wait)
    stack.callback(process.kill)
    while not path.exists():
        time.sleep(0.02)
        assert process.poll() is None, "it has ended"
    return list(vfio_options(path, 8)), [process.pid]


SERVERS = {
    SIMULATOR: simulator,
    "extern": extern,
    "vfio-user": vfio(""),
    "floor": floor,
    "vfio-user bar=io": vfio(",bar=io"),
    "vfio-user interrupt=intx": vfio(",interrupt=intx"),
}


def measure(name: str, interface: str, loop: str, requests: int) -> tuple[float, float]:
    """Requests per second of the driver's: as placed, and on one processor."""
    requests *= FASTER if name == SIMULATOR else 1
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        options, processes = SERVERS[name](interface, Path(directory), stack)
        modules = ("ipmi_si", "ipmi_devintf")
        wait_for = ["ipmi0"] if name == "extern" else []
        with Guest(options, qemu=newer_qemu(), modules=modules, wait_for=wait_for) as guest:
            guest.run(f"echo {loop} | base64 -d > /tmp/ipmi_loop; chmod +x /tmp/ipmi_loop").check()

            def rate() -> float:
                guest.run("/tmp/ipmi_loop 200", timeout=120).check()
                nanoseconds = (
                    int(guest.run(f"/tmp/ipmi_loop {requests}", timeout=300).check()) for _ in range(LOOPS)
                )
                return requests / statistics.median(nanoseconds) * 1e9

            as_placed = rate()
            for process in (guest.process.pid, *processes):
                on_one_processor(process)
            return as_placed, rate()


def on_one_processor(process: int) -> None:
    """Confine every thread to the last of the processors."""
    last = max(os.sched_getaffinity(0))
    for task in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(task.name), {last})


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--servers", default=",".join(SERVERS))
    arguments = parser.parse_args()
    servers = {SIMULATOR: None, **dict.fromkeys(arguments.servers.split(","))}
    loop = base64.b64encode(program()).decode()
    rates: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for interface in ("kcs", "bt"):
            for name in servers:
                as_placed, on_one = measure(name, interface, loop, arguments.requests)
                rates[interface, name, "as placed"].append(as_placed)
                rates[interface, name, "one processor"].append(on_one)
    print(f"{'interface':11}{'server':28}{'threads':15}{'requests/s':>12}{'of ipmi-bmc-sim':>18}")
    for (interface, name, threads), runs in rates.items():
        own = rates[interface, SIMULATOR, threads]
        ratio = statistics.median(a / b for a, b in zip(runs, own, strict=True))
        print(f"{interface:11}{name:28}{threads:15}{statistics.median(runs):12,.0f}{ratio:18.3f}")


if __name__ == "__main__":
    main()
