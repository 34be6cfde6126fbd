"""Everything about a controller that a configuration may say, with a default for each.

Plain values: where they come from (a file, flags, a test) is not this room's business.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a controller is made from."""
