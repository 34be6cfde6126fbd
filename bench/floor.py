"""A vfio-user server whose registers are in C and always give the same answers: the least that one can cost.

    .venv/bin/python -m bench.floor PATH kcs|bt

All but the accesses to the registers is done as by baseboard.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
from array import array
from pathlib import Path

from baseboard.aio.functions import ATTENTIVE
from baseboard.fleet.functions import DEVICES
from baseboard.interface.bus.pci import PciFunction
from baseboard.interface.remote import VfioUser

SOURCE = Path(__file__).with_suffix(".c")
ROOM = 4096
CONTROL_ROOM = 128
LENGTH_SIZE = ctypes.sizeof(ctypes.c_size_t)  # cmsg_len, the first of what comes along
CONTROL_HEADER = socket.CMSG_LEN(0)


class Closed:
    """File descriptors of the machine's, not needed here."""

    def signal(self, descriptor: int) -> None:
        raise AssertionError("it never interrupts")

    def close(self, descriptor: int) -> None:
        os.close(descriptor)


def library() -> ctypes.CDLL:
    """The compiled part."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "floor.so"
        subprocess.run(("gcc", "-O2", "-shared", "-fPIC", "-o", str(path), str(SOURCE)), check=True)
        compiled = ctypes.CDLL(str(path))
    compiled.serve.restype = ctypes.c_long
    return compiled


def main(path: str, interface: str) -> None:
    """Serve one machine."""
    make, kind = DEVICES[interface]
    machine = VfioUser(PciFunction(make(), kind, space="memory", pin=0, msi=False), Closed())
    compiled = library()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    client, _ = listener.accept()
    data, control = ctypes.create_string_buffer(ROOM), ctypes.create_string_buffer(CONTROL_ROOM)
    while True:
        control_size = ctypes.c_size_t(CONTROL_ROOM)
        size = compiled.serve(
            *(client.fileno(), interface == "bt", ctypes.c_long(int(ATTENTIVE * 1e9))),
            *(data, ctypes.c_size_t(ROOM), control, ctypes.byref(control_size)),
        )
        if size <= 0:
            break
        used = int.from_bytes(control.raw[:LENGTH_SIZE], sys.byteorder) if control_size.value else 0
        given = array("i", control.raw[CONTROL_HEADER:used])
        machine.receive_data(data.raw[:size], given)
        client.sendall(machine.data_to_send())


if __name__ == "__main__":
    main(*sys.argv[1:])
