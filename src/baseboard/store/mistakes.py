"""What pydantic found wrong, in our words: file, line, key, what was found, what is allowed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from baseboard.store.setting import allowed
from baseboard.store.source import Source, found
from baseboard.store.toml_lines import Path

if TYPE_CHECKING:
    from pydantic import ValidationError

MOST = 20
"""Mistakes told at once."""


def explain(error: ValidationError, model: type[BaseModel], source: Source) -> list[str]:
    """One line for each mistake, in the order of the file."""
    mistakes = sorted(
        (source.line(detail["loc"]), source.mistake(detail["loc"], _text(dict(detail), model)))
        for detail in error.errors(include_url=False)
    )
    lines = [line for _, line in mistakes]
    return lines if len(lines) <= MOST else [*lines[:MOST], f"... and {len(lines) - MOST} more"]


def _text(detail: dict[str, Any], model: type[BaseModel]) -> str:
    loc: Path = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return _unknown(str(loc[-1]), list(_fields(model, loc[:-1])))
    field = _field(model, loc)
    if detail["type"] == "missing":
        return f"is missing; allowed: {allowed(field) if field else 'a value'}"
    if detail["type"] == "value_error":
        return f"found {found(detail['input'])}; {detail['ctx']['error']}"
    if field is None:
        return f"found {found(detail['input'])}; {detail['msg']}"
    return f"found {found(detail['input'])}; allowed: {allowed(field)}"


def _unknown(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, 1)
    if name == "password":
        return "a password is not written here; name a file with password_file"
    guess = f"; did you mean {near[0]}?" if near else ""
    return f"no such setting{guess} (there are {', '.join(names)})"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model_in(inner))), None)


def _field(model: type[BaseModel], loc: Path) -> FieldInfo | None:
    """The declaration of the setting at `loc`."""
    field: FieldInfo | None = None
    inside: type[BaseModel] | None = model
    for part in loc:
        if isinstance(part, str):
            field = inside.model_fields.get(part) if inside is not None else None
            inside = _model_in(field.annotation) if field is not None else None
    return field


def _fields(model: type[BaseModel], loc: Path) -> dict[str, FieldInfo]:
    """The settings of the table at `loc`."""
    field = _field(model, loc)
    inside = _model_in(field.annotation) if field is not None else model
    return inside.model_fields if inside is not None else {}
