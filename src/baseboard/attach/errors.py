"""What goes wrong between us and a virtual machine."""

from __future__ import annotations

from baseboard.errors import BaseboardError


class AttachError(BaseboardError):
    """The virtual machine is not there any more, does not answer, or refuses."""


class NotAttachable(BaseboardError):
    """Something is there, but nothing that can be attached to: the text says what was found."""
