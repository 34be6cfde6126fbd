"""The driver in C beside this file, as it is compiled, before a KCS device of ours: no VM, no hardware.

python run_driver.py driver/build/driver.elf
"""

import sys
from pathlib import Path

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.commands import TABLES
from baseboard.interface import HandlerSeam
from baseboard.interface.bus import IsaBus
from baseboard.interface.kcs import Kcs
from baseboard.machine import Elf, X86Machine

if len(sys.argv) != 2 or not Path(sys.argv[1]).exists():
    sys.exit("`make -C driver` makes driver/build/driver.elf; name it")

kcs = Kcs()
HandlerSeam(kcs.engine, Core(Bmc(Settings()), TABLES).handle)  # a whole BMC answers
bus = IsaBus()
bus.attach(kcs, base=0xCA2, irq=5)

machine = X86Machine(bus)
machine.load(Elf.from_file(Path(sys.argv[1])))

REQUEST, RESPONSE, SIZE = 0x8_0000, 0x8_1000, 272
machine.write_memory(REQUEST, b"\x18\x01")  # Get Device ID
length = machine.call("kcs_transact", 0xCA2, REQUEST, 2, RESPONSE, SIZE)
print(machine.read_memory(RESPONSE, length).hex(" "))
