"""Which registers a target has: its description, as XML.  [GDB Remote, "Target Descriptions"]

Numbers are what `p` and `P` take. A register without `regnum` has the number after its predecessor's.
The layout of `g` cannot be told from the description: QEMU 7.2 leaves room for ARM's FPA registers, which
it does not describe (cpsr at byte 164 of 168), QEMU 11.1 does not (64 of 68).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from xml.etree import ElementTree

from baseboard.errors import DecodeError

MOST_FILES = 64
MOST_REGISTERS = 4096
WIDEST = 1 << 16


class Register(NamedTuple):
    """One register."""

    name: str
    number: int
    bits: int


def read_description(read: Callable[[str], bytes]) -> tuple[str, dict[str, Register]]:
    """The architecture (`powerpc:common64`; may be empty) and the registers by name.

    `read` gives the files, of which `target.xml` is the first. Raises DecodeError.
    """
    waiting, seen = ["target.xml"], {"target.xml"}
    architecture, number = "", 0
    registers: dict[str, Register] = {}
    while waiting:
        for element in _elements(waiting[0], read(waiting.pop(0))):
            tag = element.tag.rpartition("}")[2]
            if tag == "architecture" and element.text:
                architecture = element.text.strip()
            elif tag == "include" and (name := element.get("href", "")) not in seen:
                seen.add(name)
                waiting.append(name)
            elif tag == "reg":
                register = _register(element, number)
                number = register.number + 1
                registers.setdefault(register.name, register)
        if len(seen) > MOST_FILES or len(registers) > MOST_REGISTERS:
            raise DecodeError("the target's description does not end")
    return architecture, registers


def _elements(name: str, text: bytes) -> list[ElementTree.Element]:
    if b"<!ENTITY" in text:
        raise DecodeError(f"the target's description {name} defines entities of its own")
    try:
        # As QEMU 7.2: the prefix xi is used and not declared.
        return list(ElementTree.fromstring(text.replace(b"<xi:include", b"<include")).iter())
    except ElementTree.ParseError as error:
        raise DecodeError(f"the target's description {name} is not XML: {error}") from None


def _register(element: ElementTree.Element, following: int) -> Register:
    try:
        number, bits = int(element.get("regnum", following)), int(element.get("bitsize", ""))
    except ValueError:
        number = bits = -1
    if number < 0 or not 0 < bits <= WIDEST:
        raise DecodeError(f"the target's description has a register without size or number: {element.attrib}")
    return Register(element.get("name", ""), number, bits)
