"""The guest beside this file, as it is assembled, in a partition of ours: no VM, no POWER hardware.

python run_partition.py partition/build/partition.elf
"""

import sys
from pathlib import Path

from baseboard.machine import Elf, Ppc64Machine
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine

if len(sys.argv) != 2 or not Path(sys.argv[1]).exists():
    sys.exit("`make -C partition` makes partition/build/partition.elf; name it")

partition = PseriesMachine(cores=1, max_cores=4)
partition.on_event = lambda name, data: print(name, data.get("device"))

machine = Ppc64Machine(Hypervisor(partition))
machine.load(Elf.from_file(Path(sys.argv[1])))

partition.plug_core("c1", 1)
machine.run()  # the guest fetches the event log and takes the core
core = partition.connectors[0x10000001]
print(f"{core.name} is {core.state.name.lower()}; the guest says {machine.console.decode()!r}")

partition.unplug("c1")
machine.run()
print(f"{core.name} is {core.state.name.lower()}; the guest says {machine.console.decode()!r}")
