"""What firmware tells of a system interface, byte by byte.

The AML and the descriptors are those that iasl 20200925 (Debian 12) makes of the source in
`tests/interop/test_describe.py`; the structure and the table are laid out by hand from [IPMI C1, C3].
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import ConfigError
from baseboard.interface.describe import Description, Kind, Space, Trigger, smbios, spmi, ssdt
from baseboard.interface.describe.aml import buffer, integer, name_string

KCS = Description(kind=Kind.KCS, base=0xCA2, irq=5)
SMIC = Description(kind=Kind.SMIC, base=0xCA9, uid=1)
BT = Description(kind=Kind.BT, base=0xE4, spacing=4, irq=10, trigger=Trigger.LEVEL_LOW)
SSIF = Description(kind=Kind.SSIF, base=0x20, slave_address=0x22)
MEMORY = Description(
    kind=Kind.KCS,
    base=0xFED40001,
    space=Space.MEMORY,
    spacing=16,
    irq=40,
    trigger=Trigger.LEVEL_LOW,
    uid=0xAB,
)
HIGH = Description(kind=Kind.KCS, base=0x40_0000_0000, space=Space.MEMORY, irq=300)


# fmt: off
STRUCTURES = [
    #            type length handle if rev sa nv base             mod irq strings
    pytest.param(KCS,    "26 12 00 26 01 20 20 ff a30c000000000000 0a 05 0000", id="kcs"),
    pytest.param(SMIC,   "26 12 01 26 02 20 20 ff a90c000000000000 10 00 0000", id="smic"),
    pytest.param(BT,     "26 12 00 26 03 20 20 ff e500000000000000 49 0a 0000", id="bt"),
    pytest.param(SSIF,   "26 12 00 26 04 20 22 ff 2000000000000000 00 00 0000", id="ssif"),
    pytest.param(MEMORY, "26 12 ab 26 01 20 20 ff 0000d4fe00000000 99 28 0000", id="memory"),
    pytest.param(HIGH,   "26 12 00 26 01 20 20 ff 0000000040000000 00 00 0000", id="irq without room"),
]
# fmt: on


@pytest.mark.parametrize(("description", "expected"), STRUCTURES)
def test_smbios(description: Description, expected: str) -> None:
    assert smbios(description) == bytes.fromhex(expected)


# fmt: off
TABLES = [
    #         if 01 spec it g r p gsi      space width off access base            uid      00
    (KCS,    "01 01 0002 02 00 00 00 05000000 01 08 00 01 a20c000000000000 00000000 00"),
    (SMIC,   "02 01 0002 00 00 00 00 00000000 01 08 00 01 a90c000000000000 01000000 00"),
    (BT,     "03 01 0002 02 00 00 00 0a000000 01 20 00 01 e400000000000000 00000000 00"),
    (SSIF,   "04 01 0002 00 00 00 00 00000000 04 00 00 00 2000000000000000 00000000 00"),
    (MEMORY, "01 01 0002 02 00 00 00 28000000 00 80 00 01 0100d4fe00000000 ab000000 00"),
]
# fmt: on


@pytest.mark.parametrize(("description", "expected"), TABLES, ids=["kcs", "smic", "bt", "ssif", "memory"])
def test_spmi(description: Description, expected: str) -> None:
    table = spmi(description)
    assert table[36:] == bytes.fromhex(expected)
    assert table[:9] == b"SPMI" + bytes.fromhex("41000000 05")
    assert sum(table) & 0xFF == 0


def test_ssdt() -> None:
    table = ssdt(KCS)
    assert table[:36] == (
        b"SSDT" + bytes.fromhex("87000000 02") + table[9:10] + b"BASEBDIPMIKCS0\1\0\0\0BSBD\1\0\0\0"
    )
    assert sum(table) & 0xFF == 0
    assert table[36:] == (
        b"\x10\x42\x06\\_SB_"
        + b"\x5b\x82\x49\x05MI00"
        + b"\x08_HID\x0dIPI0001\0"
        + b"\x08_STR\x11\x15\x0a\x12I\0P\0M\0I\0 \0K\0C\0S\0\0\0"
        + b"\x08_UID\x00"
        + b"\x08_CRS\x11\x10\x0a\x0d"
        + bytes.fromhex("47 01 a20c a20c 01 02")
        + bytes.fromhex("22 2000")
        + bytes.fromhex("79 00")
        + b"\x08_IFT\x01"
        + b"\x08_SRV\x0b\x00\x02"
    )


# fmt: off
RESOURCES = [
    pytest.param(SMIC,   "47 01 a90c a90c 01 03", id="one range of ports"),
    pytest.param(BT,     "47 01 e400 e400 01 01  47 01 e800 e800 01 01  47 01 ec00 ec00 01 01  23 0004 18",
                 id="ports apart, shared interrupt"),
    pytest.param(SSIF,   "8e 1d00 02 00 01 02 0000 01 0600 a0860100 1000"
                         + rb"\_SB.PCI0.SFB".hex() + "00", id="i2c"),
    pytest.param(MEMORY, "86 0900 01 0100d4fe 01000000  86 0900 01 1100d4fe 01000000  89 0600 0d 01 28000000",
                 id="memory apart, high interrupt"),
    pytest.param(HIGH,   "8a 2b00 00 0d 01 0000000000000000 0000000040000000 0100000040000000"
                         "0000000000000000 0200000000000000  89 0600 03 01 2c010000", id="memory, high"),
]
# fmt: on


@pytest.mark.parametrize(("description", "expected"), RESOURCES)
def test_resources(description: Description, expected: str) -> None:
    assert b"_CRS\x11" in ssdt(description)
    assert bytes.fromhex(expected) + b"\x79\0\x08_IFT" in ssdt(description)


# fmt: off
WRONG = [
    ({"base": 0x10000},                             "I/O port 0x10000 is not a number from 0x1 to 0xfffe"),
    ({"base": 0xFFFF},                              "I/O port 0xffff is not"),
    ({"base": 0},                                   "I/O port 0x0 is not"),
    ({"base": 0xFFF0, "spacing": 16},               "I/O port 0xfff0 is not a number from 0x1 to 0xffef"),
    ({"base": 1 << 64, "space": Space.MEMORY},      "address 0x10000000000000000 is not"),
    ({"base": 0xCA2, "spacing": 2},                 "spacing 2 is not one of 1, 4, 16"),
    ({"base": 0xCA2, "irq": 0},                     "interrupt 0 is not a number from 1 to 1023"),
    ({"base": 0xCA2, "irq": 1024},                  "interrupt 1024 is not"),
    ({"base": 0xCA2, "slave_address": 0x21},        "slave address 0x21 is not an even number"),
    ({"base": 0xCA2, "uid": 256},                   "uid 256 is not a number from 0 to 255"),
    ({"kind": Kind.SSIF, "base": 0x21},             "SMBus address 0x21 is not an even number from 0x10"),
    ({"kind": Kind.SSIF, "base": 0x20, "smbus": "x y"}, "SMBus controller 'x y' is not an ACPI path"),
]
# fmt: on


@pytest.mark.parametrize(("place", "reason"), WRONG)
def test_what_there_cannot_be_is_refused(place: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        Description(**{"kind": Kind.KCS, **place})  # type: ignore[arg-type]
    assert str(error.value).startswith(reason)


@pytest.mark.parametrize(
    ("size", "expected"), [(0x3C, "3f"), (0x3D, "4104"), (0xFF, "4310"), (0x100, "4510")]
)
def test_package_length_counts_itself(size: int, expected: str) -> None:
    made = buffer(bytes(size))
    assert made[1 : 1 + len(expected) // 2].hex() == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("_HID", b"_HID"),
        ("MI0", b"MI0_"),
        (r"\_SB", rb"\_SB_"),
        ("^^A.B", b"^^\x2eA___B___"),
        (r"\_SB.PCI0.SFB", b"\\\x2f\x03_SB_PCI0SFB_"),
    ],
)
def test_names(path: str, expected: bytes) -> None:
    assert name_string(path) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "00"),
        (1, "01"),
        (2, "0a02"),
        (0xFF, "0aff"),
        (0x100, "0b0001"),
        (1 << 16, "0c00000100"),
        (1 << 32, "0e0000000001000000"),
    ],
)
def test_integers(value: int, expected: str) -> None:
    assert integer(value).hex() == expected


@given(
    kind=st.sampled_from((Kind.KCS, Kind.SMIC, Kind.BT)),
    base=st.integers(1, 0xFF00),
    space=st.sampled_from(Space),
    spacing=st.sampled_from((1, 4, 16)),
    irq=st.none() | st.integers(1, 1023),
    trigger=st.sampled_from(Trigger),
    uid=st.integers(0, 255),
)
def test_every_table_sums_to_zero_and_says_its_length(uid: int, **place: object) -> None:
    description = Description(uid=uid, **place)  # type: ignore[arg-type]
    for table in (ssdt(description), spmi(description)):
        assert sum(table) & 0xFF == 0
        assert int.from_bytes(table[4:8], "little") == len(table)
    assert len(smbios(description)) == 20
