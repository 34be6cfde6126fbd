"""Chassis back ends: what switches a machine on and off, and tells the truth about its state.

Three of them behind one interface, `Backend`: a machine that is nothing but its power state, one at the end
of a VM wire that others started, and a QEMU process of our own. What they see of the controller is `Reports`.
Each is imported from its own module: a controller has one of them, and QEMU's brings subprocess.
"""
