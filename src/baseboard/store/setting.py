"""How one setting of the configuration file is declared: default, meaning, and what it may be.

The same declaration checks the file, words the error, and writes the commented file of `baseboard init`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """One table of the file: unknown keys are mistakes, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def setting(
    default: Any,
    about: str,
    *,
    least: float | None = None,
    most: float | None = None,
    longest: int | None = None,
    allowed: str = "",
    example: Any = None,
) -> Any:
    """A setting.  `allowed` says in words what type and limits cannot; `example` stands for no default."""
    return Field(
        default,
        description=about,
        ge=least,
        le=most,
        max_length=longest,
        json_schema_extra={"allowed": allowed},
        examples=None if example is None else [example],
    )


def allowed(field: FieldInfo) -> str:
    """What a setting may be, in words."""
    extra = field.json_schema_extra
    if isinstance(extra, Mapping) and extra.get("allowed"):
        return str(extra["allowed"])
    limits = {type(limit): limit for limit in field.metadata}
    least, most = limits.get(Ge), limits.get(Le)
    words = _words(field.annotation)
    if isinstance(least, Ge) and isinstance(most, Le):
        words += f", {least.ge} to {most.le}"
    elif isinstance(least, Ge):
        words += f", {least.ge} or more"
    elif isinstance(most, Le):
        words += f", at most {most.le}"
    longest = limits.get(MaxLen)
    if isinstance(longest, MaxLen):
        shortest = limits.get(MinLen)
        least_length = shortest.min_length if isinstance(shortest, MinLen) else 0
        words += f" of {least_length} to {longest.max_length} characters"
    return words


def _words(kind: Any) -> str:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(_words(inner) for inner in get_args(kind) if inner is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(_quoted(value) for value in get_args(kind))
    if origin is list:
        return f"a list of {_words(get_args(kind)[0]).removeprefix('one of ')}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "a table"
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(kind, str(kind))


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
