"""The bus between controllers: how a message finds its addressee, and an answer its request.

`bus` joins the controllers of one chassis and the links to others; `port` is one controller's end: it
executes what comes in and keeps what it asked; `framing` is a message on a byte stream. What a message looks
like is in `ipmi.ipmb`; what a controller does with it, and how consoles get at the bus, is `bmc`'s business.
"""

from baseboard.ipmb.bus import Bus, Link, Node
from baseboard.ipmb.framing import Deframer, frame
from baseboard.ipmb.port import Outcome, Port

__all__ = ["Bus", "Deframer", "Link", "Node", "Outcome", "Port", "frame"]
