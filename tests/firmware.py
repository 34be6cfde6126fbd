"""The images of our own BMC firmware (`firmware/README.md`)."""

from __future__ import annotations

from pathlib import Path

SOURCE = Path(__file__).parent.parent / "firmware"
IMAGES = (
    "ast2600-interrupt",
    "ast2600-polled",
    "ast2500-interrupt",
    "ast2500-polled",
    "ast2400-interrupt",
    "ast2400-polled",
    "npcm750-interrupt",
    "npcm750-polled",
    "ast2600-mapped",
    "npcm750-mapped",
)


def firmware(name: str) -> Path:
    """The prebuilt image."""
    return SOURCE / "prebuilt" / f"{name}.elf"
