"""Commands of whole chapters that we leave out, with the reasons.  [IPMI Appendix G]"""

from __future__ import annotations

from baseboard.bmc.core import Command, CommandTable
from baseboard.ipmi.codec import Empty
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

NO_ICMB = "there is no ICMB: the controllers of a chassis, and of others, meet on the IPMB"
NOT_FORWARDED = "no command is forwarded: what is known is executed here, and everything else is refused"

U, O, A = Privilege.USER, Privilege.OPERATOR, Privilege.ADMINISTRATOR  # noqa: E741

# fmt: off
BRIDGE_LEVELS = {  # [ICMB 1.0]
    0x00: U, 0x01: O, 0x02: U, 0x03: O, 0x04: O, 0x05: U, 0x06: U,
    0x08: O, 0x09: U, 0x0A: U, 0x0B: U, 0x0C: U,
    0x10: O, 0x11: U, 0x12: O, 0x13: U, 0x14: O,
    0x20: O, 0x21: O,
    0x30: U, 0x31: O, 0x32: O, 0x33: O, 0x34: U, 0x35: U,
    0xFF: U,
}
FORWARDING_LEVELS = {0x30: A, 0x31: A, 0x32: U, 0x33: A}  # [IPMI 35b]
# fmt: on


def _rows(levels: dict[int, Privilege], reason: str) -> tuple[Command[Empty], ...]:
    return tuple(Command(number, level, Empty, None, reason=reason) for number, level in levels.items())


BRIDGE = CommandTable(NetFn.BRIDGE, _rows(BRIDGE_LEVELS, NO_ICMB))
FORWARDING = CommandTable(NetFn.TRANSPORT, _rows(FORWARDING_LEVELS, NOT_FORWARDED))
