"""Messages and records declared as the specification's tables, compiled at first use.

Theory of operation
-------------------
A subclass of `Request`, `Response` or `Record` lists its fields with the byte numbers that the
specification's table has: 1-based, so that byte 1 of a response is its completion code. From the list,
three straight-line functions (`__init__`, `decode`, `encode`) are written and compiled, as `dataclasses`
does, so that a declared message costs what a hand-written one would. That happens when each is first
called: a controller that starts does not wait for the messages that nobody sends.

    class GetDeviceIdResponse(Response):
        device_id:       int  = u8(2)
        device_revision: int  = bits(3, 3, 0)
        provides_sdrs:   bool = bit(3, 7)
        manufacturer_id: int  = u24(8)
        auxiliary:     bytes  = tail(13)

Rules:
* Fields with `default=` after the required ones are optional: a message may end before any of them
  (at the boundary of a field), and what is absent reads as the default. `encode` always writes them,
  except where every field from there on is None.
* `tail(n)` is everything from byte n on; without one, extra bytes are a `DecodeError`.
* `split((byte, high, low), ...)` is one number in several places, least significant piece first.
* `array(n, count, item)` is a fixed number of equal items; `group(n, Layout, count)` the same for
  declared records, `count=None` for as many as there are.
* `string(n)` is a type/length byte and its characters; `raw(n, length)` plain bytes.
* Bits and bytes that no field names are written as 0 and ignored when read.
* Which variant of a record bytes are, is a table: `Variants(byte, {value: class})`.

Objects are immutable, compare with `==` and hash. `decode` raises `DecodeError` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar, dataclass_transform

from baseboard.errors import DecodeError
from baseboard.ipmi.value import Immutable

REQUIRED: Any = object()


@dataclass(slots=True)
class Field:
    """One row of a table: where it is and how it is read and written."""

    byte: int
    size: int
    """Bytes that it needs from `byte` on; for a tail or a string, the least number."""
    read: str
    """Expression over `data` (a bytes object) and `o`, the index of byte `byte`."""
    write: tuple[tuple[int, str], ...] = ()
    """(byte number, expression over `v`) to be OR-ed into the fixed part."""
    append: str = ""
    """Expression over `v` for bytes appended after the fixed part."""
    default: Any = REQUIRED
    open_ended: bool = False
    names: dict[str, Any] = field(default_factory=dict)
    """What the expressions refer to."""


def _number(byte: int, size: int, default: Any, signed: bool = False) -> Field:
    if size == 1 and not signed:
        read = "data[{o}]"
    else:
        sign = ", signed=True" if signed else ""
        read = f"int.from_bytes(data[{{o}}:{{o}} + {size}], 'little'{sign})"
    write = tuple((byte + i, f"{{v}} >> {8 * i} & 0xFF" if i else "{v} & 0xFF") for i in range(size))
    return Field(byte, size, read, write, default=default)


def u8(byte: int, *, default: Any = REQUIRED) -> Any:
    """An unsigned byte."""
    return _number(byte, 1, default)


def u16(byte: int, *, default: Any = REQUIRED) -> Any:
    """Two bytes, least significant first."""
    return _number(byte, 2, default)


def u24(byte: int, *, default: Any = REQUIRED) -> Any:
    """Three bytes, least significant first."""
    return _number(byte, 3, default)


def u32(byte: int, *, default: Any = REQUIRED) -> Any:
    """Four bytes, least significant first."""
    return _number(byte, 4, default)


def i8(byte: int, *, default: Any = REQUIRED) -> Any:
    """A two's-complement byte."""
    return _number(byte, 1, default, signed=True)


def i16(byte: int, *, default: Any = REQUIRED) -> Any:
    """Two bytes in two's complement, least significant first."""
    return _number(byte, 2, default, signed=True)


def bits(byte: int, high: int, low: int, *, default: Any = REQUIRED) -> Any:
    """Bits [high:low] of one byte."""
    mask = (1 << (high - low + 1)) - 1
    read = f"data[{{o}}] >> {low} & {mask}" if low else f"data[{{o}}] & {mask}"
    return Field(byte, 1, read, ((byte, f"({{v}} & {mask}) << {low}"),), default=default)


def bit(byte: int, number: int, *, default: Any = REQUIRED) -> Any:
    """One bit as a bool."""
    mask = 1 << number
    return Field(byte, 1, f"data[{{o}}] & {mask} != 0", ((byte, f"{mask} if {{v}} else 0"),), default=default)


