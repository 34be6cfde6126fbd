"""Sensor data records that are about entities, devices and controllers.  [IPMI 43.4 to 43.12]"""

from __future__ import annotations

from baseboard.ipmi.codec import Record, array, bit, bits, group, raw, split, string, tail, u8, u16, u24
from baseboard.ipmi.records.body import Body


class ContainedEntity(Record):
    """One of the four places of an entity association; 00h, 00h: unused."""

    entity_id: int = u8(1)
    entity_instance: int = u8(2)


class EntityAssociation(Body):
    """Which entities a container holds.  [IPMI 43.4, Table 43-4]"""

    TYPE = 0x08

    # fmt: off
    container_id:       int  = u8(6)
    container_instance: int  = u8(7)
    ranges:             bool = bit(8, 7)   # the four places are two ranges, first and last
    linked:             bool = bit(8, 6)   # more records about the same container follow
    accessible:         bool = bit(8, 5)   # the container is present whenever the records can be read
    contained: tuple[ContainedEntity, ...] = group(9, ContainedEntity, 4)
    # fmt: on


class RelativeEntity(Record):
    """One of the four places of a device-relative association."""

    # fmt: off
    owner_slave_address: int = u8(1)
    channel:             int = bits(2, 7, 4)
    entity_id:           int = u8(3)
    entity_instance:     int = u8(4)
    # fmt: on


class DeviceRelativeEntityAssociation(Body):
    """The same among entities that several controllers number for themselves.  [IPMI 43.5, Table 43-5]"""

    TYPE = 0x09

    # fmt: off
    container_id:            int  = u8(6)
    container_instance:      int  = u8(7)
    container_slave_address: int  = u8(8)
    container_channel:       int  = bits(9, 7, 4)
    ranges:                  bool = bit(10, 7)
    linked:                  bool = bit(10, 6)
    accessible:              bool = bit(10, 5)
    contained: tuple[RelativeEntity, ...] = group(11, RelativeEntity, 4)
    reserved:                bytes = raw(27, 6, default=bytes(6))
    # fmt: on


class DeviceLocator(Body):
    """Bytes 11 to the end, which the three locators share."""

    # fmt: off
    entity_id:       int = u8(13)
    entity_instance: int = u8(14)
    oem:             int = u8(15)
    name:            str = string(16)
    # fmt: on


class GenericDeviceLocator(DeviceLocator):
    """A device on a bus behind a controller.  [IPMI 43.7, Table 43-6]"""

    TYPE = 0x10

    # fmt: off
    access_address:       int = u8(6)
    slave_address_7bit:   int = bits(7, 7, 1)
    channel:              int = split((8, 7, 5), (7, 0, 0))
    access_lun:           int = bits(8, 4, 3)
    private_bus:          int = bits(8, 2, 0)
    address_span:         int = bits(9, 2, 0)
    device_type:          int = u8(11)
    device_type_modifier: int = u8(12)
    # fmt: on


class FruDeviceLocator(DeviceLocator):
    """Where an inventory is read.  [IPMI 43.8, Table 43-7]"""

    TYPE = 0x11

    # fmt: off
    access_address:       int  = u8(6)        # controller that answers Read FRU Data
    fru_id:               int  = u8(7)        # or slave address of a bare EEPROM
    logical:              bool = bit(8, 7)    # 1: fru_id is a FRU id
    access_lun:           int  = bits(8, 4, 3)
    private_bus:          int  = bits(8, 2, 0)
    channel:              int  = bits(9, 7, 4)
    device_type:          int  = u8(11)       # 10h: logical FRU behind a controller
    device_type_modifier: int  = u8(12)
    # fmt: on


class ManagementControllerLocator(DeviceLocator):
    """A controller and what it can do.  [IPMI 43.9, Table 43-8]"""

    TYPE = 0x12

    # fmt: off
    slave_address:               int  = u8(6)
    channel:                     int  = bits(7, 3, 0)
    needs_acpi_system_state:     bool = bit(8, 7)
    needs_acpi_device_state:     bool = bit(8, 6)
    static:                      bool = bit(8, 5)
    logs_initialization_errors:  bool = bit(8, 3)
    log_errors_when_accessing:   bool = bit(8, 2)
    event_generation:            int  = bits(8, 1, 0)   # 0 enable, 1 disable, 2 leave alone
    capabilities:                int  = u8(9)           # bits of Get Device ID's support byte
    # fmt: on


class ManagementControllerConfirmation(Body):
    """A controller as it was found.  [IPMI 43.10, Table 43-9]"""

    TYPE = 0x13

    # fmt: off
    slave_address:     int   = u8(6)
    device_id:         int   = u8(7)
    channel:           int   = bits(8, 7, 4)
    device_revision:   int   = bits(8, 3, 0)
    firmware_major:    int   = bits(9, 6, 0)
    firmware_minor:    int   = u8(10)
    ipmi_version:      int   = u8(11)
    manufacturer_id:   int   = u24(12)
    product_id:        int   = u16(15)
    guid:              bytes = raw(17, 16)
    # fmt: on


class BmcMessageChannelInfo(Body):
    """Channels 0 to 7; Get Channel Info has taken its place.  [IPMI 43.11, Table 43-10]"""

    TYPE = 0x14

    # fmt: off
    channels:               tuple[int, ...] = array(6, 8)   # 7 transmits, 6:4 receive LUN, 3:0 protocol
    messaging_interrupt:    int = u8(14)
    event_buffer_interrupt: int = u8(15)
    reserved:               int = u8(16, default=0)
    # fmt: on


class OemRecord(Body):
    """Whatever a maker wants to keep here.  [IPMI 43.12, Table 43-11]"""

    TYPE = 0xC0

    manufacturer_id: int = u24(6)
    data: bytes = tail(9)
