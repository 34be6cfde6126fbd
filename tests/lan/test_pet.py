"""Platform Event Traps: the body that a Dell sends, and SNMP as somebody else's library reads it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1.type import namedtype, tag, univ
from pyasn1_modules import rfc1157

from baseboard.lan.pet import LONGEST_TEXT, PlatformEventTrap

# The example of ipmi-pet(8), FreeIPMI 1.6.10: a trap of a Dell PowerEdge.
DELL_SPECIFIC_TRAP = 356224
DELL_BODY = bytes.fromhex(
    "44454c4c500010598043b2c04f333358 0002 19e87e26 ffff 20 20 04 20 73 18 00"
    "8001ff0000000000 19 000002a2 0100 c1"
)
DELL = PlatformEventTrap(
    guid=DELL_BODY[:16],
    sequence=2,
    local_timestamp=0x19E87E26,
    severity=4,
    sensor_device=0x20,
    sensor_number=0x73,
    sensor_type=0x05,
    event_type=0x6F,
    deassertion=True,
    offset=0,
    entity=0x18,
    event_data=bytes.fromhex("8001ff"),
    manufacturer_id=674,
    system_id=0x0100,
)


def test_body_of_a_dell() -> None:
    assert DELL.body() == DELL_BODY
    assert DELL.specific_trap == DELL_SPECIFIC_TRAP


class TrapMessage(univ.Sequence):  # type: ignore[misc]  # pyasn1 has no types
    """RFC 1157's message with a trap; pyasn1-modules 0.4.2 forgets the trap's tag."""

    componentType = namedtype.NamedTypes(
        namedtype.NamedType("version", univ.Integer()),
        namedtype.NamedType("community", univ.OctetString()),
        namedtype.NamedType(
            "trap",
            rfc1157.TrapPDU().subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 4)),
        ),
    )


def decode(datagram: bytes) -> Any:
    message, rest = decoder.decode(datagram, asn1Spec=TrapMessage())
    assert not rest
    return message


@given(
    st.binary(min_size=1, max_size=18),
    st.binary(min_size=4, max_size=4),
    st.floats(0, 1e9),
    st.integers(0, 0xFFFFFF),
)
def test_the_trap_as_rfc_1157_reads_it(community: bytes, agent: bytes, uptime: float, specific: int) -> None:
    trap = DELL.replace(
        sensor_type=specific >> 16,
        event_type=specific >> 8 & 0xFF,
        deassertion=bool(specific & 0x80),
        offset=specific & 0x0F,
    )
    message = decode(trap.datagram(community, agent, uptime))
    assert int(message["version"]) == 0
    assert bytes(message["community"]) == community
    pdu = message["trap"]
    assert str(pdu["enterprise"]) == "1.3.6.1.4.1.3183.1.1"
    assert bytes(pdu["agent-addr"]["internet"]) == agent
    assert int(pdu["generic-trap"]) == 6
    assert int(pdu["specific-trap"]) == specific & 0xFFFF8F
    assert int(pdu["time-stamp"]) == int(uptime * 100) % 2**32
    (binding,) = pdu["variable-bindings"]
    assert str(binding["name"]) == "1.3.6.1.4.1.3183.1.1.1"
    assert bytes(binding["value"]["simple"]["string"]) == DELL_BODY


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param(b"", b"\xc1", id="none"),
        pytest.param(b"Hot", b"\xc3Hot\xc1", id="some"),
        pytest.param(b"!", b"\xc2! \xc1", id="one character is no end mark"),
        pytest.param(b"x" * 64, b"\xfe" + b"x" * LONGEST_TEXT + b"\xc1", id="as much as fits into 64 bytes"),
    ],
)
def test_alert_strings_are_custom_fields(text: bytes, fields: bytes) -> None:
    body = DELL.replace(text=text).body()
    assert body[:46] == DELL_BODY[:46]
    assert body[46:] == fields
    assert len(body) <= 110