def split(*pieces: tuple[int, int, int], signed: bool = False, default: Any = REQUIRED) -> Any:
    """One number in several places: (byte, high bit, low bit), least significant piece first."""
    first = min(byte for byte, _, _ in pieces)
    last = max(byte for byte, _, _ in pieces)
    reads, writes, shift = [], [], 0
    for byte, high, low in pieces:
        mask = (1 << (high - low + 1)) - 1
        reads.append(f"(data[{{o}} + {byte - first}] >> {low} & {mask}) << {shift}")
        writes.append((byte, f"({{v}} >> {shift} & {mask}) << {low}"))
        shift += high - low + 1
    read = "(" + " | ".join(reads) + ")"
    if signed:
        half = 1 << (shift - 1)
        read = f"({read} ^ {half}) - {half}"
    return Field(first, last - first + 1, read, tuple(writes), default=default)


def raw(byte: int, length: int, *, default: Any = REQUIRED) -> Any:
    """`length` plain bytes."""
    write = tuple((byte + i, f"{{v}}[{i}]") for i in range(length))
    names = {"exactly": _exactly}
    checked = tuple(
        (b, w.replace("{v}", f"exactly({{v}}, {length})") if not i else w) for i, (b, w) in enumerate(write)
    )
    return Field(byte, length, f"data[{{o}}:{{o}} + {length}]", checked, default=default, names=names)


def tail(byte: int, *, default: Any = b"") -> Any:
    """Everything from `byte` on, possibly nothing."""
    return Field(byte, 0, "data[{o}:]", append="{v}", default=default, open_ended=True)


def array(byte: int, count: int, size: int = 1, *, signed: bool = False, default: Any = REQUIRED) -> Any:
    """`count` numbers of `size` bytes each, as a tuple."""
    names = {"numbers": _numbers, "exactly": _exactly, "joined": _joined}
    read = f"numbers(data[{{o}}:{{o}} + {count * size}], {size}, {signed})"
    write = tuple((byte + i, f"joined({{v}}, {count}, {size})[{i}]") for i in range(count * size))
    return Field(byte, count * size, read, write, default=default, names=names)


def numbers(byte: int, size: int = 1, *, default: Any = ()) -> Any:
    """As many numbers of `size` bytes as there are from `byte` on, as a tuple."""
    names = {"numbers": _numbers, "joined": _joined}
    read = f"numbers(data[{{o}}:], {size}, False)"
    return Field(
        byte, 0, read, append=f"joined({{v}}, None, {size})", default=default, open_ended=True, names=names
    )


def group(byte: int, layout: type[Layout], count: int | None = None, *, default: Any = ()) -> Any:
    """Declared records one after the other, as a tuple: `count` of them, or as many as there are."""
    size = layout.SIZE
    names = {f"items_{byte}": _items, f"layout_{byte}": layout}
    if count is None:
        read = f"items_{byte}(layout_{byte}, data[{{o}}:])"
        append = "b''.join(item.encode() for item in {v})"
        return Field(byte, 0, read, append=append, default=default, open_ended=True, names=names)
    read = f"items_{byte}(layout_{byte}, data[{{o}}:{{o}} + {count * size}])"
    write = tuple((byte + i, f"{{v}}[{i // size}].encode()[{i % size}]") for i in range(count * size))
    return Field(byte, count * size, read, write, default=REQUIRED, names=names)


def string(byte: int, *, default: Any = REQUIRED) -> Any:
    """A type/length byte and its characters, to the end of the record.  [IPMI 43.15]

    Read in all four encodings; written as 8-bit ASCII + Latin-1, which alone is understood by every
    client in the same way.
    """
    names = {"read_string": _read_string, "write_string": _write_string}
    return Field(
        byte,
        1,
        "read_string(data, {o})",
        append="write_string({v})",
        default=default,
        open_ended=True,
        names=names,
    )


def _exactly(value: bytes, length: int) -> bytes:
    if len(value) != length:
        raise ValueError(f"{length} bytes are needed, {len(value)} were given")
    return value


def _numbers(data: bytes, size: int, signed: bool) -> tuple[int, ...]:
    if len(data) % size:
        raise DecodeError(f"{len(data)} bytes are no whole number of {size}-byte values")
    if size == 1 and not signed:
        return tuple(data)
    return tuple(
        int.from_bytes(data[i : i + size], "little", signed=signed) for i in range(0, len(data), size)
    )


def _joined(values: tuple[int, ...], count: int | None, size: int) -> bytes:
    if count is not None and len(values) != count:
        raise ValueError(f"{count} values are needed, {len(values)} were given")
    mask = (1 << 8 * size) - 1
    return b"".join((value & mask).to_bytes(size, "little") for value in values)


