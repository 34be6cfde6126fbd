"""Which NUMA node something is of, in the form that guest and platform have agreed on.

Form 1 [LoPAR 15.3] has a list of four domains, of which the last is the node; how far two nodes are from each
other follows from the domains that they share. Form 2 [Linux associativity] has the node alone, and a table
of distances. Before client architecture support it is form 1.
"""

from __future__ import annotations

from baseboard.spapr import vector5
from baseboard.spapr.cells import cells

FORM_1_DOMAINS = 4
LOCAL, REMOTE = 10, 20
"""Distances, in the measure of ACPI's SLIT; QEMU's, when nobody gave others."""


def associativity(vector: bytes, node: int, *more: int) -> bytes:
    """`ibm,associativity`; a processor's has its number behind the node."""
    numbers = (*_domains(vector, node), *more)
    return cells(len(numbers), *numbers)


def lookup_arrays(vector: bytes, nodes: int) -> bytes:
    """`ibm,associativity-lookup-arrays`: a list for each node."""
    lists = [_domains(vector, node) for node in range(nodes)]
    return cells(nodes, len(lists[0]), *(number for one in lists for number in one))


def rtas_properties(vector: bytes, nodes: int) -> dict[str, bytes]:
    """What `/rtas` says about lists and, in form 2, distances."""
    points: tuple[int, ...]
    domains: tuple[int, ...]
    if vector5.FORM_2_AFFINITY.among(vector):
        points, domains = (1,), (nodes,)
    elif nodes == 1:  # the older points of reference, of which only the last domain counts  [QEMU 7.2]
        points, domains = (4, 4, 2), (0, 0, 0, 1)
    else:
        points, domains = (4, 3, 2, 1), (nodes,) * FORM_1_DOMAINS
    properties = {
        "ibm,associativity-reference-points": cells(*points),
        "ibm,max-associativity-domains": cells(len(domains), *domains),
    }
    if vector5.FORM_2_AFFINITY.among(vector):
        distances = bytes(
            LOCAL if here == there else REMOTE for here in range(nodes) for there in range(nodes)
        )
        properties["ibm,numa-lookup-index-table"] = cells(nodes, *range(nodes))
        properties["ibm,numa-distance-table"] = cells(len(distances)) + distances
    return properties


def _domains(vector: bytes, node: int) -> tuple[int, ...]:
    return (node,) if vector5.FORM_2_AFFINITY.among(vector) else (0,) * (FORM_1_DOMAINS - 1) + (node,)
