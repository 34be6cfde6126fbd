"""A state's way into another process: what leaves is text."""

from __future__ import annotations

import json
from typing import TypeVar

from baseboard.interface.state import from_plain, to_plain

S = TypeVar("S")


def through_text(state: S) -> S:
    """The state as it is read again."""
    again = from_plain(type(state), json.loads(json.dumps(to_plain(state))))
    assert again == state
    return again
