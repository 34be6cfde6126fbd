"""A partition that runs: the platform of `baseboard.spapr` with durable state and a control socket.

The socket speaks as an instance's does (`fleet.control`). Not here: the platform itself, and the programs and
machines that are made to use it (`attach`).
"""

from baseboard.fleet.partition.partition import ROOM, Partition, PartitionPlan
from baseboard.fleet.partition.plan import plan

__all__ = ["ROOM", "Partition", "PartitionPlan", "plan"]
