"""qtest, given to a QEMU that runs already.  [QEMU 7.2]

QEMU takes one qtest in its life: after `object-del` a second one is accepted, answers into memory that is
free, and QEMU crashes at the first command. So what is added stays. It is a listening Unix socket beside the
monitor's, with the same rights and for the same people; nobody listens in when we are gone, and whoever
attaches again finds it there. What `-qtest` has made on QEMU's command line is used as well.
"""

from __future__ import annotations

import time
from pathlib import Path

from baseboard.attach.channel import TIMEOUT
from baseboard.attach.errors import NotAttachable
from baseboard.attach.qmp import Qmp
from baseboard.attach.qtest import Qtest
from baseboard.power.qmp import MonitorError

NAME = "baseboard-qtest"
SUFFIX = ".qtest"
"""Of the socket, behind the path of the monitor's."""
LOG = "/dev/null"
"""Without it QEMU writes each command to its standard error."""
HANG_UP = 0.5
"""Seconds in which QEMU notices that the one before us has gone."""
PLACES = ("/objects", "/machine")
"""Where a qtest is: added at run time, or by `-qtest`."""


def open_qtest(qmp: Qmp, timeout: float = TIMEOUT) -> Qtest:
    """The qtest of this machine, which is added if there is none.  Raises NotAttachable, AttachError."""
    label = _existing(qmp)
    if label is None:
        _add(qmp)
        label = NAME
    return Qtest.connect(_socket(qmp, label), timeout)


def _existing(qmp: Qmp) -> str | None:
    """The name of its chardev."""
    for place in PLACES:
        for child in qmp.execute("qom-list", path=place):
            if child["type"] == "child<qtest>":
                return str(qmp.get(f"{place}/{child['name']}", "chardev"))
    return None


def _add(qmp: Qmp) -> None:
    address = {"type": "unix", "data": {"path": str(qmp.path.absolute()) + SUFFIX}}
    backend = {"type": "socket", "data": {"addr": address, "server": True, "wait": False}}
    try:
        qmp.execute("chardev-add", id=NAME, backend=backend)
        qmp.execute("object-add", **{"qom-type": "qtest", "id": NAME, "chardev": NAME, "log": LOG})
    except MonitorError as error:
        raise NotAttachable(f"{qmp.path}: this QEMU takes no qtest: {error}") from None


def _socket(qmp: Qmp, label: str) -> Path:
    """Where it listens, as `query-chardev` has it: [disconnected:]unix:PATH,server=on."""
    deadline = time.monotonic() + HANG_UP
    while True:
        names = {device["label"]: str(device["filename"]) for device in qmp.execute("query-chardev")}
        name = names.get(label, "nothing")
        if name.startswith("disconnected:") or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    if not name.startswith("disconnected:"):
        raise NotAttachable(
            f"{qmp.path}: qtest is in use ({name}): is something else attached to this machine?"
        )
    kind, _, rest = name.removeprefix("disconnected:").partition(":")
    if kind != "unix":
        raise NotAttachable(f"{qmp.path}: the qtest of this QEMU is no listening Unix socket ({name})")
    return Path(rest.rpartition(",server=on")[0])
