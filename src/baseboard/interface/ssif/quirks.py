"""Where QEMU's SSIF (5.0 to 11.1) is not the specification's; all off unless somebody needs them."""

from __future__ import annotations

from enum import Flag, auto


class Quirk(Flag):
    """One deviation each; `QEMU` is all of them."""

    NONE = 0
    ALWAYS_ACKNOWLEDGES = auto()
    """There is no busy: a read at the wrong time goes on in the block that was read before."""
    NO_PACKET_ERROR_CODES = auto()
    """None are given, and a block that is followed by one is not taken."""
    RETRY_BY_POSITION = auto()
    """The parameter of a retry is the place of the part, 0 for the first, and not the block number in it."""
    LENIENT_START = auto()
    """A start part has 2 to 32 bytes; a shorter one, like a shorter request, is as if it had not come."""
    MESSAGE_STAYS = auto()
    """A middle or end part behind a finished request is added to it, and it is executed again."""
    ANSWER_STAYS = auto()
    """An answer can be read until the next request is complete."""
    END_WITHOUT_COUNT = auto()
    """The command of a middle or end part alone ends the request."""
    OVERLONG_DROPPED = auto()
    """A request of more than 255 bytes is not answered."""
    ANSWER_CUT = auto()
    """An answer of more than 255 bytes is cut there, with completion code C6h instead of CAh."""
    CAPABILITIES_BY_CODE = auto()
    """Get System Interface Capabilities is answered for every interface: CCh, and C7h without one."""
    NO_ALERT = auto()
    """SMBALERT# is never pulled."""
    QEMU = (
        ALWAYS_ACKNOWLEDGES | NO_PACKET_ERROR_CODES | RETRY_BY_POSITION | LENIENT_START | MESSAGE_STAYS
        | ANSWER_STAYS | END_WITHOUT_COUNT | OVERLONG_DROPPED | ANSWER_CUT | CAPABILITIES_BY_CODE | NO_ALERT
    )  # fmt: skip