def _items(layout: type[Layout], data: bytes) -> tuple[Layout, ...]:
    size = layout.SIZE
    if len(data) % size:
        raise DecodeError(f"{len(data)} bytes are no whole number of {layout.__name__}")
    return tuple(layout.decode(data[i : i + size]) for i in range(0, len(data), size))


_BCD_PLUS = "0123456789 -.:,_"


def decode_text(kind: int, data: bytes) -> str:
    """Characters of a type/length field; `kind` is bits 7:6 of its first byte.  [IPMI 43.15]"""
    if kind == 0:
        return data.decode("utf-16-le", "replace") if len(data) % 2 == 0 else data.hex()
    if kind == 1:
        return "".join(_BCD_PLUS[byte >> 4] + _BCD_PLUS[byte & 15] for byte in data)
    if kind == 2:
        packed = int.from_bytes(data, "little")
        return "".join(chr(0x20 + (packed >> 6 * i & 0x3F)) for i in range(len(data) * 8 // 6))
    return data.decode("latin-1")


def _read_string(data: bytes, offset: int) -> str:
    kind, length = data[offset] >> 6, data[offset] & 0x1F
    text = data[offset + 1 :]
    if len(text) < length:
        raise DecodeError(f"the string has {len(text)} bytes of {length}")
    return decode_text(kind, text[:length])


def _write_string(text: str) -> bytes:
    data = text.encode("latin-1", "replace")[:16]
    if len(data) == 1:
        data += b" "  # length 1 is not allowed with this encoding: C1h ends a list  [IPMI 43.15]
    return bytes((0xC0 | len(data),)) + data


def _compile(cls: Any, name: str) -> None:
    """Write and compile one of the three functions of a declared class."""
    names: dict[str, Any] = {"DecodeError": DecodeError, "cls_name": cls.__name__, "new": object.__new__}
    for field_name, row in cls.FIELDS.items():
        names.update(row.names)
        if row.default is not REQUIRED:
            names[f"default_{field_name}"] = row.default
    source = "\n".join(_WRITERS[name](cls))
    compiled: dict[str, Callable[..., Any]] = {}
    exec(compile(source, f"<layout {cls.__module__}.{cls.__qualname__}>", "exec"), names, compiled)
    setattr(cls, name, classmethod(compiled[name]) if name == "decode" else compiled[name])


def _fixed_end(cls: Any) -> int:
    """The byte number behind the last one that has a fixed place."""
    end: int = cls.FIRST
    for row in cls.FIELDS.values():
        end = max(end, row.byte if row.open_ended else row.byte + row.size)
    return end


def _init_source(cls: Any) -> list[str]:
    arguments = (n if r.default is REQUIRED else f"{n}=default_{n}" for n, r in cls.FIELDS.items())
    head = f"def __init__({', '.join(('self', '*', *arguments)) if cls.FIELDS else 'self'}):"
    return [head, "    d = self.__dict__", *(f"    d[{name!r}] = {name}" for name in cls.FIELDS)]


def _decode_source(cls: Any) -> list[str]:
    need, limit = cls.SIZE, _fixed_end(cls) - cls.FIRST
    lines = ["def decode(cls, data):", "    size = len(data)"]
    if any(row.open_ended for row in cls.FIELDS.values()):
        lines.append(f"    if size < {need}:")
        lines.append(
            f"        raise DecodeError(f'{{cls_name}}: {{size}} bytes, at least {need} are needed')"
        )
    elif need == limit:
        lines.append(f"    if size != {need}:")
        lines.append(f"        raise DecodeError(f'{{cls_name}}: {{size}} bytes, {need} are needed')")
    else:
        lines.append(f"    if not {need} <= size <= {limit}:")
        lines.append(
            f"        raise DecodeError(f'{{cls_name}}: {{size}} bytes, {need} to {limit} are allowed')"
        )
    lines.append("    self = new(cls)")
    lines.append("    d = self.__dict__")
    for name, row in cls.FIELDS.items():
        offset = row.byte - cls.FIRST
        read = row.read.format(o=offset)
        if row.default is REQUIRED or (row.open_ended and not row.size):
            lines.append(f"    d[{name!r}] = {read}")
        else:
            lines.append(
                f"    d[{name!r}] = {read} if size >= {offset + max(row.size, 1)} else default_{name}"
            )
            if row.size > 1 and not row.open_ended:
                lines.append(f"    if {offset} < size < {offset + row.size}:")
                lines.append(f"        raise DecodeError('{cls.__name__}: it ends inside {name}')")
    lines.append("    return self")
    return lines


def _encode_source(cls: Any) -> list[str]:
    first, fixed_end, rows = cls.FIRST, _fixed_end(cls), list(cls.FIELDS.items())
    pieces: dict[int, list[str]] = {number: [] for number in range(first, fixed_end)}
    appended: list[str] = []
    for name, row in rows:
        value = f"d[{name!r}]"
        for number, expression in row.write:
            pieces[number].append("(" + expression.format(v=value) + ")")
        if row.append:
            appended.append(row.append.format(v=value))
    prefix = [str(byte) for byte in cls.PREFIX]
    lines = ["def encode(self):", "    d = self.__dict__"]
    optional_at = sorted({row.byte for _, row in rows if row.default is None})
    for number in optional_at:
        absent = [n for n, r in rows if r.byte >= number]
        fixed = prefix + [" | ".join(pieces[n]) or "0" for n in range(first, number)]
        condition = " and ".join(f"d[{n!r}] is None" for n in absent)
        lines.append(f"    if {condition}:")
        lines.append(f"        return bytes(({', '.join(fixed)}{',' if fixed else ''}))")
    fixed = prefix + [" | ".join(pieces[n]) or "0" for n in range(first, fixed_end)]
    whole = f"bytes(({', '.join(fixed)}{',' if fixed else ''}))"
    lines.append("    return " + " + ".join([whole, *appended]))
    return lines


_WRITERS: Mapping[str, Callable[[Any], list[str]]] = {
    "__init__": _init_source,
    "decode": _decode_source,
    "encode": _encode_source,
}


def _first_init(self: Any, **values: Any) -> None:
    _compile(type(self), "__init__")
    self.__init__(**values)


def _first_decode(cls: Any, data: bytes) -> Any:
    _compile(cls, "decode")
    return cls.decode(data)


def _first_encode(self: Any) -> bytes:
    _compile(type(self), "encode")
    return bytes(self.encode())


COMPILED: dict[str, Any] = {
    "__init__": _first_init,
    "decode": classmethod(_first_decode),
    "encode": _first_encode,
}
"""What every declared class has until its first use."""


@dataclass_transform(
    frozen_default=True,
    kw_only_default=True,
    field_specifiers=(u8, u16, u24, u32, i8, i16, bits, bit, split, raw, tail, array, numbers, group, string),
)
class Layout(Immutable):
    """A table of fields. Subclass `Request`, `Response` or `Record`."""

    FIRST: ClassVar[int] = 1
    """The table's number of the first byte that `decode` takes."""
    PREFIX: ClassVar[bytes] = b""
    """What `encode` writes in front."""
    SIZE: ClassVar[int] = 0
    """Least number of bytes that `decode` takes."""
    FIELDS: ClassVar[dict[str, Field]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        inherited = {
            name: row
            for base in reversed(cls.__mro__[1:])
            for name, row in vars(base).get("FIELDS", {}).items()
        }
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        cls.FIELDS = inherited | own
        for name in own:
            delattr(cls, name)
        required = [row.byte + row.size for row in cls.FIELDS.values() if row.default is REQUIRED]
        cls.SIZE = max(required, default=cls.FIRST) - cls.FIRST
        for name in COMPILED.keys() - vars(cls).keys():
            setattr(cls, name, COMPILED[name])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read one from bytes (for a response: those after the completion code).  Raises DecodeError."""
        raise NotImplementedError  # every subclass has its own

    def encode(self) -> bytes:
        """The bytes of this message."""
        raise NotImplementedError  # every subclass has its own


class Request(Layout):
    """Data of a request; byte 1 of the table is the first byte after the command number."""


class Response(Layout):
    """Data of a successful response; byte 1 of the table is the completion code, here always 00h."""

    FIRST = 2
    PREFIX = b"\x00"


class Record(Layout):
    """A stored record (SDR, SEL, ...), numbered from byte 1 as in the specification's tables."""


class Encoded(Response):
    """A response whose bytes are known already: a constant answer, or data without a table."""

    data: bytes = tail(2)


L = TypeVar("L", bound=Layout)


class Variants(Generic[L]):
    """Which layout bytes have, by the value of one of them."""

    def __init__(self, byte: int, layouts: Mapping[int, type[L]], default: type[L] | None = None) -> None:
        self._index = byte - 1
        self._layouts = dict(layouts)
        self._default = default

    def decode(self, data: bytes) -> L:
        """Decode with the layout that the discriminating byte names.  Raises DecodeError."""
        if len(data) <= self._index:
            raise DecodeError(f"{len(data)} bytes do not reach byte {self._index + 1}, which tells the type")
        layout = self._layouts.get(data[self._index], self._default)
        if layout is None:
            raise DecodeError(f"type {data[self._index]:02X}h is not known")
        return layout.decode(data)


class Empty(Request):
    """A request without data."""


class Done(Response):
    """A response without data."""


DONE = Done()
