"""ACPI machine language, as much of it as a table that only describes needs.  [ACPI 20.2]

Every function returns the bytes of one term; terms nest by being arguments. `integer` takes the shortest
form, as `iasl` does.
"""

from __future__ import annotations

# fmt: off
ZERO_OP          = b"\x00"
ONE_OP           = b"\x01"
NAME_OP          = b"\x08"
BYTE_PREFIX      = b"\x0a"
WORD_PREFIX      = b"\x0b"
DWORD_PREFIX     = b"\x0c"
STRING_PREFIX    = b"\x0d"
QWORD_PREFIX     = b"\x0e"
SCOPE_OP         = b"\x10"
BUFFER_OP        = b"\x11"
DUAL_NAME_PREFIX = b"\x2e"
MULTI_NAME_PREFIX = b"\x2f"
DEVICE_OP        = b"\x5b\x82"
END_TAG          = b"\x79\x00"  # with checksum 0: not checked
# fmt: on

_FORMS = ((BYTE_PREFIX, 1), (WORD_PREFIX, 2), (DWORD_PREFIX, 4), (QWORD_PREFIX, 8))


def name_string(path: str) -> bytes:
    r"""A path such as `_HID` or `\_SB.PCI0`.  [ACPI 20.2.2]"""
    rest = path.lstrip("\\^")
    segments = [segment.ljust(4, "_").encode("ascii") for segment in rest.split(".")]
    prefix = path[: len(path) - len(rest)].encode("ascii")
    if len(segments) == 1:
        return prefix + segments[0]
    if len(segments) == 2:
        return prefix + DUAL_NAME_PREFIX + b"".join(segments)
    return prefix + MULTI_NAME_PREFIX + bytes((len(segments),)) + b"".join(segments)


def integer(value: int) -> bytes:
    """A constant.  [ACPI 20.2.3]"""
    if value == 0:
        return ZERO_OP
    if value == 1:
        return ONE_OP
    prefix, size = next(form for form in _FORMS if value < 1 << 8 * form[1])
    return prefix + value.to_bytes(size, "little")


def string(text: str) -> bytes:
    """An ASCII string.  [ACPI 20.2.3]"""
    return STRING_PREFIX + text.encode("ascii") + b"\0"


def buffer(data: bytes) -> bytes:
    """A buffer of just these bytes.  [ACPI 20.2.5.4]"""
    return BUFFER_OP + _package(integer(len(data)) + data)


def unicode(text: str) -> bytes:
    """What ASL's Unicode() makes: a buffer of UTF-16 with its terminator, as _STR wants it.  [ACPI 6.1.10]"""
    return buffer((text + "\0").encode("utf-16-le"))


def name(path: str, value: bytes) -> bytes:
    """A named object.  [ACPI 20.2.5.1]"""
    return NAME_OP + name_string(path) + value


def scope(path: str, *terms: bytes) -> bytes:
    """Terms within an existing object.  [ACPI 20.2.5.1]"""
    return SCOPE_OP + _package(name_string(path) + b"".join(terms))


def device(path: str, *terms: bytes) -> bytes:
    """A device with what is in it.  [ACPI 20.2.5.2]"""
    return DEVICE_OP + _package(name_string(path) + b"".join(terms))


def resource_template(*descriptors: bytes) -> bytes:
    """What _CRS holds: a buffer of resource descriptors and their end tag.  [ACPI 19.6.114]"""
    return buffer(b"".join(descriptors) + END_TAG)


def _package(content: bytes) -> bytes:
    """With its length in front, which counts itself.  [ACPI 20.2.4]

    One byte has 6 bits of it; with more bytes the first has 2 bits of count and the lowest 4 of length.
    """
    length = len(content) + 1
    if length < 1 << 6:
        return bytes((length,)) + content
    for more in (1, 2, 3):
        length = len(content) + 1 + more
        if length < 1 << 4 + 8 * more:
            break
    return bytes((more << 6 | length & 0xF,)) + (length >> 4).to_bytes(more, "little") + content
