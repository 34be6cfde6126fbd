"""What `baseboard run` says when everything is ready: what to type next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baseboard.fleet.attachment import Seam

if TYPE_CHECKING:
    from baseboard.aio.endpoint import Address
    from baseboard.fleet.options import Options
    from baseboard.store.password import Password


def welcome(ready: dict[str, Any], options: Options, password: Password, changed: bool) -> str:
    """The text, plain: every line of it can be copied.

    `changed`: a command has set another password since, so that the file's no longer opens a session.
    """
    return "\n".join(_lines(ready, options, password, changed))


def _lines(ready: dict[str, Any], options: Options, password: Password, changed: bool) -> Iterator[str]:
    host, port = ready["lan"]["host"], ready["lan"]["port"]
    secret = shlex.quote(str(password.path))
    tool = f"ipmitool -I lanplus -H {host} -p {port} -U {shlex.quote(ready['user'])} -f {secret}"
    machine = {"simulated": "a simulated server", "vm": "a virtual machine", "qemu": "our own QEMU"}
    yield f"baseboard is ready, the controller of {machine[options.power]}"
    yield ""
    yield f"  LAN       {host} port {port}/udp"
    yield f"  user      {ready['user']}"
    if password.fresh:
        yield f"  password  {password.value.decode()}   (made just now, shown only this once)"
    if changed:
        yield f"  password  changed by a command: no longer the one in {password.path}"
        yield "            (`baseboard reset-state` takes such changes back)"
    else:
        yield f"            in {password.path}"
    yield f"  state     {ready['state']}"
    yield ""
    yield "Ask it something:"
    for question in ("mc info", "sdr elist", "chassis power status"):
        yield f"  {tool} {question}"
    if options.dummy is not None:
        yield ""
        yield "As the machine's own software asks, without a machine:"
        yield f"  IPMI_DUMMY_SOCK={shlex.quote(str(options.dummy))} ipmitool -I dummy mc info"
    if options.qemu:
        yield ""
        yield "The guest finds it as /dev/ipmi0 (ipmi_si, ipmi_devintf). Its serial console:"
        yield f"  {tool} sol activate"
    for seam, (what, lines) in FUNCTIONS.items():
        paths = [attachment.path for attachment in options.functions if attachment.seam is seam]
        if paths:
            yield ""
            yield f"Give it to a guest as a PCI device of ours ({what}):"
            yield from (f"  {line}" for line in lines(paths))
    if options.vms and not options.qemu:
        yield ""
        yield "Give it to a guest (add to QEMU's command line):"
        for number, address in enumerate(options.vms):
            yield f"  {qemu_options(address, options.interface, number)}"
        if any(address.listen for address in options.vms):
            yield "  (QEMU from 9.2 on wants reconnect-ms=1000 instead of reconnect=1)"
        if options.console is not None and options.console.kind != "pty":
            yield f"  {serial_options(options.console)}"
    yield ""
    yield "Ctrl-C to stop."


def vfio_user_options(paths: list[Path]) -> Iterator[str]:
    """The QEMU options that put these functions into a guest."""
    for path in paths:
        device = {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": str(path)}}
        yield f"-device {shlex.quote(json.dumps(device, separators=(',', ':')))}"


def pci_proxy_command(paths: list[Path]) -> Iterator[str]:
    """The command that becomes a QEMU with these functions in it."""
    yield f"baseboard pci-proxy {shlex.join(map(str, paths))} -- qemu-system-x86_64"


FUNCTIONS = {
    Seam.VFIO_USER: ("QEMU 10.1 and later; add to its command line", vfio_user_options),
    Seam.PCI_PROXY: ("QEMU 7.2; its options go behind this", pci_proxy_command),
}


def qemu_options(address: Address, interface: str, number: int = 0) -> str:
    """The QEMU options that attach a guest to our end at `address`."""
    chardev = f"ipmi{number}"
    where = (
        f"path={_comma(address.path)}"
        if address.kind == "unix"
        else f"host={address.host},port={address.port}"
    )
    how = "reconnect=1" if address.listen else "server=on,wait=off"
    device = {
        "kcs": f"-device isa-ipmi-kcs,bmc=bmc{number}",
        "bt": f"-device isa-ipmi-bt,bmc=bmc{number}",
        "ssif": f"-device smbus-ipmi,bmc=bmc{number}",
    }[interface]
    chardev_option = shlex.quote(f"socket,id={chardev},{where},{how}")
    return f"-chardev {chardev_option} -device ipmi-bmc-extern,id=bmc{number},chardev={chardev} {device}"


def serial_options(address: Address) -> str:
    """The QEMU options that make the guest's first serial port reachable at `address`."""
    where = (
        f"path={_comma(address.path)}"
        if address.kind == "unix"
        else f"host={address.host},port={address.port}"
    )
    return f"-chardev {shlex.quote(f'socket,id=serial0,{where},server=on,wait=off')} -serial chardev:serial0"


def _comma(path: str) -> str:
    """As QEMU's option parser wants it: a comma is written twice."""
    return path.replace(",", ",,")
