"""qtest and a debugger's stub, given to a QEMU that runs already.  [QEMU 7.2]

Both are listening Unix sockets beside the monitor's, with the same rights and for the same people. QEMU takes
one qtest in its life: after `object-del` a second one is accepted, answers into memory that is free, and QEMU
crashes at the first command. So a qtest stays; nobody listens in when we are gone, and whoever attaches again
finds it there. The stub is taken away again. What `-qtest`, `-gdb` or `-s` have made on QEMU's command line
is used as well, and stays.
"""

from __future__ import annotations

import time
from pathlib import Path

from baseboard.attach.channel import TIMEOUT
from baseboard.attach.errors import AttachError, NotAttachable
from baseboard.attach.gdb import Gdb
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
STUB = "baseboard-gdb"
STUB_SUFFIX = ".gdb"
COMMAND_LINE_STUB = "gdb"
"""What QEMU calls the stub of `-gdb` and `-s`, and of the monitor's `gdbserver`."""


def open_qtest(qmp: Qmp, timeout: float = TIMEOUT) -> Qtest:
    """The qtest of this machine, which is added if there is none.  Raises NotAttachable, AttachError."""
    label = _existing(qmp)
    if label is None:
        _add(qmp)
        label = NAME
    return Qtest.connect(_socket(qmp, label), timeout)


def open_stub(qmp: Qmp, timeout: float = TIMEOUT) -> Gdb:
    """The debugger's stub of this machine, which stops. `close_stub` is due afterwards.

    Raises NotAttachable, AttachError.
    """
    labels = {device["label"] for device in qmp.rows("query-chardev", "label")}
    label = next((name for name in (COMMAND_LINE_STUB, STUB) if name in labels), None)
    if label is None:
        _add_chardev(qmp, STUB, STUB_SUFFIX, "debugger's stub")
        said = qmp.human(f"gdbserver chardev:{STUB}")
        if not said.startswith("Waiting"):
            qmp.execute("chardev-remove", id=STUB)
            raise NotAttachable(f"{qmp.path}: this QEMU takes no debugger: {said.strip()[:200]}")
        label = STUB
    return Gdb.connect(_address(qmp, label, "the debugger's stub"), timeout=timeout)


def close_stub(qmp: Qmp) -> None:
    """Take the stub away if it is ours; its connection has been closed."""
    try:
        if {"label": STUB} in qmp.rows("query-chardev", "label"):
            qmp.human("gdbserver none")
    except (AttachError, MonitorError):
        pass  # the machine is gone


def _existing(qmp: Qmp) -> str | None:
    """The name of its chardev."""
    for place in PLACES:
        for child in qmp.rows("qom-list", "name", "type", path=place):
            if child["type"] == "child<qtest>":
                return str(qmp.get(f"{place}/{child['name']}", "chardev"))
    return None


def _add(qmp: Qmp) -> None:
    _add_chardev(qmp, NAME, SUFFIX, "qtest")
    try:
        qmp.execute("object-add", **{"qom-type": "qtest", "id": NAME, "chardev": NAME, "log": LOG})
    except MonitorError as error:
        raise NotAttachable(f"{qmp.path}: this QEMU takes no qtest: {error}") from None


def _add_chardev(qmp: Qmp, name: str, suffix: str, what: str) -> None:
    address = {"type": "unix", "data": {"path": str(qmp.path.absolute()) + suffix}}
    backend = {"type": "socket", "data": {"addr": address, "server": True, "wait": False}}
    try:
        qmp.execute("chardev-add", id=name, backend=backend)
    except MonitorError as error:
        raise NotAttachable(f"{qmp.path}: this QEMU takes no {what}: {error}") from None


def _socket(qmp: Qmp, label: str) -> Path:
    """Where a qtest listens."""
    address = _address(qmp, label, "qtest")
    kind, _, rest = address.partition(":")
    if kind != "unix":
        raise NotAttachable(f"{qmp.path}: the qtest of this QEMU is no listening Unix socket ({address})")
    return Path(rest)


def _address(qmp: Qmp, label: str, what: str) -> str:
    """Where it listens, from what `query-chardev` has: [disconnected:]unix:PATH,server=on."""
    deadline = time.monotonic() + HANG_UP
    while True:
        devices = qmp.rows("query-chardev", "label", "filename")
        name = next((device["filename"] for device in devices if device["label"] == label), "nothing")
        if name.startswith("disconnected:") or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    if not name.startswith("disconnected:"):
        raise NotAttachable(
            f"{qmp.path}: {what} is in use ({name}): is something else attached to this machine?"
        )
    return name.removeprefix("disconnected:").rpartition(",server=on")[0]
