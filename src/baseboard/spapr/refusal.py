"""The platform does not do what the management side asks, and nothing has changed."""

from __future__ import annotations

from baseboard.errors import BaseboardError


class Refusal(BaseboardError):
    """The text is QEMU's where QEMU refuses the same."""
