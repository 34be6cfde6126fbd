"""Where devices stand: ports, memory, PCI; wide accesses, interrupt lines, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interface.conversation import answered, echo, run
from tests.moved import through_text

from baseboard.errors import ConfigError
from baseboard.interface import HandlerSeam
from baseboard.interface.bt import Bt
from baseboard.interface.bus.function import Identity
from baseboard.interface.bus.isa import IsaBus
from baseboard.interface.bus.line import Line
from baseboard.interface.bus.memory import MemoryBus
from baseboard.interface.bus.pci import Interface, PciFunction
from baseboard.interface.bus.smbus import SmBus
from baseboard.interface.kcs import Kcs, KcsDriver
from baseboard.interface.registers import Access, Field, Side
from baseboard.interface.smic import Smic
from baseboard.interface.ssif import Ssif
from baseboard.ipmi.message import Message

REQUEST = Message(6, 0, 1, b"\x01\x02\x03")


def kcs() -> Kcs:
    device = Kcs()
    HandlerSeam(device.engine, echo)
    device.engine.set_interrupt(True)
    return device


class On:
    """Registers on a bus, for a driver."""

    def __init__(
        self, bus: IsaBus | MemoryBus | PciFunction, base: int = 0, spacing: int = 1, width: int = 1
    ) -> None:
        self.bus, self.base, self.spacing, self.width = bus, base, spacing, width

    def read(self, register: int) -> int:
        return self.bus.read(self.base + register * self.spacing, self.width) & 0xFF

    def write(self, register: int, value: int) -> None:
        self.bus.write(self.base + register * self.spacing, value, self.width)


def works(registers: On) -> None:
    driver = KcsDriver(registers)
    driver.send_request(REQUEST, 0.0)
    assert run(driver) == answered(REQUEST)


@pytest.mark.parametrize("spacing", [1, 4, 16])
@pytest.mark.parametrize("base", [0x0, 0xCA2, 0xFF00])
def test_isa(base: int, spacing: int) -> None:
    rises: list[tuple[int, bool]] = []
    bus = IsaBus(lambda number, level: rises.append((number, level)))
    bus.attach(kcs(), base=base, spacing=spacing, irq=5)
    works(On(bus, base, spacing))
    assert rises[:2] == [(5, True), (5, False)]
    assert not bus.lines[5].level
    assert bus.read(base + spacing * 2) == 0xFF
    if spacing > 1:
        assert bus.read(base + 1) == 0xFF
        works(On(bus, base, spacing, width=4))


@pytest.mark.parametrize("spacing", [1, 4, 16])
def test_memory(spacing: int) -> None:
    line = Line()
    bus = MemoryBus()
    base = 0xFED4_0100
    bus.attach(kcs(), base=base, spacing=spacing, line=line)
    works(On(bus, base, spacing))
    assert bus.read(base - 1) == 0xFF
    assert bus.read(base + 2 * spacing) == 0xFF
    if spacing > 1:
        assert bus.read(base + 1, 2) == 0x0000, "bytes between the registers"
        works(On(bus, base, spacing, width=4))
    bus.write(base + spacing, 0x61)
    assert line.level


def test_wide_accesses_are_split() -> None:
    """Little-endian, the lowest address first, as an 8-bit bus sees them."""
    bus = IsaBus()
    bus.attach(kcs(), base=0xCA2)
    bus.write(0xCA2, 0x6118, 2)  # 18h to Data_In: illegal; 61h to Command: the transfer begins
    assert bus.read(0xCA3) == 0x80 | 0x08 | 0x01
    assert bus.read(0xCA2, 2) == 0x8800, "Data_Out was read first, and cleared OBF"
    assert bus.read(0xCA1, 4) == 0xFF_88_00_FF
    assert bus.read(0xCA0, 2) == 0xFFFF
    assert bus.read(0xFFFF, 4) == 0xFFFF_FFFF
    bus.write(0xFFFF, 0x12345678, 4)


def test_devices_side_by_side() -> None:
    bus = IsaBus()
    bus.attach(Kcs(), base=0xCA2, irq=5)
    bus.attach(Kcs(), base=0xCA4, irq=5)
    bus.attach(Smic(), base=0xCA9)
    bus.attach(Bt(), base=0xE4, irq=15)
    assert bus.read(0xCA3, 4) == 0xFF_C0_00_C0, "across two devices"
    assert bus.read(0xCA9, 4) == 0xFF_80_C0_00


# fmt: off
REFUSED = [
    ({"base": 0xCA3},                 "I/O port 0xca3 belongs to another device"),
    ({"base": 0xFFFF},                "I/O ports 0xffff to 0x10000: ports are 0x0 to 0xffff"),
    ({"base": -1},                    "I/O ports -0x1 to 0x0: ports are 0x0 to 0xffff"),
    ({"base": 0xE4, "spacing": 2},    "register spacing 2: it must be 1, 4 or 16 bytes"),
    ({"base": 0xE4, "irq": 16},       "interrupt 16: ISA has 0 to 15; None is a device without one"),
    ({"base": 0xE4, "irq": -1},       "interrupt -1: ISA has 0 to 15; None is a device without one"),
]
# fmt: on


@pytest.mark.parametrize(("where", "reason"), REFUSED)
def test_isa_refuses(where: dict[str, int], reason: str) -> None:
    bus = IsaBus()
    bus.attach(Kcs(), base=0xCA2)
    with pytest.raises(ConfigError) as error:
        bus.attach(Kcs(), **where)
    assert str(error.value) == reason
    bus.attach(Kcs(), base=0xE4)


@pytest.mark.parametrize("base", [0xFFF, 0x1003, 0x1004, 0xFFFF_FFFE, -4])
def test_memory_refuses(base: int) -> None:
    bus = MemoryBus(1 << 32)
    bus.attach(Kcs(), base=0x1000, spacing=4)
    with pytest.raises(ConfigError):
        bus.attach(Kcs(), base=base, spacing=4)
    bus.attach(Kcs(), base=0x1008, spacing=4)
    bus.attach(Kcs(), base=0xFF8, spacing=4)


@pytest.mark.parametrize(("make", "capacity"), [(Kcs, 1), (Smic, -1), (Ssif, 1), (Ssif, 256)])
def test_no_interface_takes_requests_of_that_size(make: type[Kcs | Smic | Ssif], capacity: int) -> None:
    """One byte is no request, and SSIF says in one byte how many it takes."""
    with pytest.raises(ConfigError, match=f"^requests of up to {capacity} bytes: it must be 2 to "):
        make(capacity=capacity)


@pytest.mark.parametrize("address", [0x07, 0x78, 0x0C, 0x10])
def test_smbus_refuses(address: int) -> None:
    bus = SmBus()
    bus.attach(Ssif().target, address=0x10)
    with pytest.raises(ConfigError):
        bus.attach(Ssif().target, address=address)


def test_a_line_that_two_pull() -> None:
    levels: list[bool] = []
    line = Line(levels.append)
    first, second = line.source(), line.source(True)
    first(True)
    second(False)
    second(False)
    assert line.level
    first(False)
    assert levels == [True, False]


def test_registers_must_be_whole() -> None:
    with pytest.raises(ConfigError):
        Side((Field(7, 1, "most", Access.RO, Access.RW, ""),), "host")


# PCI


def test_configuration_space() -> None:
    """As QEMU's pci-ipmi-kcs shows itself."""
    function = PciFunction(kcs(), Interface.KCS)
    assert function.read_configuration(0x00, 4) == 0x1112_1234
    assert function.read_configuration(0x08, 4) == 0x0C07_0101
    assert function.read_configuration(0x2C, 4) == 0x1100_1AF4
    assert function.read_configuration(0x3C, 2) == 0x0100
    function.write_configuration(0x10, 0xFFFF_FFFF, 4)
    assert function.read_configuration(0x10, 4) == 0xFFFF_FFF9, "eight I/O ports"
    function.write_configuration(0x00, 0xFFFF_FFFF, 4)
    assert function.read_configuration(0x00, 4) == 0x1112_1234
    assert function.read_configuration(0xFE, 4) == 0xFFFF_0000


