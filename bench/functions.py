"""Get Device ID per second from inside a Linux guest, over our registers in an unpatched QEMU.

QEMU's own in-process simulator, an external controller behind QEMU's registers (ipmi-bmc-extern) and our
registers over vfio-user, in the same QEMU and the same guest, one after the other.

    .venv/bin/python -m bench.functions [--rounds N] [--requests N]

Needs gcc, and what the guest tests need (scripts/packages); a newer QEMU is unpacked at the first run.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.interop.baseboard import Baseboard
from tests.interop.guest import Guest
from tests.interop.newer import newer_qemu
from tests.interop.test_pci_functions import vfio_options

from bench.guest import program

Options = list[str]


@contextmanager
def baseboard(*flags: str) -> Iterator[None]:
    """One baseboard."""
    with tempfile.TemporaryDirectory() as directory:
        process = Baseboard(*flags, state=Path(directory) / "state")
        try:
            yield
        finally:
            process.kill()


def simulator(interface: str, directory: Path, stack: ExitStack) -> Options:
    """QEMU alone."""
    return ["-device", "ipmi-bmc-sim,id=bmc0", "-device", f"isa-ipmi-{interface},bmc=bmc0"]


def extern(interface: str, directory: Path, stack: ExitStack) -> Options:
    """Messages to us, registers in QEMU."""
    wire = directory / "wire"
    stack.enter_context(baseboard("--vm", f"connect:unix:{wire}"))
    return [
        "-chardev", f"socket,id=ipmi0,path={wire},server=on,wait=off",
        "-device", "ipmi-bmc-extern,id=bmc0,chardev=ipmi0", "-device", f"isa-ipmi-{interface},bmc=bmc0",
    ]  # fmt: skip


def vfio(settings: str) -> Callable[[str, Path, ExitStack], Options]:
    """Registers to us."""

    def options(interface: str, directory: Path, stack: ExitStack) -> Options:
        path = directory / "vfio"
        stack.enter_context(baseboard("--vfio-user", f"{path},interface={interface}{settings}"))
        return list(vfio_options(path, 8))

    return options


SERVERS = {
    "ipmi-bmc-sim": simulator,
    "extern": extern,
    "vfio-user": vfio(""),
    "vfio-user, bar=io": vfio(",bar=io"),
    "vfio-user, interrupt=intx": vfio(",interrupt=intx"),
}


def measure(name: str, interface: str, loop: str, requests: int) -> float:
    """Requests per second of the driver's."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        options = SERVERS[name](interface, Path(directory), stack)
        modules = ("ipmi_si", "ipmi_devintf")
        wait_for = ["ipmi0"] if name == "extern" else []
        with Guest(options, qemu=newer_qemu(), modules=modules, wait_for=wait_for) as guest:
            guest.run(f"echo {loop} | base64 -d > /tmp/ipmi_loop; chmod +x /tmp/ipmi_loop").check()
            guest.run("/tmp/ipmi_loop 200", timeout=120).check()
            return requests / int(guest.run(f"/tmp/ipmi_loop {requests}", timeout=300).check()) * 1e9


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=2000)
    arguments = parser.parse_args()
    loop = base64.b64encode(program()).decode()
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for interface in ("kcs", "bt"):
            for name in SERVERS:
                rates[interface, name].append(measure(name, interface, loop, arguments.requests))
    print(f"{'interface':11}{'server':28}{'requests/s':>12}{'of ipmi-bmc-sim':>18}")
    for (interface, name), runs in rates.items():
        own = rates[interface, "ipmi-bmc-sim"]
        ratio = statistics.median(a / b for a, b in zip(runs, own, strict=True))
        print(f"{interface:11}{name:28}{statistics.median(runs):12,.0f}{ratio:18.3f}")


if __name__ == "__main__":
    main()
