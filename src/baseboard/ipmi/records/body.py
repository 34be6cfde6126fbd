"""What the bodies of sensor data records have in common."""

from __future__ import annotations

from typing import ClassVar

from baseboard.ipmi.codec import Record


class Body(Record):
    """Everything of a sensor data record after its header."""

    FIRST = 6
    TYPE: ClassVar[int] = 0x00
    """Record type, as the header has it."""
