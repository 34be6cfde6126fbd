"""Platform Event Traps: SNMPv1 traps with an event in their one variable binding.  [PET 1.0]

The encoder is our own: of BER a trap needs definite lengths and seven kinds of value, which is shorter
than the declarations that an ASN.1 library wants, and the controller starts without importing one. The
tests read its traps with such a library (pyasn1's RFC 1157), and with Net-SNMP's snmptrapd.
"""

from __future__ import annotations

import struct

from baseboard.ipmi.value import Value

ENTERPRISE = (1, 3, 6, 1, 4, 1, 3183, 1, 1)
"""wiredformgmt.PET.version1: the trap's enterprise, and with .1 behind it the name of its variable."""
TRAP_PORT = 162

EPOCH = 883_612_800
"""0:00 of January 1, 1998, from which a PET counts seconds; in those that the SEL counts."""
IPMI_SOURCE = 0x20
"""As trap and as event source type: an IPMI controller."""
ENGLISH = 0x19
"""Language code, as in FRU records."""
UTC_OFFSET_UNSPECIFIED = 0xFFFF
OFFSET_UNSPECIFIED = 0x0F
END_OF_FIELDS = 0xC1
LONGEST_TEXT = 62
"""Of an OEM custom field: there are 64 bytes for it, its type/length byte and the end mark."""

# guid 0, sequence 16, local timestamp 18, UTC offset 22, trap source 24, event source 25, severity 26,
# sensor device 27, sensor number 28, entity 29, entity instance 30, event data 31, language 39,
# manufacturer id 40, system id 44; most significant bytes first.  [PET 1.0, Table 4]
_BODY = struct.Struct(">16sHIHBBBBBBB8sBIH")


class PlatformEventTrap(Value, kw_only=True):
    """What a trap tells of an event."""

    # fmt: off
    guid:              bytes                    # 16 bytes as RFC 4122 writes them
    sequence:          int                      # 1-FFFFh; a repetition has the same
    local_timestamp:   int = 0                  # 0: unspecified
    utc_offset:        int = UTC_OFFSET_UNSPECIFIED
    event_source_type: int = IPMI_SOURCE
    severity:          int = 0
    sensor_device:     int = 0xFF               # FFh: unspecified
    sensor_number:     int = 0
    sensor_type:       int = 0
    event_type:        int = 0
    deassertion:       bool = False
    offset:            int = OFFSET_UNSPECIFIED
    entity:            int = 0                  # 0: unspecified
    entity_instance:   int = 0
    event_data:        bytes = b""              # up to 8 bytes
    manufacturer_id:   int = 0
    system_id:         int = 0
    text:              bytes = b""              # an alert string
    # fmt: on

    @property
    def specific_trap(self) -> int:
        """What SNMP calls the specific trap: sensor type, event type, direction and offset."""
        return self.sensor_type << 16 | self.event_type << 8 | (0x80 if self.deassertion else 0) | self.offset

    def body(self) -> bytes:
        """The octets of the variable binding."""
        text = self.text[:LONGEST_TEXT]
        if len(text) == 1:
            text += b" "  # with length 1 the type/length byte would be the end mark
        return (
            _BODY.pack(
                self.guid,
                self.sequence,
                self.local_timestamp,
                self.utc_offset & 0xFFFF,
                IPMI_SOURCE,
                self.event_source_type,
                self.severity,
                self.sensor_device,
                self.sensor_number,
                self.entity,
                self.entity_instance,
                self.event_data.ljust(8, b"\0"),
                ENGLISH,
                self.manufacturer_id,
                self.system_id,
            )
            + (bytes((0xC0 | len(text),)) + text if text else b"")
            + bytes((END_OF_FIELDS,))
        )

    def datagram(self, community: bytes, agent: bytes, uptime: float) -> bytes:
        """The SNMP message.  `agent` is our IPv4 address, `uptime` our age in seconds."""
        name = _value(_OBJECT_IDENTIFIER, _identifier((*ENTERPRISE, 1)))
        binding = _value(_SEQUENCE, name + _value(_OCTET_STRING, self.body()))
        trap = (
            _value(_OBJECT_IDENTIFIER, _identifier(ENTERPRISE))
            + _value(_IP_ADDRESS, agent)
            + _value(_INTEGER, _integer(_ENTERPRISE_SPECIFIC))
            + _value(_INTEGER, _integer(self.specific_trap))
            + _value(_TIME_TICKS, _integer(int(uptime * 100) & 0xFFFF_FFFF))
            + _value(_SEQUENCE, binding)
        )
        version = _value(_INTEGER, _integer(_SNMP_V1))
        return _value(_SEQUENCE, version + _value(_OCTET_STRING, community) + _value(_TRAP, trap))


# BER  [X.690; RFC 1157, RFC 1155]
# fmt: off
_INTEGER           = 0x02
_OCTET_STRING      = 0x04
_OBJECT_IDENTIFIER = 0x06
_SEQUENCE          = 0x30
_IP_ADDRESS        = 0x40  # [APPLICATION 0]
_TIME_TICKS        = 0x43  # [APPLICATION 3]
_TRAP              = 0xA4  # [4]
# fmt: on
_SNMP_V1 = 0
_ENTERPRISE_SPECIFIC = 6


def _value(tag: int, content: bytes) -> bytes:
    """Tag, length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _integer(number: int) -> bytes:
    """In two's complement, as short as it goes; ours are never negative."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _identifier(numbers: tuple[int, ...]) -> bytes:
    """Base 128, most significant part first; the first two numbers share a byte."""
    first, second, *others = numbers
    data = bytearray((first * 40 + second,))
    for number in others:
        parts = [number & 0x7F]
        while number := number >> 7:
            parts.append(0x80 | number & 0x7F)
        data += bytes(reversed(parts))
    return bytes(data)
