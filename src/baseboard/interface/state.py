"""The state of a device as plain values: exported here, taken up elsewhere, perhaps by another release.

A state is a frozen dataclass of numbers, texts, bytes, tuples and further states. `to_plain` makes of it
what JSON and its like can carry; `from_plain` reads that again, whoever wrote it. A version other than the
one that this release knows is refused wherever a state is made, by these functions or by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from baseboard.errors import DecodeError

T = TypeVar("T")


class Exported:
    """Base of the states; each has a field `version`, whose default is the version that is known."""

    __slots__ = ()
    version: int

    def __post_init__(self) -> None:
        known = _known_version(type(self))
        if self.version != known:
            raise DecodeError(
                f"{type(self).__name__} of version {self.version!r}; version {known} is known here"
            )


def _known_version(kind: type[Any]) -> int:
    (version,) = (field.default for field in fields(kind) if field.name == "version")
    assert isinstance(version, int)
    return version


def to_plain(state: Any) -> Any:
    """Mappings, lists, texts and numbers; bytes are hexadecimal."""
    if is_dataclass(state):
        return {field.name: to_plain(getattr(state, field.name)) for field in fields(state)}
    if isinstance(state, tuple):
        return [to_plain(each) for each in state]
    if isinstance(state, Enum):
        return state.value
    return state.hex() if isinstance(state, bytes) else state


def from_plain(kind: type[T], data: Any, at: str = "") -> T:
    """A state of this kind.  Raises DecodeError, which says where, what was found and what belongs there."""
    state: T = _read(kind, data, at or kind.__name__)
    return state


def _read(kind: Any, data: Any, at: str) -> Any:
    origin = get_origin(kind)
    if origin is UnionType:
        (kind,) = (each for each in get_args(kind) if each is not NoneType)
        return None if data is None else _read(kind, data, at)
    if origin is tuple:
        return _read_tuple(get_args(kind), data, at)
    if is_dataclass(kind):
        return _read_state(kind, data, at)
    if kind is bytes:
        try:
            return bytes.fromhex(data)
        except (TypeError, ValueError):
            raise DecodeError(f"{at}: found {data!r}; allowed: bytes in hexadecimal") from None
    if type(data) is not kind and not (kind is float and type(data) is int):
        raise DecodeError(f"{at}: found {data!r}; allowed: {kind.__name__}")
    return data


def _read_tuple(kinds: tuple[Any, ...], data: Any, at: str) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise DecodeError(f"{at}: found {data!r}; allowed: a list")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(data)
    if len(kinds) != len(data):
        raise DecodeError(f"{at}: found {len(data)} values; allowed: {len(kinds)}")
    pairs = zip(kinds, data, strict=True)
    return tuple(_read(kind, each, f"{at}[{i}]") for i, (kind, each) in enumerate(pairs))


def _read_state(kind: Any, data: Any, at: str) -> Any:
    if not isinstance(data, Mapping):
        raise DecodeError(f"{at}: found {data!r}; allowed: a mapping")
    hints = get_type_hints(kind)
    if data.keys() != hints.keys():
        odd = ", ".join(sorted(map(str, data.keys() ^ hints.keys())))
        raise DecodeError(f"{at}: missing or unknown: {odd}")
    return kind(**{name: _read(hint, data[name], f"{at}.{name}") for name, hint in hints.items()})
