"""The default server's FRU data; serial numbers follow from its GUID and stay with it."""

from __future__ import annotations

from hashlib import sha256

from baseboard.bmc.fru import FruSettings
from baseboard.ipmi.records.fru import BoardArea, ChassisArea, Inventory, Multirecord, ProductArea
from baseboard.ipmi.records.multirecords import ManagementAccess, PowerSupply

MAKER = "Baseboard Project"
SYSTEM_BOARD, POWER_SUPPLY = 0x07, 0x0A
SYSTEM_UNIQUE_ID = 7
"""Sub-type of a management access record.  [FRU 18.4]"""
FIRST_MADE = 1_704_067_200
"""2024-01-01 00:00 UTC."""
DAYS_OF_MAKING = 540
_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def default_devices(guid: bytes) -> tuple[FruSettings, ...]:
    """The server and its two power supplies.  `guid` is in the order of RFC 4122."""
    return (
        FruSettings(fru_id=0, name="Server", entity=(SYSTEM_BOARD, 1), inventory=_server(guid)),
        *(
            FruSettings(
                fru_id=number,
                name=f"Power Supply {number}",
                entity=(POWER_SUPPLY, number),
                size=512,
                inventory=_power_supply(guid, number),
            )
            for number in (1, 2)
        ),
    )


def _server(guid: bytes) -> Inventory:
    return Inventory(
        chassis=ChassisArea(kind=0x17, part_number="BB-CH-2U", serial_number=_serial(guid, "chassis")),
        board=BoardArea(
            manufactured=_made(guid, "board"),
            manufacturer=MAKER,
            product_name="Generic Board 2S",
            serial_number=_serial(guid, "board"),
            part_number="BB-MB-2S",
        ),
        product=ProductArea(
            manufacturer=MAKER,
            product_name="Generic Server 2U",
            part_number="BB-SRV-2U",
            version="1.0",
            serial_number=_serial(guid, "product"),
            asset_tag="",
        ),
        multirecords=(
            Multirecord(ManagementAccess.TYPE, ManagementAccess(kind=SYSTEM_UNIQUE_ID, data=guid).encode()),
        ),
    )


def _power_supply(guid: bytes, number: int) -> Inventory:
    rating = PowerSupply(
        capacity_watts=800,
        peak_va=1000,
        inrush_amps=35,
        inrush_ms=5,
        input_1_low_10mv=10_000,
        input_1_high_10mv=12_700,
        input_2_low_10mv=20_000,
        input_2_high_10mv=24_000,
        frequency_low=47,
        frequency_high=63,
        dropout_ms=12,
        tachometer_two_pulses=True,
        hot_swap=True,
        autoswitch=True,
        power_factor_correction=True,
        predictive_fail=False,
        peak_watts=900,
        hold_up_seconds=1,
        combined_voltage_1=0,
        combined_voltage_2=0,
        combined_watts=0,
        predictive_fail_rps=0,
    )
    return Inventory(
        product=ProductArea(
            manufacturer=MAKER,
            product_name="Power Supply 800W",
            part_number="BB-PS-800",
            version="1.0",
            serial_number=_serial(guid, f"psu{number}"),
        ),
        multirecords=(Multirecord(PowerSupply.TYPE, rating.encode()),),
    )


def _digest(guid: bytes, part: str) -> int:
    return int.from_bytes(sha256(guid + part.encode()).digest()[:8], "big")


def _serial(guid: bytes, part: str) -> str:
    """Ten characters that nobody misreads."""
    number, letters = _digest(guid, part), ""
    for _ in range(8):
        number, digit = divmod(number, len(_LETTERS))
        letters += _LETTERS[digit]
    return "BB" + letters


def _made(guid: bytes, part: str) -> int:
    return FIRST_MADE + _digest(guid, part + " date") % (DAYS_OF_MAKING * 1440) * 60
