"""What a hypercall gives back."""

from __future__ import annotations

Result = tuple[int, int | None]
"""r3, and r4 or None where that stays as it was."""
