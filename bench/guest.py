"""Get Device ID per second from inside a Linux guest, against QEMU's own in-process simulator.

"driver" is a loop over the driver's ioctl, "ipmitool" the same through `ipmitool exec`. QEMU reads the wire
one byte in each turn of its main loop, so that no external controller comes near the simulator in the first;
ipmi_sim, in C, shows where the wire's own limit is.

    .venv/bin/python -m bench.guest [--rounds N] [--requests N]

Needs gcc, and what the guest tests need (scripts/packages). Each round boots one guest for each server, one
after the other, under the same QEMU (tcg).
"""

from __future__ import annotations

import argparse
import base64
import statistics
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.interop.guest import Guest

from bench import peers

SOURCE = Path(__file__).with_name("ipmi_loop.c")
FLAGS = ("-Os", "-s", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-Wl,--build-id=none")
EXTERN = (
    "-chardev",
    "socket,id=ipmi0,host=127.0.0.1,port={port},reconnect=1",
    "-device",
    "ipmi-bmc-extern,id=bmc0,chardev=ipmi0",
)
SIMULATOR = ("-device", "ipmi-bmc-sim,id=bmc0")


def program() -> bytes:
    """The loop over the driver's ioctl, compiled for any Linux guest of this architecture."""
    with tempfile.TemporaryDirectory() as directory:
        binary = Path(directory) / "ipmi_loop"
        subprocess.run(("gcc", *FLAGS, "-o", str(binary), str(SOURCE)), check=True)
        return binary.read_bytes()


def measure(bmc: tuple[str, ...], device: str, loop: str, requests: int, wait: bool) -> tuple[float, float]:
    """Requests per second: the driver's, ipmitool's."""
    modules = ("ipmi_si", "ipmi_devintf")
    arguments = (*bmc, "-device", f"{device},bmc=bmc0")
    with Guest(arguments, modules=modules, wait_for=["ipmi0"] if wait else []) as guest:
        guest.run(f"echo {loop} | base64 -d > /tmp/ipmi_loop; chmod +x /tmp/ipmi_loop").check()
        guest.run("/tmp/ipmi_loop 200", timeout=120).check()
        nanoseconds = int(guest.run(f"/tmp/ipmi_loop {requests}", timeout=300).check())
        few = requests // 10
        guest.run(f"for i in $(seq {few}); do echo raw 6 1; done > /tmp/lines").check()
        seconds = guest.run("time -f %e ipmitool -I open exec /tmp/lines > /dev/null", timeout=300).stderr
    return requests / nanoseconds * 1e9, few / float(seconds.split()[-1])


def main() -> None:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=3000)
    arguments = parser.parse_args()
    loop = base64.b64encode(program()).decode()
    rates: dict[tuple[str, str, str], list[float]] = defaultdict(list)

    def note(device: str, name: str, rate: tuple[float, float]) -> None:
        rates[device, "driver", name].append(rate[0])
        rates[device, "ipmitool", name].append(rate[1])

    for _ in range(arguments.rounds):
        for device in ("isa-ipmi-kcs", "isa-ipmi-bt"):
            note(device, "ipmi-bmc-sim", measure(SIMULATOR, device, loop, arguments.requests, False))
            for server in (peers.baseboard, peers.ipmi_sim):
                with server() as peer:
                    extern = tuple(word.format(port=peer.vm_port) for word in EXTERN)
                    note(device, peer.name, measure(extern, device, loop, arguments.requests, True))
    print(f"{'interface':16}{'through':10}{'server':14}{'requests/s':>12}{'of ipmi-bmc-sim':>18}")
    for (device, through, name), runs in rates.items():
        own = rates[device, through, "ipmi-bmc-sim"]
        ratio = statistics.median(a / b for a, b in zip(runs, own, strict=True))
        print(f"{device:16}{through:10}{name:14}{statistics.median(runs):12,.0f}{ratio:18.2f}")


if __name__ == "__main__":
    main()
