"""The commented configuration file of `baseboard init`, made from the declarations themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import wrap
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from baseboard.store.configuration import Configuration
from baseboard.store.setting import allowed

WIDTH = 100

HEAD = """\
# Configuration of baseboard. Every setting is optional and shown with its default, switched off by a '#';
# take it away to set it. Where there is no default, the value is an example. Flags of `baseboard run` win
# over this file, and so does what commands change, until `baseboard reset-state`.
# Check it with `baseboard check FILE`, use it with `baseboard run --config FILE`.
"""


def template(model: type[BaseModel] = Configuration) -> str:
    """The whole file."""
    return HEAD + "".join(f"\n{line}" for line in _sections(model)) + "\n"


def _sections(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        repeated = get_origin(field.annotation) is list
        section: Any = get_args(field.annotation)[0] if repeated else field.annotation
        yield ""
        yield from _comment(section.__doc__ or "")
        yield f"#[[{name}]]" if repeated else f"[{name}]"
        for key, inner in section.model_fields.items():
            if _is_list_of_tables(inner):
                yield from _comment(inner.description or "")
                yield f"#[[{name}.{key}]]"
                fields = get_args(inner.annotation)[0].model_fields
                yield from (f"#{k} = {toml(shown(f))}" for k, f in fields.items() if f.is_required())
            else:
                yield from _setting(key, inner)


def _is_list_of_tables(field: FieldInfo) -> bool:
    if get_origin(field.annotation) is not list:
        return False
    (element,) = get_args(field.annotation)
    return isinstance(element, type) and issubclass(element, BaseModel)


def _setting(key: str, field: FieldInfo) -> Iterator[str]:
    if field.description:
        yield from _comment(f"{field.description} ({allowed(field)})")
    yield f"#{key} = {toml(shown(field))}"


def shown(field: FieldInfo) -> Any:
    """The default, or the example where there is none."""
    if field.examples and (field.is_required() or field.default is None):
        return field.examples[0]
    return field.default


def toml(value: Any) -> str:
    """A value as TOML writes it; JSON's way is one of TOML's for all that we have."""
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> Iterator[str]:
    for line in wrap(" ".join(text.split()), WIDTH):
        yield f"# {line}"