def test_the_bar_is_where_it_was_put() -> None:
    function = PciFunction(kcs(), Interface.KCS, space="memory", spacing=16)
    places: list[tuple[bool, int]] = []
    function.bar_changed = lambda decodes, address: places.append((decodes, address))
    function.write_configuration(0x10, 0xFEB0_0037, 4)
    function.write_configuration(0x04, 0x0003, 2)
    assert function.bar.size == 32
    assert places == [(False, 0xFEB0_0020), (True, 0xFEB0_0020)]
    works(On(function, 0, 16))
    assert function.read(1, 4) == 0, "drivers find the spacing in this way"
    function.reset()
    assert places[-1] == (False, 0)


def test_intx() -> None:
    device = kcs()
    function = PciFunction(device, Interface.KCS)
    levels: list[bool] = []
    function.intx = levels.append
    function.write(1, 0x61)
    assert levels == [True]
    assert function.read_configuration(0x06) & 0x08
    function.write_configuration(0x04, 0x0400, 2)
    assert levels == [True, False]
    assert function.read_configuration(0x06) & 0x08, "Interrupt Status tells all the same"
    function.write_configuration(0x04, 0x0000, 2)
    function.read(0)
    assert levels == [True, False, True, False]


def test_an_interrupt_that_is_up_before_the_function_is_made() -> None:
    device = kcs()
    device.registers[1].write(0x61)
    assert PciFunction(device, Interface.KCS).level
    assert not PciFunction(device, Interface.KCS, pin=0).level


