"""ACPI resource descriptors: the ports, memory, interrupt and bus address of a device.  [ACPI 6.4]"""

from __future__ import annotations

import struct

from baseboard.interface.describe.description import Description, Kind, Space, Trigger

_IO = struct.Struct("<BBHHBB")
_MEMORY32_FIXED = struct.Struct("<BHBII")
_QWORD_MEMORY = struct.Struct("<BHBBBQQQQQ")
_EXTENDED_INTERRUPT = struct.Struct("<BHBBI")
_I2C = struct.Struct("<BHBBBBHBHIH")

_IO_TAG, _DECODE_16 = 0x47, 0x01
_IRQ_TAG, _IRQ_WITH_FLAGS_TAG = 0x22, 0x23
_MEMORY32_FIXED_TAG, _WRITABLE = 0x86, 0x01
_QWORD_TAG, _MEMORY_RANGE, _CONSUMER_FIXED, _NOT_CACHED_WRITABLE = 0x8A, 0x00, 0x0D, 0x01
_EXTENDED_INTERRUPT_TAG = 0x89
_SERIAL_BUS_TAG, _I2C_TYPE, _CONSUMER = 0x8E, 1, 0x02
_REVISION, _I2C_REVISION, _I2C_DATA_LENGTH = 2, 1, 6
_STANDARD_SPEED = 100_000

# fmt: off
_IRQ_FLAGS = {  # 4 shared, 3 active low, 0 edge
    Trigger.EDGE_HIGH:   0x01,
    Trigger.LEVEL_LOW:   0x18,
}
_EXTENDED_FLAGS = {  # 3 shared, 2 active low, 1 edge, 0 consumer
    Trigger.EDGE_HIGH:   0x03,
    Trigger.LEVEL_LOW:   0x0D,
}
# fmt: on


def descriptors(description: Description) -> list[bytes]:
    """Everything that the interface occupies.

    Registers that stand apart have a descriptor each: Linux takes the spacing from the first two.
    """
    if description.kind is Kind.SSIF:
        made = [_i2c(description)]
    elif description.spacing == 1:
        made = [_range(description.space, description.base, len(description.registers))]
    else:
        made = [_range(description.space, address, 1) for address in description.registers]
    if description.irq is not None:
        made.append(_interrupt(description.irq, description.trigger))
    return made


def _range(space: Space, address: int, length: int) -> bytes:
    if space is Space.IO:  # ACPI 6.4.2.5
        return _IO.pack(_IO_TAG, _DECODE_16, address, address, 1, length)
    last = address + length - 1
    if last < 1 << 32:  # ACPI 6.4.3.4
        return _MEMORY32_FIXED.pack(_MEMORY32_FIXED_TAG, _MEMORY32_FIXED.size - 3, _WRITABLE, address, length)
    return _QWORD_MEMORY.pack(  # ACPI 6.4.3.5.1; granularity and translation 0
        _QWORD_TAG,
        _QWORD_MEMORY.size - 3,
        _MEMORY_RANGE,
        _CONSUMER_FIXED,
        _NOT_CACHED_WRITABLE,
        0,
        address,
        last,
        0,
        length,
    )


def _interrupt(irq: int, trigger: Trigger) -> bytes:
    if irq > 15:  # ACPI 6.4.3.6; one interrupt in the list
        return _EXTENDED_INTERRUPT.pack(
            _EXTENDED_INTERRUPT_TAG, _EXTENDED_INTERRUPT.size - 3, _EXTENDED_FLAGS[trigger], 1, irq
        )
    mask = struct.pack("<H", 1 << irq)
    if trigger is Trigger.EDGE_HIGH:  # ACPI 6.4.2.1: what no flags mean
        return bytes((_IRQ_TAG,)) + mask
    return bytes((_IRQ_WITH_FLAGS_TAG,)) + mask + bytes((_IRQ_FLAGS[trigger],))


def _i2c(description: Description) -> bytes:  # ACPI 6.4.3.8.2.1
    source = description.smbus.encode("ascii") + b"\0"
    return (
        _I2C.pack(
            _SERIAL_BUS_TAG,
            _I2C.size - 3 + len(source),
            _REVISION,
            0,  # resource source index
            _I2C_TYPE,
            _CONSUMER,  # and initiated by the controller
            0,  # 7-bit addresses
            _I2C_REVISION,
            _I2C_DATA_LENGTH,
            _STANDARD_SPEED,
            description.base >> 1,
        )
        + source
    )
