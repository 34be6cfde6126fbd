"""A virtual machine that is a BMC with Linux: Debian's, with ipmi_sim behind ipmi-relay."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from tests.interop.guest import ARMHF, Guest

BOOT = 90.0
PORT = 9002
RELAYS = {
    "kcs": "ipmi-relay aspeed-kcs3 /dev/mem",
    # The registers are trapped: they are to be reached by one processor, the one that takes the interrupts.
    "bt": "taskset 1 ipmi-relay bt /dev/ipmi-bt-host",
}
SIMULATOR = "ipmi_sim -c /run/lan.conf -f /run/emu -s /run -n"
CONNECTED = "timeout 20 sh -c 'until grep -q connected /run/relay.log; do usleep 50000; done'"
CONFIGURATION = f"""\
cat > /run/lan.conf << END
name "sim"
set_working_mc 0x20
  serial 15 127.0.0.1 {PORT} codec VM
END
cat > /run/emu << END
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 100 0x0a
mc_enable 0x20
END
"""
DEVICE_ID = "00 03 09 08 02 9f 91 12 00 02 0f 00 00 00 00"
"""As ipmi_sim answers, made of `mc_add`."""


class LinuxBmc:
    """One at a time; may be killed and started again at the same place."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="bmc-"))
        self.monitor = self.directory / "qmp"
        self.linux = self._boot()
        self.serve()

    def __enter__(self) -> LinuxBmc:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self.linux.tail())
        self.linux.kill()
        shutil.rmtree(self.directory)

    def _boot(self) -> Guest:
        self.monitor.unlink(missing_ok=True)
        options = ("-qmp", f"unix:{self.monitor},server=on,wait=off")
        return Guest(options, architecture=ARMHF, timeout=BOOT)

    def serve(self) -> None:
        """Start who answers the host."""
        self.linux.run(CONFIGURATION).check()
        self.simulate()
        self.relay()

    def simulate(self) -> None:
        """Start the controller alone."""
        self.linux.run(f"{SIMULATOR} > /run/sim.log 2>&1 &").check()

    def relay(self, interface: str = "kcs") -> None:
        """Start what is between the host and the controller anew, on another interface if need be."""
        self.linux.run("killall -9 ipmi-relay; taskset 1 modprobe bt-bmc").check()
        command = RELAYS[interface]
        self.linux.run(f"{command} tcp:127.0.0.1:{PORT} > /run/orders 2> /run/relay.log &").check()
        self.linux.run(CONNECTED).check()

    def reset(self) -> None:
        """Reset the machine; `up` waits for it."""
        self.linux.qmp.execute("system_reset")

    def up(self) -> None:
        """After a reset."""
        self.linux.wait_ready(BOOT)
        self.serve()

    def restart(self) -> None:
        """Kill the machine and start it anew."""
        self.linux.kill()
        self.linux = self._boot()
        self.serve()
