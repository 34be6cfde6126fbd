"""vfio-user, the server's end: a PCI function for QEMU from 10.1 on and for whoever else speaks it.

Theory of operation
-------------------
The client asks one thing after the other, and the answer echoes number and command; an error is a header
with an error number. VERSION comes first. The function does no DMA, so that maps of the client's memory
are acknowledged and forgotten, with their descriptors. What the client gives for interrupts is kept until
it takes it back or goes.

The client emulates sizes and addresses of BARs by itself: it reads sizes in DEVICE_GET_REGION_INFO, and
accesses come by offset. Writes to a memory BAR come without waiting for an answer (NO_REPLY), and several may
come at a time.  [QEMU 11.1]
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Sequence
from struct import Struct
from typing import NamedTuple

from baseboard.errors import DecodeError
from baseboard.interface.bus.function import SIZE, Function
from baseboard.interface.remote import vfio_messages as wire
from baseboard.interface.remote.bytewise import NUMBER_SIZE, SHORT, accesses
from baseboard.interface.remote.interrupts import Interrupts, Refusal
from baseboard.interface.remote.stream import HEADER_SIZE, Descriptors, MessageStream
from baseboard.interface.remote.vfio_messages import Command, DeviceFlag, Irq, Region, RegionFlag

MOST_DATA = 4096
"""Bytes of one access, and of one JSON text."""
CAPABILITIES = {
    "max_msg_fds": 8,
    "max_data_xfer_size": MOST_DATA,
    "pgsizes": 4096,
    "write_multiple": True,
}
_BYTES = tuple(bytes((value,)) for value in range(256))
_READABLE = RegionFlag.READ | RegionFlag.WRITE


class VfioUser(MessageStream):
    """One connection's protocol around one function."""

    def __init__(self, function: Function, descriptors: Descriptors) -> None:
        super().__init__(function, descriptors)
        self._interrupts = Interrupts(function, descriptors)
        self._bar = function.bar.number
        self._bar_size = function.bar.size
        self._sizes = {self._bar: self._bar_size, int(Region.CONFIGURATION): SIZE}
        self._bytewise = accesses(self._bar, self._bar_size)
        self._agreed = False

    def receive_data(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Fast path: whole messages that read or write one byte of the BAR, as drivers do all the time."""
        if not self._agreed or self._partial or self.failure or descriptors:
            super().receive_data(data, descriptors)
            return
        position, end, function, find = 0, len(data), self._function, self._bytewise.get
        while position < end:
            access = find(data[position + NUMBER_SIZE : position + SHORT])
            if access is None:
                break
            offset, size, answer = access
            after = position + size
            if after > end:
                break
            if size == SHORT:
                value = _BYTES[function.read(offset)]
                self._output.append(data[position : position + NUMBER_SIZE] + answer + value)
            else:
                function.write(offset, data[after - 1])
                if answer:
                    self._output.append(data[position : position + NUMBER_SIZE] + answer)
            position = after
        if position < end:
            super().receive_data(data[position:])

    def disconnect(self) -> None:
        super().disconnect()
        self._interrupts.disconnect()

    @staticmethod
    def refusal(header: bytes) -> bytes:
        if len(header) < HEADER_SIZE:
            return b""
        id_, command, _, _, _ = wire.HEADER.unpack_from(header)
        return _error(id_, command, errno.EBUSY)

    # Messages.

    def _size(self, data: bytes, position: int) -> int:
        _, _, size, flags, _ = wire.HEADER.unpack_from(data, position)
        if not HEADER_SIZE <= size <= _LONGEST:
            raise DecodeError(f"a message of {size} bytes; it must have {HEADER_SIZE} to {_LONGEST}")
        if flags & wire.TYPE != wire.COMMAND:
            raise DecodeError(f"message type {flags & wire.TYPE} where a command is due")
        return int(size)

    def _handle(self, message: bytes, descriptors: list[int]) -> None:
        id_, command, size, flags, _ = wire.HEADER.unpack_from(message)
        row = COMMANDS.get(command)
        try:
            if row is None:
                raise Refusal(errno.EOPNOTSUPP)
            more = size - HEADER_SIZE - row.layout.size
            if not 0 <= more <= row.more or self._agreed is (command == Command.VERSION):
                raise Refusal(errno.EINVAL)
            reply = row.handler(self, message, descriptors)
        except Refusal as refusal:
            if not flags & wire.NO_REPLY:
                self._output.append(_error(id_, command, refusal.number))
            return
        if not flags & wire.NO_REPLY:
            self._output.append(
                wire.HEADER.pack(id_, command, HEADER_SIZE + len(reply), wire.REPLY, 0) + reply
            )

    # Handlers: the whole message in, what follows the header of the answer out.

    def _version(self, message: bytes, descriptors: list[int]) -> bytes:
        major, _ = wire.VERSION.unpack_from(message, HEADER_SIZE)
        if major != wire.MAJOR:
            raise Refusal(errno.EINVAL)
        text, _, rest = message[HEADER_SIZE + wire.VERSION.size :].partition(b"\0")
        try:
            theirs = json.loads(text.decode() or "{}")
        except (ValueError, RecursionError):
            raise Refusal(errno.EINVAL) from None
        if rest or not isinstance(theirs, dict):
            raise Refusal(errno.EINVAL)
        self._agreed = True
        ours = json.dumps({"capabilities": CAPABILITIES}).encode() + b"\0"
        return wire.VERSION.pack(wire.MAJOR, wire.MINOR) + ours

    def _dma_map(self, message: bytes, descriptors: list[int]) -> bytes:
        return b""

    def _dma_unmap(self, message: bytes, descriptors: list[int]) -> bytes:
        _, flags, _, _ = wire.DMA_UNMAP.unpack_from(message, HEADER_SIZE)
        if flags & wire.UNMAP_GET_DIRTY_PAGES:
            raise Refusal(errno.EINVAL)
        return message[HEADER_SIZE : HEADER_SIZE + wire.DMA_UNMAP.size]

    def _device_info(self, message: bytes, descriptors: list[int]) -> bytes:
        info = wire.DEVICE_INFO
        _enough(message, info.size)
        return info.pack(info.size, DeviceFlag.RESET | DeviceFlag.PCI, wire.REGIONS, len(Irq))

    def _region_info(self, message: bytes, descriptors: list[int]) -> bytes:
        info = wire.REGION_INFO
        _enough(message, info.size)
        index = info.unpack_from(message, HEADER_SIZE)[2]
        if index >= wire.REGIONS:
            raise Refusal(errno.EINVAL)
        size = self._sizes.get(index, 0)
        return info.pack(info.size, _READABLE if size else 0, index, 0, size, 0)

    def _region_io_fds(self, message: bytes, descriptors: list[int]) -> bytes:
        info = wire.REGION_IO_FDS
        _enough(message, info.size)
        index = info.unpack_from(message, HEADER_SIZE)[2]
        if index >= wire.REGIONS:
            raise Refusal(errno.EINVAL)
        return info.pack(info.size, 0, index, 0)

    def _irq_info(self, message: bytes, descriptors: list[int]) -> bytes:
        info = wire.IRQ_INFO
        _enough(message, info.size)
        index = info.unpack_from(message, HEADER_SIZE)[2]
        flags, count = self._interrupts.info(index)
        return info.pack(info.size, flags, index, count)

    def _set_irqs(self, message: bytes, descriptors: list[int]) -> bytes:
        _, flags, index, start, count = wire.SET_IRQS.unpack_from(message, HEADER_SIZE)
        data = message[HEADER_SIZE + wire.SET_IRQS.size :]
        self._interrupts.set(flags, index, start, count, data, descriptors)
        return b""

    def _region_read(self, message: bytes, descriptors: list[int]) -> bytes:
        offset, region, count = wire.REGION_ACCESS.unpack_from(message, HEADER_SIZE)
        self._check(offset, region, count)
        if region == self._bar:
            value = self._function.read(offset, count)
        else:
            value = self._function.read_configuration(offset, count)
        return message[HEADER_SIZE:] + value.to_bytes(count, "little")

    def _region_write(self, message: bytes, descriptors: list[int]) -> bytes:
        offset, region, count = wire.REGION_ACCESS.unpack_from(message, HEADER_SIZE)
        data = message[HEADER_SIZE + wire.REGION_ACCESS.size :]
        if len(data) != count:
            raise Refusal(errno.EINVAL)
        self._write(offset, region, data)
        return message[HEADER_SIZE : HEADER_SIZE + wire.REGION_ACCESS.size]

    def _write_multi(self, message: bytes, descriptors: list[int]) -> bytes:
        (writes,) = wire.WRITE_COUNT.unpack_from(message, HEADER_SIZE)
        table = message[HEADER_SIZE + wire.WRITE_COUNT.size :]
        if len(table) != writes * wire.WRITE_ONE.size:
            raise Refusal(errno.EINVAL)
        for offset, region, count, data in wire.WRITE_ONE.iter_unpack(table):
            if count > len(data):
                raise Refusal(errno.EINVAL)
            self._write(offset, region, data[:count])
        return wire.WRITE_COUNT.pack(writes)

    def _reset(self, message: bytes, descriptors: list[int]) -> bytes:
        self._function.reset()
        return b""

    # Accesses.

    def _check(self, offset: int, region: int, count: int) -> None:
        if not count or offset + count > self._sizes.get(region, 0):
            raise Refusal(errno.EINVAL)

    def _write(self, offset: int, region: int, data: bytes) -> None:
        self._check(offset, region, len(data))
        value = int.from_bytes(data, "little")
        if region == self._bar:
            self._function.write(offset, value, len(data))
        else:
            self._function.write_configuration(offset, value, len(data))


def _error(id_: int, command: int, number: int) -> bytes:
    return wire.HEADER.pack(id_, command, HEADER_SIZE, wire.REPLY | wire.ERROR, number)


def _enough(message: bytes, size: int) -> None:
    """The answer must fit into what the client has for it: the first number of its message."""
    if wire.ARGSZ.unpack_from(message, HEADER_SIZE)[0] < size:
        raise Refusal(errno.EINVAL)


class _Row(NamedTuple):
    layout: Struct
    """What follows the header."""
    more: int
    """Bytes that may follow that."""
    handler: Callable[[VfioUser, bytes, list[int]], bytes]


# fmt: off
COMMANDS: dict[int, _Row] = {
    #                                      layout               more        handler
    Command.VERSION:                  _Row(wire.VERSION,        MOST_DATA,  VfioUser._version),
    Command.DMA_MAP:                  _Row(wire.DMA_MAP,        0,          VfioUser._dma_map),
    Command.DMA_UNMAP:                _Row(wire.DMA_UNMAP,      16,         VfioUser._dma_unmap),
    Command.DEVICE_GET_INFO:          _Row(wire.DEVICE_INFO,    0,          VfioUser._device_info),
    Command.DEVICE_GET_REGION_INFO:   _Row(wire.REGION_INFO,    0,          VfioUser._region_info),
    Command.DEVICE_GET_REGION_IO_FDS: _Row(wire.REGION_IO_FDS,  0,          VfioUser._region_io_fds),
    Command.DEVICE_GET_IRQ_INFO:      _Row(wire.IRQ_INFO,       0,          VfioUser._irq_info),
    Command.DEVICE_SET_IRQS:          _Row(wire.SET_IRQS,       len(Irq),   VfioUser._set_irqs),
    Command.REGION_READ:              _Row(wire.REGION_ACCESS,  0,          VfioUser._region_read),
    Command.REGION_WRITE:             _Row(wire.REGION_ACCESS,  MOST_DATA,  VfioUser._region_write),
    Command.DEVICE_RESET:             _Row(wire.NOTHING,        0,          VfioUser._reset),
    Command.REGION_WRITE_MULTI:       _Row(wire.WRITE_COUNT,    MOST_DATA,  VfioUser._write_multi),
}
# fmt: on
_LONGEST = HEADER_SIZE + max(row.layout.size + row.more for row in COMMANDS.values())
