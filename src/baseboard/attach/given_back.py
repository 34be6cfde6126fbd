"""What QEMU has and the guest does not hold, remembered where whoever attaches next will look: in QEMU.

QEMU does not tell how far a guest has come with a connector. So we leave an object for each that the guest
has not taken, or has given back while its hardware stayed; its name says which, and in which boot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256

from baseboard.attach.errors import AttachError
from baseboard.attach.qmp import Qmp
from baseboard.power.qmp import MonitorError

_NAME = re.compile(r"baseboard-free-([0-9a-f]{8})-([0-9a-f]{8})")


def boot_of(tree: bytes) -> str:
    """What stands for a boot: its tree, which has the cores that the guest began with."""
    return sha256(tree).hexdigest()[:8]


def recall(qmp: Qmp, boot: str) -> frozenset[int]:
    """Indexes of connectors.  Raises MonitorError and AttachError."""
    return frozenset(index for _, when, index in _marks(qmp) if when == boot)


def remember(qmp: Qmp, boot: str, indexes: Iterable[int]) -> None:
    """In place of what was remembered. A QEMU that is gone needs none."""
    with suppress(MonitorError, AttachError):
        for name, _, _ in _marks(qmp):
            qmp.execute("object-del", id=name)
        for index in indexes:
            name = f"baseboard-free-{boot}-{index:08x}"
            qmp.execute("object-add", **{"qom-type": "secret", "id": name, "data": "free"})


def _marks(qmp: Qmp) -> list[tuple[str, str, int]]:
    rows = qmp.rows("qom-list", "name", path="/objects")
    found = [match for row in rows if (match := _NAME.fullmatch(row["name"]))]
    return [(match[0], match[1], int(match[2], 16)) for match in found]
