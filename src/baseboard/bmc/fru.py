"""FRU inventory devices: plain bytes behind an id, read and written in pieces.  [IPMI 34]

Images come from the settings at the start; a written device is durable as a whole and hides its settings
from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.records.fru import Inventory, encode_inventory
from baseboard.ipmi.value import Value

ROOM = "fru"


class FruSettings(Value, kw_only=True):
    """One inventory device."""

    fru_id: int = 0
    name: str = "Server"
    """As its locator record shows it."""
    entity: tuple[int, int] = (0x07, 1)
    """Entity id and instance that it describes."""
    size: int = 2048
    """Bytes of the device, a multiple of 8."""
    writable: bool = True
    inventory: Inventory = Inventory()
    image: bytes = b""
    """A ready-made image instead of `inventory`."""


class FruDevice:
    """The bytes of one device."""

    def __init__(self, settings: FruSettings) -> None:
        self.settings = settings
        image = settings.image or encode_inventory(settings.inventory)
        size = max(settings.size, len(image))
        self.data = bytearray(image.ljust(size, b"\0"))

    def read(self, offset: int, count: int) -> bytes:
        """What there is from `offset` on, `count` bytes at most."""
        self._check(offset)
        return bytes(self.data[offset : offset + count])

    def write(self, offset: int, data: bytes) -> None:
        """Replace bytes."""
        self._check(offset)
        if not self.settings.writable:
            raise CommandError(0x80, "the device is write-protected")  # 34.3, command specific
        if offset + len(data) > len(self.data):
            raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, "the data reach over the end")
        self.data[offset : offset + len(data)] = data

    def _check(self, offset: int) -> None:
        if offset >= len(self.data):
            raise CommandError(
                CompletionCode.PARAMETER_OUT_OF_RANGE, f"the device has {len(self.data)} bytes"
            )


class FruStore:
    """Every device of the server, by its id.

    `make` gives their settings. It is asked when the first of them is read: the default inventory has
    serial numbers that follow from the GUID, which is known only after the start.
    """

    room = ROOM

    def __init__(self, make: Callable[[], Sequence[FruSettings]], changes: Changes) -> None:
        self._make = make
        self._changes = changes
        self._written: dict[int, bytes] = {}
        self._made: dict[int, FruDevice] | None = None

    def restore(self, rows: Rows) -> None:
        """Take back what was written."""
        self._written = {int(key): kept_bytes(image) for key, image in rows.items()}
        self._made = None

    def __iter__(self) -> Iterator[FruDevice]:
        """Devices in the order of their ids."""
        return (device for _, device in sorted(self._devices.items()))

    def get(self, fru_id: int) -> FruDevice:
        """A device.  CBh is what clients show as "not present"."""
        device = self._devices.get(fru_id)
        if device is None:
            raise CommandError(CompletionCode.NOT_PRESENT, f"there is no FRU device {fru_id:02X}h")
        return device

    def write(self, fru_id: int, offset: int, data: bytes) -> None:
        """Replace bytes of a device for good."""
        device = self.get(fru_id)
        device.write(offset, data)
        self._changes.put(ROOM, f"{fru_id:03d}", device.data.hex())

    @property
    def _devices(self) -> dict[int, FruDevice]:
        if self._made is None:
            self._made = {settings.fru_id: FruDevice(settings) for settings in self._make()}
            for fru_id, image in self._written.items():
                if device := self._made.get(fru_id):
                    device.data[:] = image
        return self._made
