"""Where devices stand: I/O ports, memory, PCI and the SMBus.

A bus knows addresses, access widths and interrupt lines, and nothing of what a register means.
"""
