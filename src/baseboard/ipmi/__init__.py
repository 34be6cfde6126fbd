"""The language: what requests, responses and records look like, and nothing of how they travel.

Declared messages by net function, completion codes, checksums, privilege levels, sensor conversion and
the records of SDR, SEL and FRU. It knows no session, no register and no state. Other rooms import its
modules by name; this door keeps the few words that everybody uses.
"""

from baseboard.ipmi.checksum import checksum, is_sound
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Handler, Message, Session
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel, Privilege

__all__ = [
    "Channel",
    "CompletionCode",
    "Context",
    "Handler",
    "Message",
    "NetFn",
    "Privilege",
    "Session",
    "checksum",
    "is_sound",
]
