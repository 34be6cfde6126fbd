"""A virtual machine that is a BMC with Linux: Debian's, with ipmi_sim behind ipmi-relay."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from tests.interop.guest import ARMHF, Guest

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "linux-as-the-bmc.md").read_text()
"""What it says is what runs here."""
FILES = re.findall(r"```\n# (/run/\S+)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^    (\S.*)$", PAGE.replace("\\\n", " "), re.MULTILINE)
BOOT = 90.0
CONNECTED = "timeout 20 sh -c 'until grep -q connected /run/relay.log; do usleep 50000; done'"


def command(pattern: str) -> str:
    """The page's command that matches."""
    (found,) = (line for line in COMMANDS if re.match(pattern, line))
    return str(found)


SIMULATOR = command("ipmi_sim")
DRIVER = command("taskset 1 modprobe")
RELAYS = {"kcs": command("ipmi-relay aspeed-kcs3"), "bt": command("taskset 1 ipmi-relay bt")}
DEVICE_ID = "00 03 09 08 02 9f 91 12 00 02 0f 00 00 00 00"
"""As ipmi_sim answers, made of `mc_add`."""


class LinuxBmc:
    """One at a time; may be killed and started again at the same place."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="bmc-"))
        self.monitor = self.directory / "bmc.qmp"
        self.linux = self._boot()
        try:
            self.serve()
        except BaseException:
            self.__exit__(None, None, None)
            raise

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
        for path, content in FILES:
            self.linux.run(f"cat > {path} << END\n{content}END").check()
        self.simulate()
        self.relay()

    def simulate(self) -> None:
        """Start the controller alone."""
        self.linux.run(f"{SIMULATOR} > /run/sim.log 2>&1 &").check()

    def relay(self, interface: str = "kcs") -> None:
        """Start what is between the host and the controller anew, on another interface if need be."""
        self.linux.run(f"killall -9 ipmi-relay; {DRIVER}").check()
        self.linux.run(f"{RELAYS[interface]} > /run/orders 2> /run/relay.log &").check()
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
