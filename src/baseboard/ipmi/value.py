"""Values: immutable, with named fields, equal when type and content are.

What `dataclasses.dataclass(frozen=True)` makes of a class, without writing and compiling methods for each:
that takes half a millisecond a class, and a controller that starts has a hundred of them.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform


class Immutable:
    """What is in `__dict__` after `__init__` is all there is, and stays."""

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**(self.__dict__ | changes))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"


@dataclass_transform(frozen_default=True)
class Value(Immutable):
    """Subclasses annotate their fields, as a dataclass does, and nothing else."""

    NAMES: ClassVar[tuple[str, ...]] = ()
    PLACES: ClassVar[tuple[str, ...]] = ()
    """Which of them can be given without their names."""
    DEFAULTS: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        own = tuple(cls.__annotations__)
        cls.NAMES += own
        cls.PLACES += () if kw_only else own
        setattr(cls, "__match_args__", cls.PLACES)  # noqa: B010  # mypy lets nobody assign it
        cls.DEFAULTS = cls.DEFAULTS | {name: vars(cls)[name] for name in own if name in vars(cls)}

    def __init__(self, *positional: Any, **named: Any) -> None:
        names, places = self.NAMES, self.PLACES
        given = dict(zip(places, positional, strict=False))
        values = self.DEFAULTS | given | named
        if len(positional) > len(places) or given.keys() & named.keys() or values.keys() != set(names):
            raise TypeError(f"{type(self).__name__} takes {', '.join(names) or 'nothing'}, each once")
        self.__dict__.update((name, values[name]) for name in names)