def test_msi() -> None:
    device = kcs()
    function = PciFunction(device, Interface.KCS)
    sent: list[object] = []
    function.intx = sent.append
    function.msi = lambda address, data: sent.append((address, data))
    assert function.read_configuration(0x34) == 0x40
    assert function.read_configuration(0x40, 4) == 0x0080_0005
    function.write_configuration(0x44, 0xFEE0_0000, 4)
    function.write_configuration(0x4C, 0x4041, 2)
    function.write_configuration(0x42, 0x0001, 2)
    function.write(1, 0x61)
    assert sent == [], "not a bus master"
    function.read(0)
    function.write_configuration(0x04, 0x0005, 2)
    function.write(0, 0x18)
    assert sent == [(0xFEE0_0000, 0x4041)]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"spacing": 3}, "register spacing 3: it must be 1, 4 or 16 bytes"),
        ({"space": "port"}, "BAR in 'port' space: it must be 'io' or 'memory'"),
        ({"identity": Identity(vendor=0x12345)}, "PCI vendor 0x12345: it must be 0x0 to 0xffff"),
    ],
)
def test_pci_refuses(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        PciFunction(Kcs(), Interface.KCS, **options)  # type: ignore[arg-type]
    assert str(error.value) == reason


# What a device is on, and a cut anywhere

accesses = st.one_of(
    st.sampled_from((("bar", True, 1, 0x61, 1), ("bar", True, 2, 0x01, 1), ("configuration", True, 4, 4, 1))),
    st.tuples(
        st.sampled_from(("bar", "bar", "configuration")),
        st.booleans(),
        st.one_of(st.integers(0, 8), st.sampled_from((0x04, 0x05, 0x10, 0x42)), st.integers(-4, 300)),
        st.one_of(st.sampled_from((0x61, 0x62, 0x18, 0x01, 0x04, 0x03)), st.integers(0, 1 << 64)),
        st.sampled_from((1, 1, 2, 3, 4, 8)),
    ),
)
"""One of them raises the interrupt of KCS, one lets BT's rise."""


def answering(device: Any) -> Any:
    """With an echo behind it, interrupts on, and what waits answered."""
    HandlerSeam(device.engine, echo)
    device.engine.set_interrupt(True)
    return device


def again(device: Any) -> Any:
    """The same in a new instance."""
    moved = type(device).from_state(device.export())
    HandlerSeam(moved.engine, echo)
    return moved


@given(
    st.lists(accesses, min_size=1, max_size=50),
    st.integers(0, 50),
    st.sampled_from([(Kcs, 1), (Bt, 2), (Smic, 0)]),
)
def test_any_access_to_pci_and_a_cut_anywhere(sequence, cut, kind) -> None:  # type: ignore[no-untyped-def]
    make, interface = kind
    devices = [answering(make()), answering(make())]
    functions = [PciFunction(device, Interface(interface)) for device in devices]
    messages: list[list[tuple[int, int]]] = [[], []]
    for function, sent in zip(functions, messages, strict=True):
        function.msi = lambda address, data, sent=sent: sent.append((address, data))  # type: ignore[misc]
    for number, (where, writes, offset, value, width) in enumerate(sequence):
        if number == cut % len(sequence):
            state = through_text(functions[1].export())
            devices[1] = again(devices[1])
            functions[1] = PciFunction(devices[1], Interface(interface))
            functions[1].restore(state)
            functions[1].msi = lambda address, data: messages[1].append((address, data))
        if number % 4 == 1:
            for device in devices:
                device.engine.set_attention(bool(number & 4), True)
        results = []
        for function in functions:
            if where == "bar":
                if writes:
                    function.write(offset, value, width)
                else:
                    results.append(function.read(offset, width))
            elif writes:
                function.write_configuration(offset, value, width)
            else:
                results.append(function.read_configuration(offset, width))
        assert results[:1] == results[1:]
        assert functions[0].level == functions[1].level
    assert messages[0] == messages[1]
    assert functions[0].export() == functions[1].export()
    assert devices[0].export() == devices[1].export()


@given(
    st.lists(accesses, min_size=1, max_size=50),
    st.integers(0, 50),
    st.sampled_from([Kcs, Bt, Smic]),
    st.booleans(),
)
def test_any_access_on_a_bus_and_a_cut_anywhere(sequence, cut, make, memory) -> None:  # type: ignore[no-untyped-def]
    """A device that was moved, put on a new bus: the same is read, and its line has the same level."""

    def put(device: Any) -> tuple[Any, Line]:
        if memory:
            space, line = MemoryBus(), Line()
            space.attach(device, base=0, line=line)
            return space, line
        bus = IsaBus()
        bus.attach(device, base=0, irq=5)
        return bus, bus.lines[5]

    devices = [answering(make()), answering(make())]
    places = [put(device) for device in devices]
    for number, (_, writes, offset, value, width) in enumerate(sequence):
        if number == cut % len(sequence):
            devices[1] = again(devices[1])
            places[1] = put(devices[1])
        if number % 4 == 1:
            for device in devices:
                device.engine.set_attention(bool(number & 4), True)
        results = [
            bus.write(offset, value, width) if writes else bus.read(offset, width) for bus, _ in places
        ]
        assert results[0] == results[1]
        assert places[0][1].level == places[1][1].level
    assert devices[0].export() == devices[1].export()


@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 1 << 17), st.integers(), st.integers(0, 9))))
def test_any_access_to_a_bus(sequence: list[tuple[bool, int, int, int]]) -> None:
    isa, memory = IsaBus(), MemoryBus(1 << 16)
    for bus in (isa, memory):
        bus.attach(kcs(), base=0x10)
        bus.attach(Bt(), base=0x20, spacing=4)
        for writes, address, value, width in sequence:
            if writes:
                bus.write(address, value, width)
            else:
                assert 0 <= bus.read(address, width) < 1 << 8 * width or width == 0


def test_the_example_of_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "system-interfaces.md"
    code = page.read_text().split("```python\n")[1].split("```")[0]
    exec(compile(code, str(page), "exec"), {})
