"""What is on the controller's private I2C buses: memories with the inventories, and a thermometer.

Bus n has the memory of the n-th inventory device: a 24Cxx of its size. Such a chip is known by the addresses
A0h, A2h ... AEh: 256 bytes behind each, up to 2,048; a larger one has A0h alone, and an address of two bytes.
What is written to it is the inventory, as Write FRU Data writes it. Bus 0 has an LM75 at 90h as well,
which measures what the inlet's sensor shows.

Whatever has not acknowledged its address is not there: 83h.  [IPMI 22.11]
"""

from __future__ import annotations

from collections.abc import Callable

from baseboard.bmc.fru import FruDevice, FruStore
from baseboard.bmc.sensor import ThresholdSensor
from baseboard.bmc.sensors import Sensors
from baseboard.errors import CommandError
from baseboard.ipmi.app_i2c import BusFault

MEMORY_ADDRESS = 0xA0
"""8-bit form, as the specification writes slave addresses."""
THERMOMETER_ADDRESS = 0x90
THERMOMETER_BUS = 0
BLOCK = 256
LARGEST_WITH_BLOCKS = 8 * BLOCK
BUSES = 8

INLET = "inlet_temperature"
"""The quantity that the thermometer's place has."""


class Memory:
    """A 24Cxx: the address that it counts up from is the only state that the inventory does not have."""

    def __init__(self, store: FruStore, device: FruDevice) -> None:
        self._store = store
        self._device = device
        self._pointer = 0

    @property
    def blocks(self) -> int:
        """Addresses on the bus that it takes."""
        size = len(self._device.data)
        return -(-size // BLOCK) if size <= LARGEST_WITH_BLOCKS else 1

    @property
    def page(self) -> int:
        """Bytes after which a write begins again at its page's start."""
        size = len(self._device.data)
        return 8 if size <= BLOCK else 16 if size <= LARGEST_WITH_BLOCKS else 32

    def write(self, block: int, data: bytes) -> None:
        """Take an address, and what is to be stored there."""
        wide = len(self._device.data) > LARGEST_WITH_BLOCKS
        if not data or (wide and len(data) < 2):
            return
        address = int.from_bytes(data[:2], "big") if wide else block * BLOCK + data[0]
        self._pointer = address % len(self._device.data)
        if data := data[2 if wide else 1 :]:
            self._store_page(data)

    def read(self, count: int) -> bytes:
        """From the address on; after the last byte comes the first."""
        memory, start = self._device.data, self._pointer
        self._pointer = (start + count) % len(memory)
        return bytes(memory[(start + i) % len(memory)] for i in range(count))

    def _store_page(self, data: bytes) -> None:
        page = self._pointer - self._pointer % self.page
        content = bytearray(self._device.read(page, self.page))
        for byte in data:
            content[self._pointer - page] = byte
            self._pointer = page + (self._pointer - page + 1) % len(content)
        if self._device.settings.writable:  # a protected chip acknowledges, and forgets
            self._store.write(self._device.settings.fru_id, page, bytes(content))


class Thermometer:
    """An LM75: a pointer, and behind it temperature, configuration, hysteresis and limit."""

    def __init__(self, temperature: Callable[[], float]) -> None:
        self._temperature = temperature
        self._pointer = 0
        self._registers = {1: b"\x00", 2: b"\x4b\x00", 3: b"\x50\x00"}  # 75 and 80 degrees at power-on

    def write(self, block: int, data: bytes) -> None:
        """Take the pointer, and a register's new content."""
        if not data:
            return
        self._pointer, data = data[0] & 0x03, data[1:]
        size = len(self._registers.get(self._pointer, b""))
        if size and len(data) >= size:
            self._registers[self._pointer] = data[:size]

    def read(self, count: int) -> bytes:
        """The register, again and again."""
        register = self._registers.get(self._pointer) or self._measure()
        return (register * count)[:count]

    def _measure(self) -> bytes:
        halves = round(min(max(self._temperature(), -55.0), 125.0) * 2)
        return (halves << 7 & 0xFFFF).to_bytes(2, "big")


class I2cBuses:
    """The private buses.

    `quantities` is what the simulated server measures. The memories are found when they are first asked for:
    the inventory is made no earlier.
    """

    def __init__(
        self, fru: FruStore, sensors: Sensors, quantities: Callable[[], dict[str, float | None]]
    ) -> None:
        self._fru = fru
        self._sensors = sensors
        self._quantities = quantities
        self._thermometer = Thermometer(self._inlet)
        self._memories: list[Memory] | None = None
        self.faults: dict[int, BusFault] = {}
        """Buses that do not work, and how; nothing here breaks by itself."""

    def transfer(self, bus: int, address: int, data: bytes, count: int) -> bytes:
        """Write, then read.  `address` in its 8-bit form.  Raises CommandError."""
        fault = self.faults.get(bus)
        if fault is not None and fault is not BusFault.TRUNCATED_READ:
            raise CommandError(fault, f"bus {bus}")
        device, block = self._find(bus, address)
        device.write(block, data)
        answer = device.read(count)
        if fault is not None and count:
            raise CommandError(fault, f"bus {bus}", answer[: count // 2])
        return answer

    def _find(self, bus: int, address: int) -> tuple[Memory | Thermometer, int]:
        if self._memories is None:
            self._memories = [Memory(self._fru, device) for device in self._fru][:BUSES]
        if bus < len(self._memories) and address >= MEMORY_ADDRESS:
            memory, block = self._memories[bus], (address - MEMORY_ADDRESS) // 2
            if block < memory.blocks:
                return memory, block
        if (bus, address) == (THERMOMETER_BUS, THERMOMETER_ADDRESS):
            return self._thermometer, 0
        raise CommandError(BusFault.NOT_ACKNOWLEDGED, f"nothing at {address:02X}h of bus {bus}")

    def _inlet(self) -> float:
        """Finer than the sensor's steps, unless somebody holds the sensor somewhere."""
        for sensor in self._sensors:
            if sensor.settings.follows == INLET and isinstance(sensor, ThresholdSensor) and sensor.held:
                return sensor.value or 0.0
        return self._quantities()[INLET] or 0.0
