"""Records of SDR, SEL and FRU: bytes of other programs, other decoders, and any bytes at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyghmi.ipmi.fru import FRU
from pyipmi.fru import FruInventory
from pyipmi.sdr import SdrCommon
from pyipmi.sel import SelEntry

from baseboard.errors import DecodeError, LocalProtocolError
from baseboard.ipmi.checksum import is_sound
from baseboard.ipmi.records import fru, sel
from baseboard.ipmi.records.locators import (
    ContainedEntity,
    DeviceRelativeEntityAssociation,
    EntityAssociation,
    FruDeviceLocator,
    GenericDeviceLocator,
    ManagementControllerLocator,
    RelativeEntity,
)
from baseboard.ipmi.records.multirecords import (
    LAYOUTS,
    DcOutput,
    ManagementAccess,
    PowerSupply,
    decode_multirecord,
)
from baseboard.ipmi.records.sdr import BODIES, decode_record, encode_record
from baseboard.ipmi.records.sensor_records import CompactSensor, EventOnlySensor, FullSensor

# The repository of ipmi_sim 2.0.33 as ipmitool 1.8.19 read it.
CAPTURED = {
    "controller": "0100511214 2000008f000000070100c949504d492073696d31",
    "event only": "0200510314 2000000701236f00000000c87761746368646f67",
    "full": "0300510131 2000010701450001010000000000000001000001000001010000"
    "000000ff000000000000000000000000c64d4254656d70",
    "compact": "0500510222 20000208010000256f030003000300c000000000000000000000c76d6d3170726573",
    "fru": "0600511114 30038000001000080200c96d6d32667275646576",
}

# Its FRU image: one field of each encoding, three multirecords.
IMAGE = bytes.fromhex(
    "010102050b1400d80000000000000000010317c84348532d3030303188e31c491355591706c100e2010619a0f5b0c942617365"
    "626f617264c842422d424f415244c8422d5345522d303145123b456c7800c1000000000043010919c942617365626f617264c9"
    "424220536572766572c642422d502d31c57265762041c8502d5345522d3031c761737365742d3700ca637573746f6d206f6e65"
    "c100000000008500021872749001f4011e28232067000000002f3f0a1f90f1000000000001020dbc3401b004ec047404780000"
    "00a00f03820a630e02757569642d6c657373"
)


@pytest.mark.parametrize("captured", CAPTURED.values(), ids=CAPTURED.keys())
def test_captured_records_come_back_as_they_were(captured: str) -> None:
    data = bytes.fromhex(captured)
    record = decode_record(data)
    assert encode_record(record.record_id, record.body) == data


def test_what_captured_records_say() -> None:
    controller = decode_record(bytes.fromhex(CAPTURED["controller"])).body
    assert isinstance(controller, ManagementControllerLocator)
    assert (controller.slave_address, controller.capabilities, controller.name) == (0x20, 0x8F, "IPMI sim1")
    full = decode_record(bytes.fromhex(CAPTURED["full"])).body
    assert isinstance(full, FullSensor)
    assert (full.sensor_number, full.sensor_type, full.base_unit, full.m, full.name) == (1, 1, 1, 1, "MBTemp")
    assert (full.nominal_given, full.sensor_maximum_raw) == (False, 0xFF)
    compact = decode_record(bytes.fromhex(CAPTURED["compact"])).body
    assert isinstance(compact, CompactSensor)
    assert (compact.sensor_type, compact.reading_mask, compact.analog_format) == (0x25, 3, 3)
    event_only = decode_record(bytes.fromhex(CAPTURED["event only"])).body
    assert isinstance(event_only, EventOnlySensor)
    assert (event_only.sensor_type, event_only.event_type, event_only.name) == (0x23, 0x6F, "watchdog")
    locator = decode_record(bytes.fromhex(CAPTURED["fru"])).body
    assert isinstance(locator, FruDeviceLocator)
    assert (locator.access_address, locator.fru_id, locator.logical, locator.device_type) == (
        0x30,
        3,
        True,
        0x10,
    )


def test_associations() -> None:
    contained = tuple(ContainedEntity(entity_id=0x20, entity_instance=n) for n in (1, 2, 3, 4))
    association = EntityAssociation(
        container_id=0x08,
        container_instance=1,
        ranges=True,
        linked=False,
        accessible=True,
        contained=contained,
    )
    assert encode_record(7, association).hex() == "070051080b" + "0801a0" + "2001200220032004"
    relative = DeviceRelativeEntityAssociation(
        container_id=1,
        container_instance=0x60,
        container_slave_address=0x82,
        container_channel=1,
        ranges=False,
        linked=True,
        accessible=False,
        contained=(RelativeEntity(owner_slave_address=0x82, channel=2, entity_id=3, entity_instance=0x61),)
        * 4,
    )
    data = encode_record(8, relative)
    assert data.hex() == "080051091b" + "0160821040" + "82200361" * 4 + "00" * 6
    assert decode_record(data).body == relative
    assert len(data) == 5 + 0x1B


def test_a_generic_locator_has_its_channel_in_two_pieces() -> None:
    locator = GenericDeviceLocator(
        access_address=0x20,
        slave_address_7bit=0x51,
        channel=0b1011,
        access_lun=1,
        private_bus=2,
        address_span=0,
        device_type=0x08,
        device_type_modifier=0,
        entity_id=7,
        entity_instance=1,
        oem=0,
        name="EEPROM",
    )
    data = encode_record(1, locator)
    assert data[5:10].hex() == "20a36a0000"
    assert decode_record(data).body == locator


@pytest.mark.parametrize("kind", BODIES)
@given(data=st.data())
def test_what_decodes_encodes_to_the_same_record(kind: int, data: Any) -> None:
    body = data.draw(st.binary(max_size=64))
    raw = bytes((1, 0, 0x51, kind, len(body))) + body
    try:
        record = decode_record(raw)
    except DecodeError:
        return
    again = decode_record(encode_record(record.record_id, record.body))
    assert type(again.body) is type(record.body)
    if not hasattr(record.body, "name"):  # text comes back as 8-bit, at most 16 characters
        assert again == record


@given(st.binary(max_size=80))
def test_any_bytes_are_a_record_or_a_decode_error(data: bytes) -> None:
    for decode in (decode_record, fru.decode_inventory, sel.RECORDS.decode):
        try:
            decode(data)
        except DecodeError:
            pass


@pytest.mark.parametrize("name", ["full", "compact", "event only", "fru", "controller"])
def test_python_ipmi_reads_the_same(name: str) -> None:
    data = bytes.fromhex(CAPTURED[name])
    body: Any = decode_record(data).body
    theirs: Any = SdrCommon.from_data(encode_record(1, body))
    assert str(theirs.device_id_string) == body.name


# SEL


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param("0100025e2b676520000401300159 5a5f", sel.SystemEvent, id="event"),
        pytest.param("0200c05e2b6765575a00010203040506", sel.TimestampedOemRecord, id="OEM with time"),
        pytest.param("0300f04b65726e656c2070616e696321", sel.OemRecord, id="OEM"),
    ],
)
def test_sel_records(data: str, kind: type[sel.SelRecord]) -> None:
    raw = bytes.fromhex(data)
    record = sel.RECORDS.decode(raw)
    assert type(record) is kind
    assert record.encode() == raw


def test_a_sel_record_of_an_unknown_type() -> None:
    with pytest.raises(DecodeError):
        sel.RECORDS.decode(bytes.fromhex("0100035e2b6765200004013001595a5f"))


@given(st.builds(bytes, st.lists(st.integers(0, 255), min_size=16, max_size=16)))
def test_python_ipmi_reads_events_alike(data: bytes) -> None:
    data = data[:2] + b"\x02" + data[3:8] + bytes((data[8] & 0xF3,)) + data[9:]
    ours = sel.RECORDS.decode(data)
    theirs = SelEntry(data)
    assert isinstance(ours, sel.SystemEvent)
    assert (ours.timestamp, ours.sensor_type, ours.sensor_number, ours.event_type, list(ours.event_data)) == (
        theirs.timestamp,
        theirs.sensor_type,
        theirs.sensor_number,
        theirs.event_type,
        list(theirs.event_data),
    )
    assert ours.encode() == data


# FRU


def test_a_foreign_image() -> None:
    inventory = fru.decode_inventory(IMAGE)
    assert inventory.chassis is not None
    assert inventory.board is not None
    assert inventory.product is not None
    assert inventory.chassis.serial_number == "CS12345678"  # 6-bit
    assert (inventory.board.product_name, inventory.board.part_number) == ("BB-BOARD", "123-456.78")
    assert inventory.product.custom == ("custom one",)
    supply, output, access = (decode_multirecord(r.kind, r.data) for r in inventory.multirecords)
    assert isinstance(supply, PowerSupply)
    assert (supply.capacity_watts, supply.peak_va) == (400, 500)
    assert isinstance(output, DcOutput)
    assert (output.number, output.nominal_10mv, output.maximum_ma) == (1, 1200, 4000)
    assert isinstance(access, ManagementAccess)
    assert access.data == b"uuid-less"


TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\0"), min_size=2, max_size=63)
FIELD = st.just("") | TEXT | st.binary(min_size=1, max_size=63)


@given(FIELD, FIELD, st.lists(FIELD.filter(bool), max_size=3), st.binary(max_size=40))
def test_images_come_back_as_they_were(
    serial: fru.FieldValue, part: fru.FieldValue, custom: list[fru.FieldValue], data: bytes
) -> None:
    inventory = fru.Inventory(
        chassis=fru.ChassisArea(part_number=part, serial_number=serial, custom=tuple(custom)),
        board=fru.BoardArea(manufactured=1_704_067_200, serial_number=serial),
        product=fru.ProductArea(part_number=part, asset_tag=serial, custom=tuple(custom)),
        multirecords=(fru.Multirecord(0xC0, b"\x01\x02\x03" + data), fru.Multirecord(3, b"\x07" + bytes(16))),
    )
    image = fru.encode_inventory(inventory, 2048)
    assert len(image) == 2048
    assert is_sound(image[:8])
    assert fru.decode_inventory(image) == inventory


def test_other_programs_read_our_images() -> None:
    inventory = fru.Inventory(
        chassis=fru.ChassisArea(kind=0x17, part_number="CH-1", serial_number="S-1"),
        board=fru.BoardArea(
            manufactured=1_704_067_200,
            manufacturer="Maker",
            product_name="Board",
            serial_number="S-2",
            part_number="MB-1",
            file_id="F",
        ),
        product=fru.ProductArea(
            manufacturer="Maker",
            product_name="Server",
            part_number="SRV",
            version="1",
            serial_number="S-3",
            asset_tag="A-1",
            custom=("one", "two"),
        ),
        multirecords=(fru.Multirecord(3, ManagementAccess(kind=2, data=b"server").encode()),),
    )
    image = fru.encode_inventory(inventory, 512)
    theirs: Any = FruInventory(image)
    assert theirs.chassis_info_area.serial_number.string == "S-1"
    assert theirs.board_info_area.mfg_date.isoformat() == "2024-01-01T00:00:00"
    assert theirs.product_info_area.part_number.string == "SRV"
    assert len(theirs.multirecord_area.records) == 1
    info = FRU(rawdata=bytearray(image)).info
    assert info["Board product name"] == "Board"
    assert info["Serial Number"] == "S-3"
    assert info["Hardware Version"] == "1"
    assert info["product_extra"] == ["one", "two"]


@pytest.mark.parametrize(
    ("value", "data"),
    [
        pytest.param("", "00", id="empty"),
        pytest.param("A", "c2 41 20", id="one character would end the list"),
        pytest.param("AB", "c2 41 42", id="text"),
        pytest.param(b"\x01", "01 01", id="binary"),
        pytest.param("x" * 80, "ff" + "78" * 63, id="too long"),
    ],
)
def test_fields(value: fru.FieldValue, data: str) -> None:
    assert fru.encode_field(value) == bytes.fromhex(data)


@pytest.mark.parametrize("seconds", [None, 0, fru.EPOCH - 60, fru.EPOCH + 0x1000000 * 60, fru.EPOCH])
def test_dates_that_an_area_cannot_hold_are_unspecified(seconds: int | None) -> None:
    image = fru.encode_inventory(fru.Inventory(board=fru.BoardArea(manufactured=seconds)))
    board = fru.decode_inventory(image).board
    assert board is not None
    assert board.manufactured is None


def test_an_image_that_does_not_fit() -> None:
    inventory = fru.Inventory(product=fru.ProductArea(custom=("x" * 60,) * 5))
    with pytest.raises(LocalProtocolError):
        fru.encode_inventory(inventory, 128)
    with pytest.raises(LocalProtocolError):
        fru.encode_inventory(fru.Inventory(product=fru.ProductArea(custom=("x" * 60,) * 40)))


@pytest.mark.parametrize("position", [0, 7, 18, 40, 47, 90, 160, 164, 170])
def test_damage_is_found(position: int) -> None:
    image = bytearray(IMAGE.ljust(512, b"\0"))
    image[position] ^= 0x40
    with pytest.raises(DecodeError):
        fru.decode_inventory(bytes(image))


@given(st.integers(0, 255), st.binary(max_size=40))
def test_any_multirecord_data(kind: int, data: bytes) -> None:
    try:
        record = decode_multirecord(kind, data)
    except DecodeError:
        return
    assert decode_multirecord(kind, record.encode()) == record


def test_every_declared_multirecord_knows_its_type() -> None:
    assert all(kind == layout.TYPE for kind, layout in LAYOUTS.items() if kind < 0xC0)
    assert all(kind == body.TYPE for kind, body in BODIES.items())
