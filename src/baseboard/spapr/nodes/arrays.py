"""The four properties that describe connectors, one entry each in the same place of all.  [LoPAR 13.5.2]"""

from __future__ import annotations

from collections.abc import Iterable

from baseboard.spapr.cells import cells, strings
from baseboard.spapr.drc import Connector


def connector_arrays(connectors: Iterable[Connector]) -> dict[str, bytes]:
    """In the order of indexes; QEMU's is that of a hash table, which no guest may rely on."""
    rows = sorted(connectors, key=lambda connector: connector.index)
    count = cells(len(rows))
    return {
        "ibm,drc-types": count + strings(*(row.type for row in rows)),
        "ibm,drc-names": count + strings(*(row.name for row in rows)),
        "ibm,drc-power-domains": count + cells(*(row.power_domain for row in rows)),
        "ibm,drc-indexes": count + cells(*(row.index for row in rows)),
    }
